/* SPDX-License-Identifier: MIT */
/*
 * account.h: what an epoch did, and what the pools did since the one before.
 *
 * Kept only while someone asks for it: a watcher, the trace, the pacer. Everything but
 * tide__account_publish is under the registry's lock.
 */
#ifndef TIDE_POOL_ACCOUNT_H
#define TIDE_POOL_ACCOUNT_H

#include <stdatomic.h>

#include "tide_epoch.h"
#include "tide_pool.h"

/* An epoch under way. */
struct account {
    tide_epoch_report report;
    uint64_t now_ns; /* when the step began that is under way */
    char *trace;     /* what is to be printed of it, or NULL */
};

/* What is remembered of a pool from one epoch to the next. */
struct pool_account {
    tide_pool_stats last;
    size_t bytes_before;
    _Atomic size_t bytes_kept; /* written without the lock */
    uint64_t pops, pops_max;   /* of the stacks that became victims, of all CPUs and of one */
};

/* Nanoseconds since the library started. */
uint64_t tide__account_clock(void);

/* Someone begins or ceases to ask. */
void tide__account_ask(bool asks);
bool tide__account_is_asked(void);

void tide__account_begin(struct account *account, tide_epoch_reason reason);

/* Ends a step: returns its length and begins the next. */
uint64_t tide__account_step(struct account *account);

/* A stack has become the epoch's. */
void tide__account_stack(struct pool_account *pool, unsigned cpu, uint64_t pops, uint64_t items);

/* All pools have been through it. */
void tide__account_end(struct account *account);

/* Without the lock: prints the trace, calls the watchers. */
void tide__account_publish(struct account *account);

/* A pool ends: what it did counts for the next report. */
void tide__account_leave(tide_pool *pool);

/* In a forked child: other threads held locks that they do not hold here. */
void tide__account_after_fork(void);
void tide__trace_after_fork(void);

/* trace.c: the lines of one epoch, malloc'd, and where they go. */
void tide__trace_start(void);
uint64_t tide__trace_level(void);
bool tide__trace_set_level(uint64_t level);
bool tide__trace_wants_pools(void);
char *tide__trace_lines(const tide_epoch_report *report, const char *pool_lines);
void tide__trace_pool(void *stream, const char *name, const tide_epoch_report *report);
void tide__trace_write(const char *lines);

#endif

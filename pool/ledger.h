/* SPDX-License-Identifier: MIT */
/*
 * ledger.h: what checked pools know of each object: whose it is, where it was last got and put.
 *
 * MT-safe and async-signal-safe, but for init and fini: signals are blocked while a lock is held,
 * and memory comes from the kernel. Without memory an object is not recorded, and not checked.
 */
#ifndef TIDE_POOL_LEDGER_H
#define TIDE_POOL_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <urcu/list.h>

#include "tide_pool.h"

/* Few enough for ThreadSanitizer, which follows 64 locks held at once: a fork takes them all. */
enum { LEDGER_SHARDS = 16 };

enum ledger_state { LEDGER_UNKNOWN, LEDGER_LENT, LEDGER_CACHED, LEDGER_DEAD };

/* What is known of an address. */
struct ledger_entry {
    enum ledger_state state;
    const tide_pool *pool;
    const void *got, *put; /* call sites of the last ones; NULL: none */
};

/* A pool's part. */
struct ledger {
    struct cds_list_head records[LEDGER_SHARDS]; /* each under its shard's lock */
    _Atomic bool incomplete;                     /* an object could not be recorded */
};

/* Where objects on loan were got. */
struct ledger_loans {
    const void *site;
    size_t count;
};

void tide__ledger_init(struct ledger *ledger);
void tide__ledger_fini(struct ledger *ledger);

/* An object goes to a holder. */
void tide__ledger_lend(tide_pool *pool, void *object, const void *site);

/* An object comes back, or is taken over. False if that cannot be right: then nothing changes.
 * `before` is what was known of it. */
bool tide__ledger_take_back(tide_pool *pool, void *object, const void *site,
                            struct ledger_entry *before);

/* An object is in the pool without having been on loan. */
void tide__ledger_cache(tide_pool *pool, void *object, const void *site);

/* An object is about to be destroyed; its address is remembered for a while. */
void tide__ledger_end(tide_pool *pool, void *object);

struct ledger_entry tide__ledger_read(const void *object);

/* Counts objects on loan, apart for the first `room` call sites found; sets `count` to how many
 * of those there are. Loans from before a fork are their holders' in the parent. */
size_t tide__ledger_loans(struct ledger *ledger, struct ledger_loans *sites, size_t room,
                          size_t *count);

/* Around a fork, with signals blocked. */
void tide__ledger_before_fork(void);
void tide__ledger_after_fork(void);

#endif

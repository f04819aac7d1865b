/* SPDX-License-Identifier: MIT */
/*
 * account.c: adds up what epochs report, and tells who watches.
 */
#include "account.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cpu.h"
#include "internal.h"
#include "pacer.h"
#include "source.h"

enum { WATCHER_COUNT = 16 };

struct watcher {
    void (*advanced)(const tide_epoch_report *, void *);
    void *context;
};

static pthread_mutex_t watchers_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct watcher watchers[WATCHER_COUNT];
static size_t watcher_count;

static _Atomic unsigned askers;

/* Under the registry's lock. */
static tide_epoch_report departed; /* of pools that have ended since the last epoch */
static struct {
    uint64_t pops;
    bool used;
} cpu_tally[TIDE__CPU_MAX];
static unsigned cpu_tally_count; /* those from here on were never used */
static uint64_t all_ns;

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t clock_start;

/* Before the constructors that may create pools. */
static __attribute__((constructor(101))) void start_clock(void)
{
    clock_start = monotonic_ns();
}

uint64_t tide__account_clock(void)
{
    return monotonic_ns() - clock_start;
}

void tide__account_ask(bool asks)
{
    atomic_fetch_add_explicit(&askers, asks ? 1 : -1U, memory_order_relaxed);
}

bool tide__account_is_asked(void)
{
    return atomic_load_explicit(&askers, memory_order_relaxed) > 0;
}

void tide__account_begin(struct account *account, tide_epoch_reason reason)
{
    *account = (struct account){.report.reason = reason, .report.number = tide_epoch_current()};
    account->now_ns = account->report.start_ns = tide__account_clock();
}

uint64_t tide__account_step(struct account *account)
{
    uint64_t before = account->now_ns;
    account->now_ns = tide__account_clock();
    return account->now_ns - before;
}

void tide__account_stack(struct pool_account *pool, unsigned cpu, uint64_t pops, uint64_t items)
{
    pool->pops += pops;
    pool->pops_max = pops > pool->pops_max ? pops : pool->pops_max;
    cpu_tally_count = cpu >= cpu_tally_count ? cpu + 1 : cpu_tally_count;
    cpu_tally[cpu].pops += pops;
    cpu_tally[cpu].used |= pops || items;
}

/* What a pool did since its last account. */
static tide_epoch_report account_pool(tide_pool *pool)
{
    struct pool_account *account = &pool->account;
    tide_pool_stats now, *last = &account->last;
    tide_pool_read_stats(pool, &now);
    tide__limit_learn(pool, now.puts - last->puts);
    tide_epoch_report report = {
        .hits_cpu = now.hits_cpu - last->hits_cpu,
        .hits_batch = now.hits_batch - last->hits_batch,
        .hits_stolen = now.hits_stolen - last->hits_stolen,
        .hits_victim = now.hits_victim - last->hits_victim,
        .misses = now.misses - last->misses,
        .puts = now.puts - last->puts,
        .dropped_idle = now.destroyed_epoch - last->destroyed_epoch,
        .dropped_heavy = now.destroyed_heavy - last->destroyed_heavy,
        .dropped_full = now.destroyed_full - last->destroyed_full,
        .dropped_drained = now.destroyed_drain - last->destroyed_drain,
        .dropped_lost = now.destroyed_put - last->destroyed_put,
        .dropped_random = now.destroyed_random - last->destroyed_random,
        .bytes_before = account->bytes_before,
        .bytes_after = now.cached_bytes,
        .bytes_kept = atomic_exchange_explicit(&account->bytes_kept, 0, memory_order_relaxed),
        .bytes_held = tide__pool_held(pool, &now),
        .busiest_percent = account->pops ? (unsigned)(100 * account->pops_max / account->pops) : 0,
    };
    account->last = now;
    account->bytes_before = 0;
    account->pops = account->pops_max = 0;
    return report;
}

static void add_report(tide_epoch_report *sum, const tide_epoch_report *part)
{
    sum->hits_cpu += part->hits_cpu;
    sum->hits_batch += part->hits_batch;
    sum->hits_stolen += part->hits_stolen;
    sum->hits_victim += part->hits_victim;
    sum->misses += part->misses;
    sum->puts += part->puts;
    sum->dropped_idle += part->dropped_idle;
    sum->dropped_heavy += part->dropped_heavy;
    sum->dropped_full += part->dropped_full;
    sum->dropped_drained += part->dropped_drained;
    sum->dropped_lost += part->dropped_lost;
    sum->dropped_random += part->dropped_random;
    sum->bytes_before += part->bytes_before;
    sum->bytes_after += part->bytes_after;
    sum->bytes_kept += part->bytes_kept;
    sum->bytes_held += part->bytes_held;
}

static bool was_used(const tide_epoch_report *report)
{
    return report->hits_cpu || report->hits_batch || report->hits_stolen || report->hits_victim ||
           report->misses || report->puts || report->dropped_idle || report->dropped_drained;
}

/* The lines of what stands above pools. */
static void trace_sources(const tide_epoch_report *report, FILE *stream)
{
    const struct source *source = tide__source_first();
    for (; source; source = tide__source_next(source))
        if (source->trace)
            source->trace(stream, report->number);
}

/* Adds up all pools; their lines go to `stream` unless it is NULL. */
static void account_pools(tide_epoch_report *report, FILE *stream)
{
    struct cds_list_head *node;
    cds_list_for_each(node, &tide__registry)
    {
        tide_epoch_report one = account_pool(pool_of(node));
        report->pools++;
        add_report(report, &one);
        if (stream && was_used(&one)) {
            one.number = report->number;
            tide__trace_pool(stream, pool_of(node)->name, &one);
        }
    }
    add_report(report, &departed);
    departed = (tide_epoch_report){0};
}

static void account_cpus(tide_epoch_report *report)
{
    uint64_t sum = 0, max = 0;
    for (unsigned cpu = 0; cpu < cpu_tally_count; cpu++) {
        uint64_t pops = cpu_tally[cpu].pops;
        sum += pops;
        max = pops > max ? pops : max;
        report->cpus += cpu_tally[cpu].used;
        if (cpu_tally[cpu].used)
            memset(&cpu_tally[cpu], 0, sizeof(cpu_tally[cpu]));
    }
    report->busiest_percent = sum ? (unsigned)(100 * max / sum) : 0;
}

void tide__account_end(struct account *account)
{
    tide_epoch_report *report = &account->report;
    char *pool_lines = NULL;
    size_t size;
    report->destroy_ns = tide__account_step(account);
    all_ns += account->now_ns - report->start_ns;
    report->all_ns = all_ns;
    if (!tide__account_is_asked())
        return;
    FILE *stream = tide__trace_wants_pools() ? open_memstream(&pool_lines, &size) : NULL;
    account_pools(report, stream);
    account_cpus(report);
    if (stream) {
        trace_sources(report, stream);
        fclose(stream);
    }
    tide__pacer_note(report);
    account->trace = tide__trace_lines(report, pool_lines);
    free(pool_lines);
}

void tide__account_publish(struct account *account)
{
    struct watcher now[WATCHER_COUNT];
    if (account->trace)
        tide__trace_write(account->trace);
    free(account->trace);
    pthread_mutex_lock(&watchers_mutex);
    size_t count = watcher_count;
    memcpy(now, watchers, sizeof(now));
    pthread_mutex_unlock(&watchers_mutex);
    for (size_t i = 0; i < count; i++)
        now[i].advanced(&account->report, now[i].context);
}

void tide__account_leave(tide_pool *pool)
{
    if (!tide__account_is_asked())
        return;
    tide_epoch_report one = account_pool(pool);
    one.bytes_before = one.bytes_after = one.bytes_kept = one.bytes_held = 0;
    add_report(&departed, &one);
}

int tide_epoch_watch(void (*advanced)(const tide_epoch_report *, void *), void *context)
{
    pthread_mutex_lock(&watchers_mutex);
    bool full = watcher_count == WATCHER_COUNT;
    if (!full)
        watchers[watcher_count++] = (struct watcher){advanced, context};
    pthread_mutex_unlock(&watchers_mutex);
    if (full) {
        errno = ENOSPC;
        return -1;
    }
    tide__account_ask(true);
    return 0;
}

void tide_epoch_unwatch(void (*advanced)(const tide_epoch_report *, void *), void *context)
{
    bool found = false;
    pthread_mutex_lock(&watchers_mutex);
    for (size_t i = 0; i < watcher_count && !found; i++) {
        found = watchers[i].advanced == advanced && watchers[i].context == context;
        if (found)
            watchers[i] = watchers[--watcher_count];
    }
    pthread_mutex_unlock(&watchers_mutex);
    if (found)
        tide__account_ask(false);
}

void tide__account_after_fork(void)
{
    pthread_mutex_init(&watchers_mutex, NULL);
}

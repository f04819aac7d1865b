/* SPDX-License-Identifier: MIT */
/*
 * totals.c: counts for all arenas of one name.
 *
 * An entry is made for a name when it is first seen, and stays. Readers find it without a lock.
 */
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "arena.h"
#include "source.h"

enum {
    NAMES = 64, /* the last one is for all other names */
    NAME_SIZE = 48,
    PARTS = 8 /* of what is counted most often: arenas of several threads mostly differ in it */
};

struct totals {
    alignas(CACHE_LINE) char name[NAME_SIZE];
    _Atomic uint64_t created, ended, chunks_taken;
    _Atomic size_t held, held_most;
    struct {
        alignas(CACHE_LINE) _Atomic uint64_t count;
    } resets[PARTS];
    tide_arena_totals traced; /* what the trace has said of it; under the registry's lock */
};

static struct totals entries[NAMES] = {[NAMES - 1].name = "others"};
static _Atomic unsigned entry_count; /* without the last */
static pthread_mutex_t entries_mutex = PTHREAD_MUTEX_INITIALIZER;

static pthread_once_t entries_once = PTHREAD_ONCE_INIT;

static void lock_entries(void)
{
    pthread_mutex_lock(&entries_mutex);
}

static void unlock_entries(void)
{
    pthread_mutex_unlock(&entries_mutex);
}

static struct source source;

static void start(void)
{
    tide__source_add(&source);
    pthread_atfork(lock_entries, unlock_entries, unlock_entries);
}

static void add(_Atomic uint64_t *count)
{
    atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

static struct totals *find(const char *name)
{
    /* Pairs with the release in find_or_make. */
    unsigned count = atomic_load_explicit(&entry_count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++)
        if (!strncmp(entries[i].name, name, NAME_SIZE - 1))
            return &entries[i];
    return NULL;
}

static struct totals *find_or_make(const char *name)
{
    pthread_once(&entries_once, start);
    lock_entries();
    unsigned count = atomic_load_explicit(&entry_count, memory_order_relaxed);
    struct totals *entry = find(name);
    if (!entry && count < NAMES - 1) {
        entry = &entries[count];
        strncpy(entry->name, name, NAME_SIZE - 1);
        /* Pairs with the acquire in find. */
        atomic_store_explicit(&entry_count, count + 1, memory_order_release);
    }
    unlock_entries();
    return entry ? entry : &entries[NAMES - 1];
}

struct totals *tide__totals_begin(const char *name)
{
    struct totals *entry = name ? find(name) : NULL;
    if (name && !entry)
        entry = find_or_make(name);
    if (entry)
        add(&entry->created);
    return entry;
}

void tide__totals_end(struct totals *totals)
{
    if (totals)
        add(&totals->ended);
}

void tide__totals_chunk(struct totals *totals)
{
    if (totals)
        add(&totals->chunks_taken);
}

void tide__totals_reset(struct totals *totals, const struct arena *arena)
{
    if (totals)
        add(&totals->resets[(uintptr_t)arena / sizeof(*arena) % PARTS].count);
}

void tide__totals_hold(struct totals *totals, size_t bytes)
{
    if (!totals)
        return;
    size_t held = atomic_fetch_add_explicit(&totals->held, bytes, memory_order_relaxed) + bytes;
    size_t most = atomic_load_explicit(&totals->held_most, memory_order_relaxed);
    while (held > most &&
           !atomic_compare_exchange_weak_explicit(&totals->held_most, &most, held,
                                                  memory_order_relaxed, memory_order_relaxed))
        continue;
}

void tide__totals_drop(struct totals *totals, size_t bytes)
{
    if (totals)
        atomic_fetch_sub_explicit(&totals->held, bytes, memory_order_relaxed);
}

static uint64_t read_resets(struct totals *entry)
{
    uint64_t resets = 0;
    for (unsigned i = 0; i < PARTS; i++)
        resets += atomic_load_explicit(&entry->resets[i].count, memory_order_relaxed);
    return resets;
}

static tide_arena_totals read_entry(struct totals *entry)
{
    uint64_t ended = atomic_load_explicit(&entry->ended, memory_order_relaxed);
    uint64_t created = atomic_load_explicit(&entry->created, memory_order_relaxed);
    return (tide_arena_totals){
        .name = entry->name,
        .created = created,
        .alive = created - ended,
        .resets = read_resets(entry),
        .chunks_taken = atomic_load_explicit(&entry->chunks_taken, memory_order_relaxed),
        .held_bytes = atomic_load_explicit(&entry->held, memory_order_relaxed),
        .held_bytes_most = atomic_load_explicit(&entry->held_most, memory_order_relaxed),
    };
}

/* Calls `visit` for each entry that has had an arena, until it returns false. */
static void walk_entries(bool (*visit)(struct totals *, const tide_arena_totals *, void *),
                         void *context)
{
    /* Pairs with the release in find_or_make. */
    unsigned count = atomic_load_explicit(&entry_count, memory_order_acquire);
    bool wanted = true;
    for (unsigned i = 0; i <= count && wanted; i++) {
        struct totals *entry = &entries[i < count ? i : NAMES - 1];
        tide_arena_totals totals = read_entry(entry);
        wanted = !totals.created || visit(entry, &totals, context);
    }
}

struct walk {
    bool (*visit)(const tide_arena_totals *totals, void *context);
    source_visit *visit_source; /* or this one */
    void *context;
};

static bool visit_totals(struct totals *entry, const tide_arena_totals *totals, void *context)
{
    const struct walk *walk = context;
    return walk->visit ? walk->visit(totals, walk->context)
                       : walk->visit_source(totals->name, totals, walk->context);
}

void tide_arena_walk(bool (*visit)(const tide_arena_totals *, void *), void *context)
{
    walk_entries(visit_totals, &(struct walk){.visit = visit, .context = context});
}

/* ---- As a source of counters ---- */

static void walk_source(source_visit *visit, void *context)
{
    walk_entries(visit_totals, &(struct walk){.visit_source = visit, .context = context});
}

static double mib(size_t bytes)
{
    return (double)bytes / (1 << 20);
}

struct trace_context {
    FILE *stream;
    uint64_t epoch;
};

/* What it did since its last line, if it did anything or holds something. */
static bool trace_entry(struct totals *entry, const tide_arena_totals *now, void *context)
{
    const struct trace_context *trace = context;
    const tide_arena_totals *before = &entry->traced;
    uint64_t created = now->created - before->created, resets = now->resets - before->resets;
    uint64_t chunks = now->chunks_taken - before->chunks_taken;
    if (created || resets || chunks || now->held_bytes) {
        tide__trace_name(trace->stream, trace->epoch, "arena ", now->name);
        fprintf(trace->stream,
                "%" PRIu64 " alive, %" PRIu64 " created, %" PRIu64 " resets, %" PRIu64
                " chunks, %.2f MB held, %.2f MB most\n",
                now->alive, created, resets, chunks, mib(now->held_bytes),
                mib(now->held_bytes_most));
    }
    entry->traced = *now;
    return true;
}

static void trace_source(FILE *stream, uint64_t epoch)
{
    walk_entries(trace_entry, &(struct trace_context){stream, epoch});
}

#define ARENA_METRIC(field, is_gauge, help) METRIC(tide_arena_totals, field, is_gauge, help)

static const struct metric metrics[] = {
    ARENA_METRIC(created, false, "Arenas created."),
    ARENA_METRIC(alive, true, "Arenas that have not ended."),
    ARENA_METRIC(resets, false, "Resets of arenas."),
    ARENA_METRIC(chunks_taken, false, "Chunks taken from pools or the system."),
    ARENA_METRIC(held_bytes, true, "Bytes of chunks that arenas hold."),
    ARENA_METRIC(held_bytes_most, true, "The most bytes of chunks that they ever held."),
};

static struct source source = {
    .kind = "arena",
    .metrics = metrics,
    .metric_count = sizeof(metrics) / sizeof(*metrics),
    .walk = walk_source,
    .trace = trace_source,
};

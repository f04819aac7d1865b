/* SPDX-License-Identifier: MIT */
/*
 * totals.c: counts for all arenas of one name.
 *
 * An entry is made for a name when it is first seen, and stays. Readers find it without a lock.
 */
#include <pthread.h>
#include <string.h>

#include "arena.h"

enum { NAMES = 64, NAME_SIZE = 48 }; /* the last one is for all other names */

struct totals {
    alignas(CACHE_LINE) char name[NAME_SIZE];
    _Atomic uint64_t created, ended, chunks_taken;
    _Atomic size_t held, held_most;
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

static void watch_forks(void)
{
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
    pthread_once(&entries_once, watch_forks);
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

static bool visit_entry(struct totals *entry, bool (*visit)(const tide_arena_totals *, void *),
                        void *context)
{
    uint64_t ended = atomic_load_explicit(&entry->ended, memory_order_relaxed);
    uint64_t created = atomic_load_explicit(&entry->created, memory_order_relaxed);
    tide_arena_totals totals = {
        .name = entry->name,
        .created = created,
        .alive = created - ended,
        .chunks_taken = atomic_load_explicit(&entry->chunks_taken, memory_order_relaxed),
        .held_bytes = atomic_load_explicit(&entry->held, memory_order_relaxed),
        .held_bytes_most = atomic_load_explicit(&entry->held_most, memory_order_relaxed),
    };
    return !created || visit(&totals, context);
}

void tide_arena_walk(bool (*visit)(const tide_arena_totals *, void *), void *context)
{
    /* Pairs with the release in find_or_make. */
    unsigned count = atomic_load_explicit(&entry_count, memory_order_acquire);
    bool wanted = true;
    for (unsigned i = 0; i < count && wanted; i++)
        wanted = visit_entry(&entries[i], visit, context);
    if (wanted)
        visit_entry(&entries[NAMES - 1], visit, context);
}

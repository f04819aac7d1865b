/* SPDX-License-Identifier: MIT */
/*
 * ledger.c: records of checked pools' objects, by address, in shards with a lock each.
 *
 * An address has one record: who created an object there last owns it. Records of destroyed
 * objects stay until so many others of their shard have died, so that a late put is known for
 * what it is.
 */
#include "ledger.h"

#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdint.h>

#include "heap.h"
#include "internal.h"

enum { SHARD_BITS = 4, BUCKET_BITS = 13, BUCKET_COUNT = 1 << BUCKET_BITS };
enum { DEAD_COUNT = 256, CHUNK_SIZE = 512 };

static_assert(1 << SHARD_BITS == LEDGER_SHARDS, "the hash names a shard");

struct record {
    struct record *next;       /* in its bucket, or of those that are free */
    struct cds_list_head link; /* in its pool's list */
    const void *object;
    struct ledger_entry entry;
    unsigned forks; /* when it was lent, tide__registry_forks */
    unsigned dead;  /* of a dead one: its place in the shard's ring */
};

/* All under the lock. */
struct ledger_shard {
    alignas(CACHE_LINE) pthread_mutex_t lock;
    struct record **buckets; /* NULL: no memory yet */
    struct record *free;
    struct record *dead[DEAD_COUNT]; /* a ring; NULL: alive again, or its pool is gone */
    unsigned dead_next;
};

static struct ledger_shard shards[LEDGER_SHARDS] = {
    [0 ... LEDGER_SHARDS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

static uint64_t hash(const void *object)
{
    return ((uintptr_t)object >> 3) * UINT64_C(0x9e3779b97f4a7c15);
}

static unsigned shard_of(const void *object)
{
    return (unsigned)(hash(object) >> (64 - SHARD_BITS));
}

/* A handler that interrupts the holder of a lock could wait for itself. */
static struct ledger_shard *lock_shard(unsigned index, sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
    pthread_mutex_lock(&shards[index].lock);
    return &shards[index];
}

static void unlock_shard(struct ledger_shard *shard, const sigset_t *before)
{
    pthread_mutex_unlock(&shard->lock);
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

static struct record **bucket_of(struct ledger_shard *shard, const void *object)
{
    uint64_t index = hash(object) >> (64 - SHARD_BITS - BUCKET_BITS) & (BUCKET_COUNT - 1);
    return &shard->buckets[index];
}

static struct record *find(struct ledger_shard *shard, const void *object)
{
    struct record *record = shard->buckets ? *bucket_of(shard, object) : NULL;
    while (record && record->object != object)
        record = record->next;
    return record;
}

static bool add_chunk(struct ledger_shard *shard)
{
    struct record *chunk = tide__heap_map_plain(CHUNK_SIZE * sizeof(*chunk));
    for (unsigned i = 0; chunk && i < CHUNK_SIZE; i++) {
        chunk[i].next = shard->free;
        shard->free = &chunk[i];
    }
    return chunk;
}

static struct record *add(struct ledger_shard *shard, const void *object)
{
    if (!shard->buckets)
        shard->buckets = tide__heap_map_plain(BUCKET_COUNT * sizeof(struct record *));
    if (!shard->buckets || (!shard->free && !add_chunk(shard)))
        return NULL;
    struct record *record = shard->free, **bucket = bucket_of(shard, object);
    shard->free = record->next;
    *record = (struct record){.next = *bucket, .object = object};
    CDS_INIT_LIST_HEAD(&record->link);
    return *bucket = record;
}

static void forget(struct ledger_shard *shard, struct record *record)
{
    struct record **at = bucket_of(shard, record->object);
    while (*at != record)
        at = &(*at)->next;
    *at = record->next;
    cds_list_del(&record->link);
    if (record->entry.state == LEDGER_DEAD)
        shard->dead[record->dead] = NULL;
    record->next = shard->free;
    shard->free = record;
}

static void bury(struct ledger_shard *shard, struct record *record)
{
    unsigned place = shard->dead_next++ % DEAD_COUNT;
    if (shard->dead[place])
        forget(shard, shard->dead[place]);
    record->entry.state = LEDGER_DEAD;
    record->dead = place;
    shard->dead[place] = record;
}

/* The object's record, which is the pool's from now on, and no longer dead. NULL: no memory. */
static struct record *own(struct ledger_shard *shard, tide_pool *pool, const void *object)
{
    struct ledger *ledger = &pool->checked->ledger;
    struct record *record = find(shard, object);
    if (!record)
        record = add(shard, object);
    if (!record) {
        atomic_store_explicit(&ledger->incomplete, true, memory_order_relaxed);
        return NULL;
    }
    if (record->entry.state == LEDGER_DEAD)
        shard->dead[record->dead] = NULL;
    if (record->entry.pool != pool) {
        cds_list_del(&record->link);
        cds_list_add(&record->link, &ledger->records[shard_of(object)]);
        record->entry = (struct ledger_entry){.pool = pool};
    }
    return record;
}

void tide__ledger_lend(tide_pool *pool, void *object, const void *site)
{
    sigset_t before;
    struct ledger_shard *shard = lock_shard(shard_of(object), &before);
    struct record *record = own(shard, pool, object);
    if (record) {
        record->entry.state = LEDGER_LENT;
        record->entry.got = site;
        record->forks = tide__registry_forks();
    }
    unlock_shard(shard, &before);
}

static void cache(struct ledger_shard *shard, tide_pool *pool, void *object, const void *site)
{
    struct record *record = own(shard, pool, object);
    if (record) {
        record->entry.state = LEDGER_CACHED;
        record->entry.put = site;
    }
}

/* A pool with `create` may take over what it does not know: that includes what it knew once, as
 * the memory may be another object's by now. */
static bool is_acceptable(const tide_pool *pool, const struct ledger_entry *entry)
{
    if (entry->pool == pool && entry->state == LEDGER_LENT)
        return true;
    if (entry->state == LEDGER_LENT || entry->state == LEDGER_CACHED)
        return false;
    return pool->create ||
           atomic_load_explicit(&pool->checked->ledger.incomplete, memory_order_relaxed);
}

static struct ledger_entry read_entry(const struct record *record)
{
    return record ? record->entry : (struct ledger_entry){.state = LEDGER_UNKNOWN};
}

bool tide__ledger_take_back(tide_pool *pool, void *object, const void *site,
                            struct ledger_entry *known)
{
    sigset_t before;
    struct ledger_shard *shard = lock_shard(shard_of(object), &before);
    *known = read_entry(find(shard, object));
    bool accepted = is_acceptable(pool, known);
    if (accepted)
        cache(shard, pool, object, site);
    unlock_shard(shard, &before);
    return accepted;
}

void tide__ledger_cache(tide_pool *pool, void *object, const void *site)
{
    sigset_t before;
    struct ledger_shard *shard = lock_shard(shard_of(object), &before);
    cache(shard, pool, object, site);
    unlock_shard(shard, &before);
}

void tide__ledger_end(tide_pool *pool, void *object)
{
    sigset_t before;
    struct ledger_shard *shard = lock_shard(shard_of(object), &before);
    struct record *record = find(shard, object);
    if (record && record->entry.pool == pool && record->entry.state != LEDGER_DEAD)
        bury(shard, record);
    unlock_shard(shard, &before);
}

struct ledger_entry tide__ledger_read(const void *object)
{
    sigset_t before;
    struct ledger_shard *shard = lock_shard(shard_of(object), &before);
    struct ledger_entry entry = read_entry(find(shard, object));
    unlock_shard(shard, &before);
    return entry;
}

/* Counts a loan for its site, if there is room for one more. */
static void count_site(struct ledger_loans *sites, size_t room, size_t *count, const void *site)
{
    size_t i = 0;
    while (i < *count && sites[i].site != site)
        i++;
    if (i == *count && i < room)
        sites[(*count)++] = (struct ledger_loans){site, 0};
    if (i < *count)
        sites[i].count++;
}

size_t tide__ledger_loans(struct ledger *ledger, struct ledger_loans *sites, size_t room,
                          size_t *count)
{
    size_t loans = 0;
    *count = 0;
    for (unsigned i = 0; i < LEDGER_SHARDS; i++) {
        struct record *record;
        sigset_t before;
        struct ledger_shard *shard = lock_shard(i, &before);
        cds_list_for_each_entry(record, &ledger->records[i], link)
        {
            if (record->entry.state != LEDGER_LENT || record->forks != tide__registry_forks())
                continue;
            loans++;
            count_site(sites, room, count, record->entry.got);
        }
        unlock_shard(shard, &before);
    }
    return loans;
}

void tide__ledger_init(struct ledger *ledger)
{
    for (unsigned i = 0; i < LEDGER_SHARDS; i++)
        CDS_INIT_LIST_HEAD(&ledger->records[i]);
}

void tide__ledger_fini(struct ledger *ledger)
{
    for (unsigned i = 0; i < LEDGER_SHARDS; i++) {
        sigset_t before;
        struct ledger_shard *shard = lock_shard(i, &before);
        while (!cds_list_empty(&ledger->records[i]))
            forget(shard, cds_list_first_entry(&ledger->records[i], struct record, link));
        unlock_shard(shard, &before);
    }
}

void tide__ledger_before_fork(void)
{
    for (unsigned i = 0; i < LEDGER_SHARDS; i++)
        pthread_mutex_lock(&shards[i].lock);
}

void tide__ledger_after_fork(void)
{
    for (unsigned i = LEDGER_SHARDS; i-- > 0;)
        pthread_mutex_unlock(&shards[i].lock);
}

/* SPDX-License-Identifier: MIT */
/*
 * tide_pool.h: per-CPU pools of reusable objects, with the semantics of Go's sync.Pool.
 *
 * A pool is a cache, not storage. What is put may be handed to any later get, or be destroyed
 * by an epoch (tide_epoch.h) that finds it idle; nothing is promised about order, identity or
 * retention. Use one where an object is expensive to make (a constructed or a large object)
 * and many threads need one for a short time. For bare memory of a few dozen bytes a good
 * malloc is as fast.
 *
 *     static void *buffer_create(void *context) { return malloc(65536); }
 *     static void buffer_destroy(void *buffer, void *context) { free(buffer); }
 *
 *     tide_pool *pool = tide_pool_create(&(tide_pool_config){
 *         .name = "buffers", .create = buffer_create, .destroy = buffer_destroy});
 *     char *buffer = tide_pool_get(pool);
 *     ...
 *     tide_pool_put(pool, buffer);
 *
 * Who may call what at the same time:
 *
 *     function                   other threads, same pool     signal handler
 *     get, put, get_bulk,        yes                          yes, if the hooks may; a pool of
 *       put_bulk, prewarm                                     object_size: put only,
 *                                                             without cached_bytes_max
 *     read_stats, walk           yes                          no
 *     drain, tide_epoch_advance  yes                          no
 *     create                     yes                          no
 *     destroy                    no: the last user calls it   no
 *
 * With TIDE=check:1 in the environment, and in debug builds, pools are checked: a put of what is
 * cached already, belongs elsewhere or is destroyed, and a write after a put, are reported on
 * stderr with their call sites, and abort. docs/checked.md says what is found and what it costs.
 *
 * Threads are never registered. A child of fork() owns a copy of everything that was cached.
 * Hooks run outside of critical sections and locks and may call any function of this header on
 * other pools, and get and put on the same pool. Two hooks at the same time must not each destroy
 * the other one's pool.
 */
#ifndef TIDE_POOL_H
#define TIDE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tide_pool tide_pool;

/* Zero means default, for each field. The struct is copied; `name` and `context` are borrowed
 * and must live as long as the pool. */
typedef struct tide_pool_config {
    const char *name; /* shown in statistics and traces; NULL: "pool" */

    /* Makes an object, or returns NULL: the get then fails with the errno that it has set.
     * NULL: object_size bytes, zeroed the first time, that the pool itself allocates. */
    void *(*create)(void *context);

    /* Runs on every object that is put, in the thread that puts it, before it is cached. */
    void (*reset)(void *object, void *context);

    /* Unmakes an object, and frees it unless the pool does, as it does with those of
     * object_size. NULL: nothing to unmake. */
    void (*destroy)(void *object, void *context);

    /* The bytes that an object holds now, for objects that grow. Called on every put, after
     * `reset`, and by epochs, which hold a lock meanwhile: it must be quick and must not call
     * this library. NULL: each object counts object_size bytes. */
    size_t (*weigh)(const void *object, void *context);

    void *context;       /* handed to every hook */
    size_t object_size;  /* bytes; with `create`, only what an object counts without `weigh` */
    size_t object_align; /* bytes, a power of two; 0: alignof(max_align_t) */

    /* Limits; the first two need `weigh` or object_size. */
    size_t weight_max;       /* bytes; a heavier object is destroyed when it is put; 0: none */
    size_t cached_bytes_max; /* bytes in the pool, all CPUs together; what does not fit is
                              * destroyed when it is put, the oldest first; 0: no limit */
    size_t keep_min;         /* objects that epochs leave in the pool however idle they are */
} tide_pool_config;

/* Counts since the pool was created. Each field is exact while no other thread uses the pool;
 * otherwise the fields are read one after the other while they move. */
typedef struct tide_pool_stats {
    const char *name;
    uint64_t gets;             /* objects asked for: the sum of the six fields below */
    uint64_t hits_cpu;         /* found on this CPU's stack, the fast path */
    uint64_t hits_batch;       /* found in a full batch of this CPU */
    uint64_t hits_stolen;      /* found in a full batch of another CPU */
    uint64_t hits_victim;      /* found in the generation that the last epoch aged */
    uint64_t misses;           /* made by `create` */
    uint64_t failures;         /* `create` returned NULL */
    uint64_t puts;             /* objects put, NULL not counted */
    uint64_t prewarmed;        /* made by tide_pool_prewarm */
    uint64_t destroyed_epoch;  /* destroyed by an epoch, idle for two */
    uint64_t destroyed_drain;  /* destroyed by tide_pool_drain */
    uint64_t destroyed_put;    /* destroyed at put: no memory to keep track of it */
    uint64_t destroyed_heavy;  /* destroyed at put: heavier than weight_max */
    uint64_t destroyed_full;   /* destroyed at put: to stay below cached_bytes_max */
    uint64_t destroyed_random; /* destroyed by a checked pool's random drops */
    uint64_t kept;             /* idle objects that an epoch would have destroyed, for keep_min */
    uint64_t cached;           /* objects in the pool now, those in `victims` not counted */
    uint64_t victims;          /* objects in the pool now that the next epoch destroys */
    uint64_t cached_bytes;     /* bytes that both hold; with `weigh`, those on CPUs' stacks by the
                                * average of the last epoch */
} tide_pool_stats;

/* Returns a pool that the caller owns, or NULL with errno EINVAL (neither create nor
 * object_size; a size or alignment that cannot be; a limit in bytes for objects of unknown
 * weight) or ENOMEM. */
tide_pool *tide_pool_create(const tide_pool_config *config);

/* Destroys the pool and every object in it. Objects on loan are their holders' to destroy; a
 * checked pool says on stderr where they were got.
 * Waits for an epoch or a drain in another thread that is destroying objects of this pool.
 * NULL is ignored. Not to be called from a hook of this pool. */
void tide_pool_destroy(tide_pool *pool);

/* Lends an object: this CPU's newest, else one of a full batch, else one of the victim
 * generation, else a new one. NULL when there is none and none can be made, with the errno that
 * `create` has set, or ENOMEM for a pool that has no `create`. */
void *tide_pool_get(tide_pool *pool);

/* Takes an object back, or, for a pool with `create`, takes over one made elsewhere that its
 * hooks fit. The caller must not touch it afterwards. NULL is ignored. Cannot fail; a checked
 * pool aborts on an object that the caller had no right to put. */
void tide_pool_put(tide_pool *pool, void *object);

/* Gets up to `count` objects; returns how many there are in `objects`. Fewer than `count` only
 * when creation failed, with errno set. */
size_t tide_pool_get_bulk(tide_pool *pool, void **objects, size_t count);

/* Puts `count` objects; NULLs among them are ignored. */
void tide_pool_put_bulk(tide_pool *pool, void *const *objects, size_t count);

/* Makes `count` objects ahead of their use, where any CPU finds them. Returns how many were
 * made; fewer than `count` with errno set when creation failed, to ENOSPC when cached_bytes_max
 * is reached. */
size_t tide_pool_prewarm(tide_pool *pool, size_t count);

/* Destroys all objects that were cached when it was called; returns how many. */
size_t tide_pool_drain(tide_pool *pool);

void tide_pool_read_stats(const tide_pool *pool, tide_pool_stats *stats);

/* Calls `visit` for each pool of the process until it returns false. `visit` may read
 * statistics; it must not create, destroy, drain, or advance epochs. */
void tide_pool_walk(bool (*visit)(const tide_pool *pool, void *context), void *context);

/* TIDE_POOL_TYPE(name, T) defines `T *name_get(tide_pool *)` and `void name_put(tide_pool *,
 * T *)`, so that objects of different types cannot be mixed up unnoticed. */
#define TIDE_POOL_TYPE(name, T)                                                                    \
    static inline T *name##_get(tide_pool *pool)                                                   \
    {                                                                                              \
        return (T *)tide_pool_get(pool);                                                           \
    }                                                                                              \
    static inline void name##_put(tide_pool *pool, T *object)                                      \
    {                                                                                              \
        tide_pool_put(pool, object);                                                               \
    }                                                                                              \
    typedef T name##_pooled

#ifdef __cplusplus
}
#endif

#endif

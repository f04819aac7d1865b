/* SPDX-License-Identifier: MIT */
/*
 * internal.h: what a pool is made of, and which file does what with it.
 *
 *     pool.c        the public calls; the fast paths of get and put
 *     slow.c        get and put when the fast path has nothing: batches, victims, creation
 *     generation.c  a generation of cached objects: its stacks and lists, its end
 *     epoch.c       generations change places: epochs, drain
 *     account.c     what epochs report; trace.c prints it
 *     pacer.c       when epochs are due; wakeup.c is what tells of it
 *     limit.c       what objects weigh, and limits in bytes
 *     checked.c     pools that check what is done with their objects; ledger.c is what they know
 *                   of each, poison.c what they do to its contents, complain.c what they say
 *     registry.c    all pools, their lock, fork
 *     stats.c       what the counts add up to
 *     source.c      who has counters by name; metrics.c and ctl.c read them
 *     batch.c       batches and their lists
 *
 * An object is owned by exactly one of: its holder; a stack or a batch in a list of a
 * generation; the thread that carries the batch. A generation is owned by all threads while it
 * is young (the primary) or victim; by the thread that retired it once the grace period has
 * passed, unless the pool's end comes first; else it is one of the spares, under the
 * registry's lock.
 */
#ifndef TIDE_POOL_INTERNAL_H
#define TIDE_POOL_INTERNAL_H

#define URCU_INLINE_SMALL_FUNCTIONS
#include <urcu/urcu-bp.h>

#include <urcu/list.h>
#include <urcu/tls-compat.h>

#include "account.h"
#include "annotate.h"
#include "batch.h"
#include "checked.h"
#include "fault.h"
#include "percpu.h"
#include "tide_pool.h"

/* The batches that a CPU has filled, which any CPU may take. */
struct shard {
    alignas(CACHE_LINE) struct batch_list full;
    _Atomic unsigned node; /* memory node that last added one */
};

struct generation {
    tide_pool *pool;
    struct generation *next_spare;
    struct generation *next_of_pool;
    struct cds_list_head retired_link; /* in the list of the thread that will clear it */
    const void *retired_by;            /* that thread's mark; NULL: it is in no such list */
    struct shard *shards;              /* one per CPU, behind the stacks */
    _Atomic size_t batched;            /* items in batches; read as a hint */
    _Atomic size_t stack_bytes;        /* of a victim: what its stacks' items hold */
    _Atomic unsigned stacks_next;      /* of a victim: where an object was found last */
    _Atomic bool stacks_drained;       /* of a victim: someone has looked everywhere */
    struct tide__percpu_stack stacks[];
};

/* Counts of slow paths, apart for each CPU. */
struct counters {
    alignas(CACHE_LINE) _Atomic uint64_t hits_batch;
    _Atomic uint64_t hits_stolen;
    _Atomic uint64_t hits_victim;
    _Atomic uint64_t misses;
    _Atomic uint64_t failures;
    _Atomic uint64_t moved_out; /* from stacks, in bulk */
    _Atomic uint64_t moved_in;  /* into stacks, in bulk, but not put */
    _Atomic uint64_t puts_slow; /* put, but not into a stack */
};

struct tide_pool {
    /* Read by every get and put, written by epochs. */
    alignas(CACHE_LINE) struct tide__percpu percpu;
    uint32_t put_hooks; /* HOOK_RESET, HOOK_WEIGH */
    void (*reset)(void *object, void *context);
    void *context;

    /* Read by slow paths. */
    alignas(CACHE_LINE) struct generation *_Atomic victim; /* may be NULL */
    struct counters *counters;                             /* one per CPU */
    void *(*create)(void *context);
    void (*destroy)(void *object, void *context);
    size_t (*weigh)(const void *object, void *context);
    size_t object_size, object_align;
    size_t weight_max, keep_min;
    size_t stack_weight_max;       /* a heavier object goes into a batch of its own */
    size_t batch_bytes_max;        /* what batches of all generations may hold */
    uint32_t spill_count;          /* objects that leave a full stack together */
    uint32_t batch_count_max;      /* objects in a batch that is filled one by one */
    _Atomic size_t weight_typical; /* of an object on a stack: a guess, made good by epochs */
    _Atomic size_t weight_lent;    /* of one on loan, where objects weigh differently: likewise */
    struct checked *checked;       /* NULL: it is not */
    const char *name;

    /* Under the registry's lock; the counts may be read without. */
    alignas(CACHE_LINE) struct cds_list_head link;
    struct generation *leaving; /* no longer young; a sequence may still be inside */
    struct generation *spares;
    struct generation *generations; /* all of them, wherever they are */
    unsigned busy;                  /* threads that clear a generation of it, without the lock */
    struct pool_account account;
    _Atomic uint64_t pops_before, counts_before; /* of stacks that were young once */
    _Atomic uint64_t prewarmed;
    _Atomic uint64_t destroyed_epoch, destroyed_drain, destroyed_put;
    _Atomic uint64_t destroyed_heavy, destroyed_full, destroyed_random, kept;

    /* What the batches of all its generations hold. */
    alignas(CACHE_LINE) _Atomic size_t batched_bytes;
    _Atomic uint64_t heavy_puts, heavy_bytes; /* too heavy for a stack, since the last account */
};

enum { HOOK_RESET = 1, HOOK_WEIGH = 2 };

/* liburcu's own, as in urcu/static/urcu-bp.h: not NULL in a thread that it knows. */
extern DECLARE_URCU_TLS(struct urcu_bp_reader *, urcu_bp_reader);

/* registry.c: makes this thread known to liburcu, while no thread forks. */
void tide__reader_register(void);

/* Readers of what an epoch may take away: generations and the lists in them. */
static inline void reader_enter(void)
{
    if (unlikely(!URCU_TLS(urcu_bp_reader)))
        tide__reader_register();
    urcu_bp_read_lock();
}

extern char tide__readers; /* an address for the annotations */

static inline void reader_leave(void)
{
    annotate_before(&tide__readers);
    urcu_bp_read_unlock();
}

/* Returns when every reader that is inside now has left. */
static inline void readers_wait(void)
{
    if (!tide__fault_is(TIDE__FAULT_NO_GRACE))
        urcu_bp_synchronize_rcu();
    annotate_after(&tide__readers);
}

/* generation.c */
struct generation *tide__generation_create(tide_pool *pool);
void tide__generation_free(struct generation *generation);
struct generation *tide__generation_swap(tide_pool *pool, struct generation *fresh);
uint64_t tide__generation_clear(struct generation *generation);
void tide__generation_count(const struct generation *generation, uint64_t *pops, uint64_t *items);
void tide__generation_add(struct generation *generation, unsigned cpu, struct batch *batch);
void tide__generation_add_young(tide_pool *pool, struct batch *batch);
void tide__generation_put_back(struct generation *generation, unsigned cpu, struct batch *batch);
void tide__generation_keep(struct generation *retired);
struct batch *tide__generation_take(struct generation *generation, unsigned cpu);
struct batch *tide__generation_steal(struct generation *generation, unsigned cpu);
struct batch *tide__generation_take_any(struct generation *generation, unsigned cpu);
void *tide__generation_take_one(struct generation *victim, unsigned cpu);

static inline bool tide__generation_has_batches(const struct generation *generation)
{
    return atomic_load_explicit(&generation->batched, memory_order_relaxed) > 0;
}

static inline struct generation *young(const tide_pool *pool)
{
    /* Pairs with the release in tide__generation_swap. */
    struct tide__percpu_stack *stacks =
        atomic_load_explicit(&pool->percpu.primary, memory_order_acquire);
    return container_of(stacks, struct generation, stacks);
}

/* epoch.c */
void tide__epoch_advance_for(tide_epoch_reason reason);

/* slow.c */
void *tide__pool_get_slow(tide_pool *pool, const void *site);
void tide__pool_put_slow(tide_pool *pool, void *object, const void *site);
void tide__pool_put_shared(tide_pool *pool, void *object);
void tide__pool_put_heavy(tide_pool *pool, void *object, size_t weight);
void *tide__pool_alloc(const tide_pool *pool, size_t size);
void *tide__pool_create_object(tide_pool *pool);
void tide__pool_destroy_object(tide_pool *pool, void *object);
uint32_t tide__pool_destroy_batch(tide_pool *pool, struct batch *batch);

/* stats.c */
size_t tide__pool_held(const tide_pool *pool, const tide_pool_stats *stats);

/* limit.c */
bool tide__limit_is_valid(const tide_pool_config *config);
void tide__limit_init(tide_pool *pool, const tide_pool_config *config);
size_t tide__limit_weight(const tide_pool *pool, const void *object);
size_t tide__limit_weight_new(const tide_pool *pool, const void *object);
size_t tide__limit_weight_lent(const tide_pool *pool);
void tide__limit_note_heavy(tide_pool *pool, size_t weight);
void tide__limit_learn(tide_pool *pool, uint64_t puts);
size_t tide__limit_spill(const tide_pool *pool);
size_t tide__limit_stack_weight(const tide_pool *pool, const struct tide__percpu_stack *stack);
bool tide__limit_reserve(tide_pool *pool, struct batch *batch);
void tide__limit_reserve_always(tide_pool *pool, struct batch *batch);

/* registry.c */
extern struct cds_list_head tide__registry;

/* The pool of a node of the registry. Loops over the registry use nodes: liburcu's loops over
 * entries make a pool of the head too, whose address is not aligned as a pool's. */
static inline tide_pool *pool_of(struct cds_list_head *node)
{
    return cds_list_entry(node, tide_pool, link);
}

void tide__registry_lock(void);
void tide__registry_unlock(void);
void tide__registry_wait(void); /* for tide__registry_wake, giving up the lock meanwhile */
void tide__registry_wake(void);
void tide__registry_add(tide_pool *pool);
void tide__registry_remove(tide_pool *pool);
unsigned tide__registry_forks(void);   /* how many forks lie between us and the first process */
const void *tide__registry_mark(void); /* an address of this thread's own */

static inline void count_add(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

static inline uint64_t count_read(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif

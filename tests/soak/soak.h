/* SPDX-License-Identifier: MIT */
/*
 * soak.h: what a soak is made of, and which file does what.
 *
 *     soak.c       options, phases one after the other, the summary
 *     plan.c       what a phase does, chosen by the seed
 *     report.c     what is wrong, counted and told; progress, the summary, crashes
 *     stocks.c     a phase's pools, the hooks of their objects, what must hold at its end
 *     actors.c     a thread's part: its counts, and what its signal handler does
 *     work.c       threads that get and put
 *     disturb.c    threads that do everything else, and child.c what forked children do
 *     faults.c     allocations, hooks and fences that fail
 *
 * Everything is quiet between two phases, and then the counts must add up.
 */
#ifndef TIDE_TESTS_SOAK_H
#define TIDE_TESTS_SOAK_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "compiler.h"
#include "slots.h"
#include "tide_epoch.h"
#include "tide_pool.h"

enum { STOCKS_MAX = 6, ACTORS_MAX = 64, MAIL_COUNT = 64, SLOTS_OF_STOCK = 1 << 14 };

/* report.c */
enum wrong { LOST, DUPLICATED, LEAKED, CORRUPTED, MISCOUNTED, WRONG_COUNT };

struct totals {
    _Atomic uint64_t forks, threads, created, pools;
};
extern struct totals totals;

/* So many times: counted, and told the first times. After very many the program ends. */
void report_wrong(enum wrong what, uint64_t times, const char *name, const char *detail);
void report_start(const char *body, uint64_t seed);
void report_phase(unsigned number);
void report_progress(bool now);
bool report_is_clean(void);
unsigned report_bits(void); /* a bit for each kind of wrong that there was */
void report_as_child(void); /* from now on what is wrong is only counted */
void report_summary(void);
uint64_t now_ns(void);

/* faults.c */
void faults_start(unsigned one_in); /* 0: none */
uint64_t faults_count(void);
bool fault_is_due(void);

/* plan.c */
enum kind { PLAIN, WEIGHED, SIZED, LIMITED, LARGE, KIND_COUNT };
enum pacing { UNPACED, PACED_BY_SLOW_PATHS, PACED_BY_THREAD, PACED_BY_LOOP, PACING_COUNT };

struct plan {
    uint64_t seed;
    unsigned number, length_ms;
    unsigned stocks;
    enum kind kinds[STOCKS_MAX];
    unsigned workers, epoch_threads, epoch_interval_us;
    enum pacing pacing;
    unsigned fault_one_in; /* 0: none fail */
    bool births, forks, signals, cpu_sets, janitor;
};
struct plan plan_make(uint64_t seed, unsigned number);
extern struct plan plan;          /* of this phase */
extern bool plan_with_slots_only; /* no objects whose memory the library frees */
void plan_describe(char *text, size_t size);

/* stocks.c */
struct tally {
    uint64_t gets, failures, puts;
};

/* A pool and what is known about its objects apart from it. */
struct stock {
    tide_pool *pool;
    enum kind kind;
    const char *name;
    uint64_t salt; /* part of the objects' patterns: an object of another pool is noticed */
    struct slots slots;
    _Atomic uint64_t gets, failures, puts; /* by threads that have ended */
    _Atomic uint64_t destroyed;            /* by the hook */
    struct slot *_Atomic mail[MAIL_COUNT]; /* objects on the way from thread to thread */
};
extern struct stock stocks[STOCKS_MAX];

void stocks_open(void);
void stocks_close(void);
bool stock_is_for_handlers(const struct stock *stock); /* its hooks may run in them */
void stock_pattern_is_wrong(struct stock *stock, struct slot *slot);
void stock_check_whole(struct stock *stock, const struct slot *slot);
void stock_init(struct stock *stock, enum kind kind);
tide_pool *stock_create_pool(struct stock *stock);
void stock_check_end(struct stock *stock, uint64_t made); /* after its pool's end */

static inline uint64_t pattern_of(const struct stock *stock, const struct slot *slot)
{
    return ((uint64_t)(uintptr_t)slot + stock->salt) * UINT64_C(0x9e3779b97f4a7c15);
}

/* An object has been got: nobody else has it, and it is whole. */
static inline void stock_claim(struct stock *stock, struct slot *slot, uint32_t id)
{
    if (unlikely(slot_pass(slot, id) != SLOT_CACHED))
        report_wrong(DUPLICATED, 1, stock->name, "got by two");
    if (unlikely(slot->words[0] != pattern_of(stock, slot)))
        stock_pattern_is_wrong(stock, slot);
    slot->stamp = id;
}

/* It is about to be put. Its owner alone has written to it. */
static inline void stock_release(struct stock *stock, struct slot *slot, uint32_t id)
{
    if (unlikely(slot->stamp != id))
        report_wrong(CORRUPTED, 1, stock->name, "written to by another owner");
    if (unlikely(slot_pass(slot, SLOT_CACHED) != id))
        report_wrong(DUPLICATED, 1, stock->name, "put by another owner");
}

/* actors.c */
enum { OWNER_MAILED = 1 << 20, OWNER_PARCEL, OWNER_HANDLER = 1 << 16 };

/* A thread, or several one after the other; only the owner of a field writes to it. */
struct actor {
    alignas(CACHE_LINE) uint32_t id;
    uint64_t random;
    _Atomic uint64_t operations;
    struct tally tallies[STOCKS_MAX];

    /* The handler's. */
    alignas(CACHE_LINE) _Atomic uint64_t handled; /* operations */
    _Atomic uint64_t signals;
    uint64_t handler_random;
    struct tally handler_tallies[STOCKS_MAX];
    struct slot *held[STOCKS_MAX];           /* from one signal to the next */
    struct slot *_Atomic parcel[STOCKS_MAX]; /* from the thread to its handler */

    alignas(CACHE_LINE) _Atomic pid_t thread; /* 0: none to send signals to */
};
extern struct actor actors[ACTORS_MAX];

void actors_start(void);
struct actor *actor_begin(unsigned index);
void actor_end(struct actor *actor);
uint64_t actors_operations(void);
uint64_t actors_signals(void);

static inline unsigned actor_random(struct actor *actor, unsigned below)
{
    return (unsigned)((next_random(&actor->random) >> 32) % below);
}

static inline void actor_count(struct actor *actor, struct stock *stock, uint64_t gets,
                               uint64_t failures, uint64_t puts)
{
    struct tally *tally = &actor->tallies[stock - stocks];
    tally->gets += gets;
    tally->failures += failures;
    tally->puts += puts;
    atomic_store_explicit(&actor->operations,
                          atomic_load_explicit(&actor->operations, memory_order_relaxed) + gets +
                              puts,
                          memory_order_relaxed);
}

/* work.c */
void *work_until_stopped(void *actor_index);
void *work_briefly(void *actor_index);
void work_collect_all(struct actor *actor);

/* disturb.c */
extern _Atomic bool stopping;
void disturb_start(unsigned first_actor);
void disturb_join(void);
void cpu_sets_restore(void);
void hop(struct actor *actor);
void pause_us(unsigned us);

static inline bool is_stopping(void)
{
    return atomic_load_explicit(&stopping, memory_order_relaxed);
}

/* child.c */
void fork_once(struct actor *actor);

/* Whether its pool has a limit in bytes. */
bool stock_may_refuse(const struct stock *stock);

#endif

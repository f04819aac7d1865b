/* SPDX-License-Identifier: MIT */
/*
 * tide_epoch.h: epochs, which age what the pools of a process hold, and when they happen.
 *
 * An epoch plays the part that a garbage collection cycle plays for Go's sync.Pool: what every
 * pool caches becomes its victim generation, and what was the victim generation before is
 * destroyed. An object that nobody gets for two epochs is gone; one taken from the victim
 * generation and put back is young again.
 *
 * Epochs happen when tide_epoch_advance is called, and by themselves once pacing is started, by
 * tide_epoch_start or by the environment:
 *
 *     TIDE=growth:100,limit:512MiB,age:60s,pressure:1,thread:1,trim:50,trace:1 ./program
 *
 * What drives pacing is the slow paths of the pools, in whatever thread meets them; or an event
 * loop that watches tide_epoch_fd; or a thread of its own. A program that gets or puts in signal
 * handlers takes one of the latter two, for an epoch runs the hooks of all pools.
 *
 * All functions are MT-safe. None but tide_epoch_current is for signal handlers, and none may be
 * called inside a read-side section of liburcu-bp.
 */
#ifndef TIDE_EPOCH_H
#define TIDE_EPOCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Starts the next epoch for all pools and returns when the objects that it dropped are
 * destroyed, in the calling thread, by their pools' hooks. Other threads' gets and puts go on
 * meanwhile: no lock that they could meet is held. May be called from a hook. */
void tide_epoch_advance(void);

/* How many epochs have been started in this process, from 0. */
uint64_t tide_epoch_current(void);

/* When epochs are due. Zero means default, for each field; each can be had from the environment
 * by the key that stands beside it. The ideas and defaults are those of Go's pacer (GOGC,
 * GOMEMLIMIT and the limiter of the share of time that its collector may take). */
typedef struct tide_epoch_config {
    /* growth: an epoch is due when the bytes created since the last one exceed this share of the
     * bytes that pools' objects hold, on loan or cached (of 4 MiB if that is more). Lengthened
     * up to fourfold while what is aged is still wanted, shortened while it is dropped unused.
     * 0: never for growth. */
    unsigned growth_percent;

    /* limit: bytes that all pools' objects together should not exceed, on loan and cached. Soft:
     * what is on loan cannot be dropped. 0: no limit. */
    size_t limit_bytes;

    /* age: an idle object is destroyed after this time at the latest, as long as something
     * drives pacing. A process that does nothing is not woken up. 0: for ever. */
    unsigned age_ms_max;

    /* pressure: drop what is idle when the kernel reports memory pressure, of the machine or of
     * the process's control group. What cannot be followed is left out; `tide doctor` says. */
    bool pressure;

    /* thread: epochs happen in a thread that the library starts. */
    bool thread;

    /* trim: the share of time that epochs for the limit may take, in percent, counted in CPU time
     * of the threads that run them; a limit that is too low is exceeded rather than the program
     * stopped. 0: 50. */
    unsigned trim_percent_max;
} tide_epoch_config;

/* Starts pacing, or changes it. Returns 0, or -1 with errno EINVAL (nothing asked for; more than
 * 100 percent of the time), ENOMEM or EAGAIN (no descriptor or no thread to be had). */
int tide_epoch_start(const tide_epoch_config *config);

/* No epoch happens by itself any more once it returns, and the thread is gone. Not to be called
 * from a hook. */
void tide_epoch_stop(void);

/* A descriptor that polls readable when tide_epoch_poll has something to do; from then on an
 * event loop drives pacing and slow paths do not. It belongs to the library and stays valid, in
 * a forked child too. -1 with errno if it cannot be had. */
int tide_epoch_fd(void);

/* Runs the epochs that are due; never waits. Returns whether there was one. */
bool tide_epoch_poll(void);

/* Why an epoch happened. */
typedef enum tide_epoch_reason {
    TIDE_EPOCH_ASKED,
    TIDE_EPOCH_GROWTH,
    TIDE_EPOCH_LIMIT,
    TIDE_EPOCH_AGE,
    TIDE_EPOCH_PRESSURE
} tide_epoch_reason;

/* What an epoch did, and the pools since the one before. All pools together. */
typedef struct tide_epoch_report {
    uint64_t number;
    tide_epoch_reason reason;
    bool capped;         /* epochs were due meanwhile that trim_percent_max forbade */
    uint64_t start_ns;   /* since the library started */
    uint64_t swap_ns;    /* fresh generations came, old ones became victims */
    uint64_t wait_ns;    /* for the fence and the grace period */
    uint64_t destroy_ns; /* objects were destroyed */
    uint64_t stall_ns;   /* the longest that a pool's cached objects were out of a get's reach */
    uint64_t all_ns;     /* time spent in all epochs so far, this one too */
    size_t bytes_before; /* cached when it began, victims included */
    size_t bytes_after;  /* cached when it had ended */
    size_t bytes_kept;   /* left in place for keep_min although idle */
    size_t bytes_held;   /* cached and on loan when it had ended; loans by an average */
    size_t bytes_goal;   /* the next epoch is due at this, on loan and cached; 0: at nothing */
    unsigned cpus;       /* whose stacks were used */
    unsigned pools;
    unsigned busiest_percent; /* share of the busiest CPU in hits_cpu */
    uint64_t hits_cpu, hits_batch, hits_stolen, hits_victim, misses, puts; /* as in a pool's */
    uint64_t dropped_idle;    /* destroyed by the epoch */
    uint64_t dropped_heavy;   /* at put: heavier than weight_max */
    uint64_t dropped_full;    /* at put: beyond cached_bytes_max */
    uint64_t dropped_drained; /* by tide_pool_drain */
    uint64_t dropped_lost;    /* at put: no memory to keep track */
    uint64_t dropped_random;  /* by checked pools; not in the trace */
} tide_epoch_report;

/* Calls `advanced` after each epoch, in the thread that ran it, without a lock. Returns 0, or -1
 * with errno ENOSPC: there are 16 already. */
int tide_epoch_watch(void (*advanced)(const tide_epoch_report *report, void *context),
                     void *context);

/* Takes one back. It may still run once in another thread, if an epoch is about to end. */
void tide_epoch_unwatch(void (*advanced)(const tide_epoch_report *report, void *context),
                        void *context);

#ifdef __cplusplus
}
#endif

#endif

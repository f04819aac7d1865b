/* SPDX-License-Identifier: MIT */
/*
 * disturb.c: threads that do what work.c does not: epochs, signals, births, forks, other CPUs,
 * and a janitor that drains, prewarms, reads, paces, and has pools come and go.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "soak.h"
#include "tide_ctl.h"

enum { THREADS_MAX = 16, BIRTHS = 4, BATCH = 60, LATE_NS_MAX = 100000000 };

_Atomic bool stopping;
static pthread_t threads[THREADS_MAX];
static unsigned thread_count, births_first;
static cpu_set_t all_cpus;

static void wait_until(uint64_t ns)
{
    struct timespec when = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR && !is_stopping())
        continue;
}

void pause_us(unsigned us)
{
    wait_until(now_ns() + us * UINT64_C(1000));
}

static void *run_epochs(void *index)
{
    struct actor *actor = actor_begin((unsigned)(uintptr_t)index);
    uint64_t next = now_ns(), interval = plan.epoch_interval_us * UINT64_C(1000);
    prctl(PR_SET_TIMERSLACK, 1);
    while (!is_stopping()) {
        tide_epoch_advance();
        if (plan.pacing == PACED_BY_LOOP)
            tide_epoch_poll();
        next += interval;
        if (interval && now_ns() < next)
            wait_until(next);
        else if (now_ns() > next + LATE_NS_MAX)
            next = now_ns();
    }
    actor_end(actor);
    return NULL;
}

/* To each thread but the main one, which counts and waits. */
static void *send_signals(void *index)
{
    prctl(PR_SET_TIMERSLACK, 1);
    while (!is_stopping()) {
        for (unsigned i = 1; i < ACTORS_MAX; i++) {
            pid_t thread = atomic_load_explicit(&actors[i].thread, memory_order_relaxed);
            if (thread)
                syscall(SYS_tgkill, getpid(), thread, SIGUSR1);
        }
        pause_us(50);
    }
    return NULL;
}

static void *give_birth(void *index)
{
    pthread_t born[BIRTHS];
    while (!is_stopping()) {
        unsigned count = 0;
        while (count < BIRTHS && !pthread_create(&born[count], NULL, work_briefly,
                                                 (void *)(uintptr_t)(births_first + count)))
            count++;
        while (count)
            pthread_join(born[--count], NULL);
        pause_us(500);
    }
    return NULL;
}

static void *run_forks(void *index)
{
    struct actor *actor = actor_begin((unsigned)(uintptr_t)index);
    while (!is_stopping()) {
        fork_once(actor);
        pause_us(5000 + actor_random(actor, 20000));
    }
    actor_end(actor);
    return NULL;
}

/* A set of CPUs for every thread that there is. */
static void confine(const cpu_set_t *set)
{
    DIR *folder = opendir("/proc/self/task");
    struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            sched_setaffinity((pid_t)strtol(entry->d_name, NULL, 10), sizeof(*set), set);
    if (folder)
        closedir(folder);
}

void cpu_sets_restore(void)
{
    confine(&all_cpus);
}

static cpu_set_t choose_cpus(struct actor *actor, unsigned one_in)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &all_cpus) && !actor_random(actor, one_in))
            CPU_SET(cpu, &set);
    return CPU_COUNT(&set) ? set : all_cpus;
}

/* This thread alone, to some CPUs or back to all. */
void hop(struct actor *actor)
{
    cpu_set_t set = choose_cpus(actor, 2);
    sched_setaffinity(0, sizeof(set), &set);
}

static void *change_cpu_sets(void *index)
{
    struct actor *actor = actor_begin((unsigned)(uintptr_t)index);
    while (!is_stopping()) {
        cpu_set_t set = choose_cpus(actor, 2);
        confine(&set);
        pause_us(10000);
        confine(&all_cpus);
        pause_us(20000);
    }
    actor_end(actor);
    return NULL;
}

/* An event loop that was the driver once remains it until a thread is. */
static void pace(struct actor *actor)
{
    tide_epoch_config config = {.growth_percent = 50 + actor_random(actor, 200),
                                .age_ms_max = 1 + actor_random(actor, 50),
                                .pressure = !actor_random(actor, 8),
                                .thread = plan.pacing == PACED_BY_THREAD,
                                .trim_percent_max = 20};
    if (plan.pacing == PACED_BY_LOOP)
        tide_epoch_fd();
    if (!actor_random(actor, 4))
        config.limit_bytes = (size_t)1 << (20 + actor_random(actor, 6));
    tide_epoch_start(&config);
}

static bool visit(const tide_pool *pool, void *context)
{
    tide_pool_stats stats;
    tide_pool_read_stats(pool, &stats);
    return stats.name != NULL;
}

static _Atomic uint64_t reports;

static void watch(const tide_epoch_report *report, void *context)
{
    atomic_fetch_add_explicit(&reports, report->pools, memory_order_relaxed);
}

static void use_transient(struct stock *stock, struct actor *actor)
{
    struct slot *taken[BATCH];
    size_t got = tide_pool_get_bulk(stock->pool, (void **)taken, BATCH);
    for (size_t i = 0; i < got; i++)
        stock_claim(stock, taken[i], actor->id);
    for (size_t i = 0; i < got; i++)
        stock_release(stock, taken[i], actor->id);
    tide_pool_put_bulk(stock->pool, (void *const *)taken, got);
}

/* A pool that no other thread uses, but epochs and walks meet. */
static void come_and_go(struct actor *actor)
{
    static struct stock transient;
    stock_init(&transient, plan_with_slots_only || actor_random(actor, 2) ? PLAIN : SIZED);
    transient.pool = stock_create_pool(&transient);
    if (!transient.pool)
        return;
    for (unsigned i = actor_random(actor, 4); i; i--) {
        use_transient(&transient, actor);
        tide_pool_prewarm(transient.pool, actor_random(actor, BATCH));
    }
    tide_pool_destroy(transient.pool);
    if (transient.kind == PLAIN)
        stock_check_end(&transient, transient.slots.created);
}

/* All counters, by all three ways of reading them. */
static void read_counters(void)
{
    static char text[1 << 16];
    uint64_t value;
    tide_pool_walk(visit, NULL);
    tide_ctl_json(text, sizeof(text));
    tide_ctl_prometheus(text, sizeof(text));
    tide_ctl_read("pool.plain.gets", &value);
}

static void tidy_up(struct actor *actor, struct stock *stock)
{
    switch (actor_random(actor, 8)) {
    case 0:
        tide_pool_drain(stock->pool);
        break;
    case 1:
        tide_pool_prewarm(stock->pool, actor_random(actor, stock->kind == LARGE ? 16 : 300));
        break;
    case 2:
        read_counters();
        break;
    case 3:
        if (!tide_epoch_watch(watch, NULL))
            tide_epoch_unwatch(watch, NULL);
        break;
    case 4:
        tide_epoch_stop();
        break;
    case 5:
        if (plan.pacing != UNPACED)
            pace(actor);
        break;
    default:
        come_and_go(actor);
    }
}

static void *keep_house(void *index)
{
    struct actor *actor = actor_begin((unsigned)(uintptr_t)index);
    while (!is_stopping()) {
        tidy_up(actor, &stocks[actor_random(actor, plan.stocks)]);
        pause_us(actor_random(actor, 1000));
    }
    actor_end(actor);
    return NULL;
}

static void start(bool wanted, void *(*run)(void *), unsigned *index)
{
    if (wanted && !pthread_create(&threads[thread_count], NULL, run, (void *)(uintptr_t)*index))
        thread_count++;
    ++*index;
}

/* Actors from `first` on are these threads'. */
void disturb_start(unsigned first)
{
    births_first = ACTORS_MAX - BIRTHS;
    sched_getaffinity(0, sizeof(all_cpus), &all_cpus);
    thread_count = 0;
    if (plan.pacing != UNPACED)
        pace(&actors[0]);
    for (unsigned i = 0; i < plan.epoch_threads; i++)
        start(true, run_epochs, &first);
    start(plan.signals, send_signals, &first);
    start(plan.births, give_birth, &first);
    start(plan.forks, run_forks, &first);
    start(plan.cpu_sets, change_cpu_sets, &first);
    start(plan.janitor, keep_house, &first);
}

void disturb_join(void)
{
    while (thread_count)
        pthread_join(threads[--thread_count], NULL);
    tide_epoch_stop();
    cpu_sets_restore();
}

/* SPDX-License-Identifier: MIT */
/*
 * pacer.c: decides when epochs are due, and runs them.
 *
 * The rules are those of Go's pacer: a trigger by growth, a soft limit, and a limiter of the
 * share of time that trimming may take, a bucket that fills by the CPU time spent and leaks by
 * the time that passes, never below empty. By CPU time, for a scheduler that lets an epoch wait
 * would have the limit given up where it is needed most.
 */
#include "pacer.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>

#include "heap.h"
#include "internal.h"
#include "settings.h"
#include "wakeup.h"

enum { GROWTH_BYTES_MIN = 4 << 20, LIMIT_STEPS = 64, LIMIT_STEP_MIN = 4096 };
enum { INTERVAL_MIN = 50, INTERVAL_NORMAL = 100, INTERVAL_MAX = 400 }; /* percent */
enum { TRIM_PERCENT = 50, BACKOFF_MAX = 6, LOOK_NS = 100000000, GIVE_WAY_NS = 1000000 };
enum { HEAP_TRIM_REST = 20 };
static const uint64_t BUCKET_NS = 20000000;

enum driver { SLOW_PATHS, LOOP, THREAD };

/* Under config_mutex, and while `busy`; the configuration is written with the registry's lock too,
 * for epochs that others than the pacer ask for look at it. */
static pthread_mutex_t config_mutex = PTHREAD_MUTEX_INITIALIZER;
static tide_epoch_config config;
static pthread_t thread;

static _Atomic bool running;
static _Atomic bool busy; /* a thread runs what is due; nobody waits for it but start, stop */
static _Atomic int driver;
static _Atomic bool raised;           /* the driver has been told */
static _Atomic bool quiet;            /* the timer is off until something happens */
static _Atomic bool thread_lost;      /* by a fork */
static _Atomic size_t created;        /* bytes since the last epoch */
static _Atomic size_t counted;        /* bytes since the last look */
static _Atomic size_t trigger;        /* bytes at which to look */
static _Atomic size_t bound;          /* bytes held above which others give way to who trims */
static _Thread_local bool runs_here;  /* this thread runs what is due: it is in a hook */
static _Atomic uint64_t next_look_ns; /* for what comes by time, where slow paths drive; 0: never */

/* While `busy`, or with the registry's lock in tide__pacer_note. */
static _Atomic uint64_t last_epoch_ns;
static _Atomic unsigned interval_percent = INTERVAL_NORMAL;
static _Atomic size_t held; /* bytes, on loan and cached, when last added up */
static _Atomic size_t cached;
static _Atomic size_t base; /* `held` after the last epoch: growth is a share of it */
static _Atomic bool capped;
static _Atomic uint64_t drops; /* epochs whose memory the kernel should have back */
static unsigned idle_epochs;
static uint64_t bucket_ns, bucket_leaked_ns;

static size_t get_size(const _Atomic size_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static void set_size(_Atomic size_t *value, size_t to)
{
    atomic_store_explicit(value, to, memory_order_relaxed);
}

static bool add_pool(const tide_pool *pool, void *context)
{
    struct pacer_sums *all = context;
    tide_pool_stats stats;
    tide_pool_read_stats(pool, &stats);
    all->held += tide__pool_held(pool, &stats);
    all->cached += stats.cached_bytes;
    return true;
}

struct pacer_sums tide__pacer_sums(void)
{
    struct pacer_sums all = {0, 0};
    tide_pool_walk(add_pool, &all);
    return all;
}

static void add_up(void)
{
    struct pacer_sums all = tide__pacer_sums();
    set_size(&held, all.held);
    set_size(&cached, all.cached);
}

static size_t growth_goal(void)
{
    double share = config.growth_percent / 100.0 *
                   atomic_load_explicit(&interval_percent, memory_order_relaxed) / 100;
    double goal = (double)get_size(&base) * share;
    if (goal < GROWTH_BYTES_MIN * share)
        goal = GROWTH_BYTES_MIN * share;
    return goal < (double)(SIZE_MAX / 2) ? (size_t)goal : SIZE_MAX / 2;
}

/* Bytes until the limit; where it is exceeded already, a small step until the next look. */
static size_t limit_headroom(void)
{
    size_t step = config.limit_bytes / LIMIT_STEPS;
    step = step > LIMIT_STEP_MIN ? step : LIMIT_STEP_MIN;
    size_t now = get_size(&held);
    return config.limit_bytes > now + step ? config.limit_bytes - now : step;
}

static void set_trigger(void)
{
    size_t next = SIZE_MAX;
    if (config.limit_bytes)
        next = limit_headroom();
    if (config.growth_percent) {
        size_t goal = growth_goal(), since = get_size(&created);
        size_t rest = goal > since ? goal - since : LIMIT_STEP_MIN;
        next = rest < next ? rest : next;
    }
    set_size(&counted, 0);
    set_size(&trigger, next);
}

static uint64_t interval_ns(void)
{
    unsigned percent = atomic_load_explicit(&interval_percent, memory_order_relaxed);
    percent = percent < INTERVAL_NORMAL ? percent : INTERVAL_NORMAL;
    return (uint64_t)config.age_ms_max * 1000000 / 2 * percent / 100;
}

static bool is_over_limit(void)
{
    return config.limit_bytes && get_size(&held) >= config.limit_bytes;
}

static bool is_grown(void)
{
    return config.growth_percent && get_size(&created) >= growth_goal();
}

static bool is_aged(void)
{
    uint64_t last = atomic_load_explicit(&last_epoch_ns, memory_order_relaxed);
    return config.age_ms_max && tide__account_clock() - last >= interval_ns();
}

static uint64_t thread_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool may_trim(void)
{
    unsigned percent = config.trim_percent_max ? config.trim_percent_max : TRIM_PERCENT;
    uint64_t now = tide__account_clock();
    uint64_t leak = (now - bucket_leaked_ns) * percent / 100;
    bucket_ns = bucket_ns > leak ? bucket_ns - leak : 0;
    bucket_leaked_ns = now;
    return bucket_ns < BUCKET_NS;
}

/* What was destroyed goes back to the kernel. The heap keeps what one thread frees for the one
 * that had allocated it, so each thread that comes by after a drop does this for its own part, and
 * then not again for many times as long as it took. */
static void trim_heap(void)
{
    static _Thread_local uint64_t seen, next_ns;
    uint64_t now = atomic_load_explicit(&drops, memory_order_relaxed);
    uint64_t start = seen == now ? 0 : tide__account_clock();
    if (seen == now || start < next_ns)
        return;
    seen = now;
    tide__heap_trim();
    uint64_t end = tide__account_clock();
    next_ns = end + (end - start) * HEAP_TRIM_REST;
}

static void drop(tide_epoch_reason reason)
{
    tide__epoch_advance_for(reason);
    atomic_fetch_add_explicit(&drops, 1, memory_order_relaxed);
    trim_heap();
}

/* Epochs until the limit holds, two at most: then all is gone that was idle. */
static bool relieve(void)
{
    bool ran = false;
    for (int epoch = 0; epoch < 2 && is_over_limit() && get_size(&cached); epoch++) {
        if (!may_trim()) {
            atomic_store_explicit(&capped, true, memory_order_relaxed);
            break;
        }
        uint64_t start = thread_cpu_ns();
        drop(TIDE_EPOCH_LIMIT);
        bucket_ns += thread_cpu_ns() - start;
        ran = true;
        add_up();
    }
    return ran;
}

static bool run_due(unsigned happened)
{
    add_up();
    if (happened & WAKEUP_PRESSURE) {
        tide__epoch_advance_for(TIDE_EPOCH_PRESSURE);
        drop(TIDE_EPOCH_PRESSURE);
        return true;
    }
    if (is_over_limit() && relieve())
        return true;
    if (is_grown()) {
        tide__epoch_advance_for(TIDE_EPOCH_GROWTH);
        return true;
    }
    if (is_aged()) {
        tide__epoch_advance_for(TIDE_EPOCH_AGE);
        return true;
    }
    return false;
}

bool tide__pacer_run(void)
{
    /* Pairs with the release below: one thread's look after another's. */
    if (atomic_exchange_explicit(&busy, true, memory_order_acquire))
        return false;
    bool ran = false;
    if (atomic_load_explicit(&running, memory_order_relaxed)) {
        atomic_store_explicit(&raised, false, memory_order_relaxed);
        runs_here = true;
        ran = run_due(tide__wakeup_fd() < 0 ? WAKEUP_NONE : tide__wakeup_take());
        set_trigger();
        runs_here = false;
    }
    /* Pairs with the acquire of the exchange above and of lock(). */
    atomic_store_explicit(&busy, false, memory_order_release);
    return ran;
}

static void *run_thread(void *unused)
{
    while (atomic_load_explicit(&running, memory_order_relaxed)) {
        tide__wakeup_wait();
        tide__pacer_run();
    }
    return NULL;
}

/* With every signal blocked in it. */
static int start_thread(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, NULL, run_thread, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

/* While another thread trims, what is created meanwhile should not outrun it. Not for long:
 * that thread's hooks may be waiting for a lock that this one's caller holds. */
static void give_way(void)
{
    uint64_t until = tide__account_clock() + GIVE_WAY_NS;
    while (atomic_load_explicit(&busy, memory_order_relaxed) &&
           get_size(&held) + get_size(&counted) > get_size(&bound) && tide__account_clock() < until)
        sched_yield();
}

static void tell_driver(void)
{
    if (!atomic_exchange_explicit(&raised, true, memory_order_relaxed))
        tide__wakeup_raise();
}

/* A user's read-side section would wait for itself. */
static void look(void)
{
    if (atomic_load_explicit(&driver, memory_order_relaxed) != SLOW_PATHS)
        tell_driver();
    else if (!runs_here && !urcu_bp_read_ongoing() && !tide__pacer_run())
        give_way();
}

static bool is_time_to_look(void)
{
    uint64_t next = atomic_load_explicit(&next_look_ns, memory_order_relaxed);
    return next && tide__account_clock() >= next &&
           atomic_compare_exchange_strong_explicit(&next_look_ns, &next, next + LOOK_NS / 10,
                                                   memory_order_relaxed, memory_order_relaxed);
}

/* Something happens again. */
static void wake(void)
{
    if (atomic_exchange_explicit(&quiet, false, memory_order_relaxed))
        tide__wakeup_set_timer(interval_ns());
    if (atomic_load_explicit(&thread_lost, memory_order_relaxed) &&
        atomic_exchange_explicit(&thread_lost, false, memory_order_relaxed))
        start_thread();
}

static void count(size_t bytes)
{
    size_t now = atomic_fetch_add_explicit(&counted, bytes, memory_order_relaxed) + bytes;
    wake();
    if (atomic_load_explicit(&driver, memory_order_relaxed) == SLOW_PATHS)
        trim_heap();
    if (now >= get_size(&trigger) || is_time_to_look())
        look();
}

void tide__pacer_created(size_t bytes)
{
    if (!atomic_load_explicit(&running, memory_order_relaxed))
        return;
    atomic_fetch_add_explicit(&created, bytes, memory_order_relaxed);
    count(bytes);
}

void tide__pacer_taken_back(size_t bytes)
{
    if (atomic_load_explicit(&running, memory_order_relaxed))
        count(bytes);
}

/* Aged objects that are got again would have been missed; those that are dropped were kept in
 * vain. */
static void learn(const tide_epoch_report *report)
{
    unsigned percent = atomic_load_explicit(&interval_percent, memory_order_relaxed);
    if (report->hits_victim && report->hits_victim >= report->dropped_idle)
        percent += percent / 4;
    else if (report->dropped_idle > 4 * report->hits_victim)
        percent -= percent / 5;
    percent = percent < INTERVAL_MIN ? INTERVAL_MIN : percent;
    percent = percent > INTERVAL_MAX ? INTERVAL_MAX : percent;
    atomic_store_explicit(&interval_percent, percent, memory_order_relaxed);
}

/* The next epoch for age. Where nothing happens any more none is needed; while objects are on
 * loan, which may come back unseen, they come ever more slowly. */
static void set_timer(const tide_epoch_report *report)
{
    bool idle = !report->hits_cpu && !report->misses && !report->puts && !report->dropped_idle;
    idle_epochs = idle ? idle_epochs + 1 : 0;
    bool rest = idle_epochs > 1 && report->bytes_held <= report->bytes_after;
    unsigned backoff = idle_epochs < BACKOFF_MAX ? idle_epochs : BACKOFF_MAX;
    atomic_store_explicit(&quiet, rest, memory_order_relaxed);
    if (atomic_load_explicit(&driver, memory_order_relaxed) != SLOW_PATHS)
        tide__wakeup_set_timer(rest ? 0 : interval_ns() << backoff);
}

void tide__pacer_note(tide_epoch_report *report)
{
    if (!atomic_load_explicit(&running, memory_order_relaxed))
        return;
    report->capped = atomic_exchange_explicit(&capped, false, memory_order_relaxed);
    atomic_store_explicit(&last_epoch_ns, report->start_ns, memory_order_relaxed);
    set_size(&created, 0);
    set_size(&held, report->bytes_held);
    set_size(&base, report->bytes_held);
    learn(report);
    if (config.age_ms_max)
        set_timer(report);
    if (config.growth_percent)
        report->bytes_goal = get_size(&base) + growth_goal();
    if (config.limit_bytes && (!report->bytes_goal || config.limit_bytes < report->bytes_goal))
        report->bytes_goal = config.limit_bytes;
}

/* Nobody runs what is due until unlock(). */
static void lock(void)
{
    pthread_mutex_lock(&config_mutex);
    /* Pairs with the release in tide__pacer_run and in unlock. */
    while (atomic_exchange_explicit(&busy, true, memory_order_acquire))
        sched_yield();
}

static void unlock(void)
{
    /* Pairs with the acquire in tide__pacer_run and in lock. */
    atomic_store_explicit(&busy, false, memory_order_release);
    pthread_mutex_unlock(&config_mutex);
}

static bool is_valid(const tide_epoch_config *wanted)
{
    bool asks = wanted && (wanted->growth_percent || wanted->limit_bytes || wanted->age_ms_max ||
                           wanted->pressure);
    return asks && wanted->trim_percent_max <= 100;
}

static bool needs_descriptors(const tide_epoch_config *wanted)
{
    return wanted->thread || wanted->pressure;
}

/* Another configuration: what was learned under the one before is no guide. */
static void forget(void)
{
    atomic_store_explicit(&interval_percent, INTERVAL_NORMAL, memory_order_relaxed);
    atomic_store_explicit(&capped, false, memory_order_relaxed);
    idle_epochs = 0;
    bucket_ns = 0;
    bucket_leaked_ns = tide__account_clock();
}

static void configure(const tide_epoch_config *wanted)
{
    tide__registry_lock();
    config = *wanted;
    forget();
    tide__registry_unlock();
}

/* While nobody runs. */
static void begin(const tide_epoch_config *wanted)
{
    bool by_time = wanted->age_ms_max || wanted->pressure;
    configure(wanted);
    set_size(&bound, config.limit_bytes ? config.limit_bytes + config.limit_bytes / 16 : SIZE_MAX);
    if (!atomic_exchange_explicit(&running, true, memory_order_relaxed))
        tide__account_ask(true);
    atomic_store_explicit(&last_epoch_ns, tide__account_clock(), memory_order_relaxed);
    add_up();
    set_size(&base, get_size(&held));
    set_size(&created, 0);
    set_trigger();
    bool slow = atomic_load_explicit(&driver, memory_order_relaxed) == SLOW_PATHS;
    atomic_store_explicit(&next_look_ns, slow && by_time ? 1 : 0, memory_order_relaxed);
    if (!slow && config.age_ms_max)
        tide__wakeup_set_timer(interval_ns());
}

static int fail(int error)
{
    errno = error;
    return -1;
}

int tide_epoch_start(const tide_epoch_config *wanted)
{
    if (!is_valid(wanted))
        return fail(EINVAL);
    tide_epoch_stop();
    if (needs_descriptors(wanted) && tide__wakeup_open(wanted->pressure))
        return fail(EAGAIN);
    lock();
    if (wanted->thread)
        atomic_store_explicit(&driver, THREAD, memory_order_relaxed);
    begin(wanted);
    unlock();
    if (wanted->thread && start_thread()) {
        tide_epoch_stop();
        return fail(EAGAIN);
    }
    return 0;
}

/* The thread ends itself: it may be waiting for the descriptor. */
static void end_thread(void)
{
    if (atomic_load_explicit(&driver, memory_order_relaxed) != THREAD)
        return;
    tide__wakeup_raise();
    if (!atomic_exchange_explicit(&thread_lost, false, memory_order_relaxed))
        pthread_join(thread, NULL);
    atomic_store_explicit(&driver, SLOW_PATHS, memory_order_relaxed);
}

void tide_epoch_stop(void)
{
    lock();
    bool ran = atomic_exchange_explicit(&running, false, memory_order_relaxed);
    configure(&(tide_epoch_config){0});
    unlock();
    if (!ran)
        return;
    tide__account_ask(false);
    end_thread();
}

tide_epoch_config tide__pacer_config(void)
{
    lock();
    tide_epoch_config present = config;
    unlock();
    return present;
}

int tide_epoch_fd(void)
{
    if (tide__wakeup_open(false))
        return -1;
    lock();
    if (atomic_load_explicit(&driver, memory_order_relaxed) == SLOW_PATHS) {
        atomic_store_explicit(&driver, LOOP, memory_order_relaxed);
        atomic_store_explicit(&next_look_ns, 0, memory_order_relaxed);
        if (config.age_ms_max)
            tide__wakeup_set_timer(interval_ns());
    }
    unlock();
    return tide__wakeup_fd();
}

bool tide_epoch_poll(void)
{
    return tide__pacer_run();
}

void tide__pacer_start_by_environment(void)
{
    tide_epoch_config wanted = {
        .growth_percent = (unsigned)tide__setting_or(TIDE__GROWTH, 0),
        .limit_bytes = tide__setting_or(TIDE__LIMIT, 0),
        .age_ms_max = (unsigned)tide__setting_or(TIDE__AGE, 0),
        .pressure = tide__setting_or(TIDE__PRESSURE, 0),
        .thread = tide__setting_or(TIDE__THREAD, 0),
        .trim_percent_max = (unsigned)tide__setting_or(TIDE__TRIM, 0),
    };
    if (is_valid(&wanted))
        tide_epoch_start(&wanted);
}

void tide__pacer_after_fork(void)
{
    pthread_mutex_init(&config_mutex, NULL);
    atomic_store_explicit(&busy, false, memory_order_relaxed);
    tide__wakeup_after_fork();
    if (atomic_load_explicit(&running, memory_order_relaxed) &&
        atomic_load_explicit(&driver, memory_order_relaxed) == THREAD)
        atomic_store_explicit(&thread_lost, true, memory_order_relaxed);
}

/* SPDX-License-Identifier: MIT */
/*
 * ownership.c: stress test: no object ever has two owners, while epochs run against it.
 *
 * Threads get and put; one more advances epochs. Each object carries an owner word that its
 * holder claims and releases atomically; objects live in slots that are never unmapped, so that
 * a violation is seen and not a crash. At the end every object that was created has been
 * destroyed once. Prints one line; exits 1 on a violation.
 *
 *     ownership [--threads N] [--epochs N] [--seconds N] [--seed N] [--body rseq|cpu_id|portable]
 *
 * The run ends when both the epochs and the seconds have passed; TIDE_SOAK_SECONDS, when set,
 * stands in for --seconds.
 */
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "body.h"
#include "slots.h"
#include "tide_epoch.h"
#include "tide_pool.h"

enum {
    SLOT_COUNT = 1 << 16,
    HELD_MAX = 16,
    THREADS_MAX = 256,
    VIOLATIONS_MAX = 100,
    FAILURE_SECONDS = 120
};

static struct slot array[SLOT_COUNT];
static struct slots slots = {.array = array, .count = SLOT_COUNT};

static _Atomic uint64_t violations;
static _Atomic bool stop;
static tide_pool *pool;

static struct {
    unsigned threads, seconds;
    uint64_t epochs, seed;
    const char *body;
} options = {.threads = 8, .epochs = 20000, .body = "rseq"};

/* Counts a violation; what goes on after many is no use, and may hang. */
static void violate(void)
{
    if (atomic_fetch_add(&violations, 1) < VIOLATIONS_MAX)
        return;
    printf("ownership: body %s, seed %" PRIu64 ", stopped after %d violations\n", options.body,
           options.seed, VIOLATIONS_MAX);
    fflush(stdout);
    _exit(1);
}

/* Changes the owner, which must have been `from`. */
static void pass(struct slot *slot, uint32_t from, uint32_t to)
{
    if (slot_pass(slot, to) != from)
        violate();
}

static void *create_slot(void *context)
{
    return slots_take(&slots);
}

static void destroy_slot(void *object, void *context)
{
    pass(object, SLOT_CACHED, SLOT_DEAD);
    slots_give(&slots, object);
}

struct worker {
    pthread_t thread;
    uint32_t id;
    unsigned held_count;
    uint64_t random, operations;
    struct slot *held[HELD_MAX];
};

static void get_one(struct worker *worker)
{
    struct slot *slot = tide_pool_get(pool);
    if (!slot)
        return;
    pass(slot, SLOT_CACHED, worker->id);
    worker->held[worker->held_count++] = slot;
}

static void put_one(struct worker *worker)
{
    unsigned which = (unsigned)(next_random(&worker->random) % worker->held_count);
    struct slot *slot = worker->held[which];
    worker->held[which] = worker->held[--worker->held_count];
    pass(slot, worker->id, SLOT_CACHED);
    tide_pool_put(pool, slot);
}

/* Mostly pairs, so that two threads at once are inside the same few instructions; now and then
 * more at once. */
static void *work(void *argument)
{
    struct worker *worker = argument;
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        bool more = next_random(&worker->random) % 4 == 0;
        if (!worker->held_count || (more && worker->held_count < HELD_MAX))
            get_one(worker);
        else
            put_one(worker);
        worker->operations++;
    }
    while (worker->held_count)
        put_one(worker);
    return NULL;
}

static void start(struct worker *workers)
{
    for (uint32_t i = 0; i < options.threads; i++) {
        workers[i].id = i + 1;
        workers[i].random = (options.seed + i) * 0x9e3779b97f4a7c15u | 1;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
            exit(3);
    }
}

static uint64_t join(struct worker *workers)
{
    uint64_t operations = 0;
    for (unsigned i = 0; i < options.threads; i++) {
        pthread_join(workers[i].thread, NULL);
        operations += workers[i].operations;
    }
    return operations;
}

static time_t seconds_since(time_t start_time)
{
    return time(NULL) - start_time;
}

static void run_epochs(void)
{
    time_t began = time(NULL);
    uint64_t first = tide_epoch_current();
    while (tide_epoch_current() - first < options.epochs ||
           seconds_since(began) < (time_t)options.seconds)
        tide_epoch_advance();
    atomic_store(&stop, true);
}

static void report(uint64_t operations, uint64_t epochs, const tide_pool_stats *stats)
{
    double hits = (double)(stats->gets - stats->misses - stats->failures);
    printf("ownership: body %s, seed %" PRIu64 ", threads %u, operations %" PRIu64
           ", epochs %" PRIu64 ", hit rate %.4f %%, created %" PRIu64 ", violations %" PRIu64
           ", lost %" PRId64 "\n",
           options.body, options.seed, options.threads, operations, epochs,
           stats->gets ? 100 * hits / (double)stats->gets : 0.0, slots.created, violations,
           (int64_t)(slots.created - slots.destroyed));
}

static int run(void)
{
    static struct worker workers[THREADS_MAX];
    tide_pool_stats stats;
    uint64_t first = tide_epoch_current();
    pool = tide_pool_create(
        &(tide_pool_config){.name = "slots", .create = create_slot, .destroy = destroy_slot});
    if (!pool)
        return 3;
    start(workers);
    run_epochs();
    uint64_t operations = join(workers);
    tide_pool_read_stats(pool, &stats);
    tide_pool_destroy(pool);
    report(operations, tide_epoch_current() - first, &stats);
    return violations || slots.created != slots.destroyed;
}

static bool choose_body(const char *name)
{
    const char *body = body_choose(name);
    options.body = body ? body : options.body;
    return body;
}

static bool parse(int argc, char **argv)
{
    static const struct option names[] = {{"threads", 1, 0, 't'}, {"epochs", 1, 0, 'e'},
                                          {"seconds", 1, 0, 's'}, {"seed", 1, 0, 'r'},
                                          {"body", 1, 0, 'b'},    {0, 0, 0, 0}};
    int option;
    options.seed = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 20;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 't')
            options.threads = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'e')
            options.epochs = strtoull(optarg, NULL, 10);
        else if (option == 's')
            options.seconds = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'r')
            options.seed = strtoull(optarg, NULL, 10);
        else if (option != 'b' || !choose_body(optarg))
            return false;
    }
    if (getenv("TIDE_SOAK_SECONDS"))
        options.seconds = (unsigned)strtoul(getenv("TIDE_SOAK_SECONDS"), NULL, 10);
    return options.threads > 0 && options.threads <= THREADS_MAX;
}

int main(int argc, char **argv)
{
    if (!parse(argc, argv)) {
        fprintf(stderr,
                "usage: ownership [--threads N] [--epochs N] [--seconds N] [--seed N] "
                "[--body rseq|cpu_id|portable]\n");
        return 2;
    }
    choose_body(options.body);
    alarm(FAILURE_SECONDS + options.seconds); /* a hang is a failure too */
    return run();
}

/* SPDX-License-Identifier: MIT */
/*
 * traced.c: programs that are run under TIDE=trace, one for each pattern that `tide trace` names
 * and one for each that it must not, and what prints all counters.
 *
 *     traced MODE
 *
 * tests/cli/trace/ has the logs of these, recorded by tests/cli/trace/record.sh.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tide_arena.h"
#include "tide_ctl.h"
#include "tide_epoch.h"
#include "tide_pool.h"

enum { KIB = 1 << 10, THREADS = 2, ROUNDS = 15, HANDED = 1000 };

static void *touched_create(void *context)
{
    size_t size = *(const size_t *)context;
    void *object = malloc(size);
    return object ? memset(object, 1, size) : NULL;
}

static void free_object(void *object, void *context)
{
    free(object);
}

static tide_pool *open_pool(const char *name, const size_t *size, size_t weight_max)
{
    return tide_pool_create(&(tide_pool_config){.name = name,
                                                .create = touched_create,
                                                .destroy = free_object,
                                                .context = (void *)(uintptr_t)size,
                                                .object_size = *size,
                                                .weight_max = weight_max});
}

static const size_t small = 256, page = 4 * KIB, large = 64 * KIB;

static void use(tide_pool *pool, size_t held, size_t times)
{
    void *objects[256];
    for (size_t i = 0; i < times; i++) {
        for (size_t n = 0; n < held; n++)
            objects[n] = tide_pool_get(pool);
        for (size_t n = 0; n < held; n++)
            tide_pool_put(pool, objects[n]);
    }
}

/* Two threads, each on a CPU of its own if there are two, that meet after each round; then there
 * is an epoch. */
struct team {
    pthread_barrier_t barrier;
    tide_pool *pool;
    void (*work)(struct team *team, unsigned index);
    void *handed[HANDED];
};

struct member {
    struct team *team;
    pthread_t thread;
    unsigned index;
};

static void pin(unsigned index)
{
    cpu_set_t all, one;
    sched_getaffinity(0, sizeof(all), &all);
    CPU_ZERO(&one);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &all) && index-- == 0)
            CPU_SET(cpu, &one);
    if (CPU_COUNT(&one))
        sched_setaffinity(0, sizeof(one), &one);
}

static void *run_member(void *argument)
{
    const struct member *member = argument;
    pin(member->index);
    for (int round = 0; round < ROUNDS; round++) {
        member->team->work(member->team, member->index);
        pthread_barrier_wait(&member->team->barrier);
        if (member->index == 0)
            tide_epoch_advance();
        pthread_barrier_wait(&member->team->barrier);
    }
    return NULL;
}

static void run_team(void (*work)(struct team *team, unsigned index))
{
    static struct team team;
    struct member members[THREADS];
    team.work = work;
    team.pool = open_pool("shared", &small, 0);
    pthread_barrier_init(&team.barrier, NULL, THREADS);
    for (unsigned i = 0; i < THREADS; i++) {
        members[i] = (struct member){&team, 0, i};
        if (pthread_create(&members[i].thread, NULL, run_member, &members[i]))
            abort();
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(members[i].thread, NULL);
    tide_pool_destroy(team.pool);
}

static void work_alike(struct team *team, unsigned index)
{
    use(team->pool, 20, 100);
}

static void work_unlike(struct team *team, unsigned index)
{
    use(team->pool, 20, index ? 2 : 200);
}

/* The first gets, the second puts. */
static void hand_over(struct team *team, unsigned index)
{
    for (int times = 0; times < 5; times++) {
        for (size_t i = 0; i < HANDED && index == 0; i++)
            team->handed[i] = tide_pool_get(team->pool);
        pthread_barrier_wait(&team->barrier);
        for (size_t i = 0; i < HANDED && index == 1; i++)
            tide_pool_put(team->pool, team->handed[i]);
        pthread_barrier_wait(&team->barrier);
    }
}

static void run_even(void)
{
    run_team(work_alike);
}

static void run_imbalance(void)
{
    run_team(work_unlike);
}

static void run_producers(void)
{
    run_team(hand_over);
}

/* An epoch after every few gets. */
static void run_thrash(void)
{
    tide_pool *pool = open_pool("pages", &page, 0);
    for (int i = 0; i < 60; i++) {
        use(pool, 20, 1);
        tide_epoch_advance();
    }
    tide_pool_destroy(pool);
}

/* The same gets and fewer epochs. */
static void run_rare(void)
{
    tide_pool *pool = open_pool("pages", &page, 0);
    for (int i = 0; i < 15; i++) {
        use(pool, 20, 500);
        tide_epoch_advance();
    }
    tide_pool_destroy(pool);
}

/* Under limit:8MiB: so many MiB are on loan all the time, while others come and go. */
static void run_under_limit(size_t loans)
{
    static void *held[256];
    tide_pool *pools[4];
    tide_pool *lent = open_pool("lent", &large, 0);
    for (size_t i = 0; i < loans; i++)
        held[i] = tide_pool_get(lent);
    for (size_t i = 0; i < 4; i++)
        pools[i] = open_pool("spare", &large, 0);
    for (size_t i = 0; i < 48; i++)
        use(pools[i % 4], 32, 10);
    for (size_t i = 0; i < loans; i++)
        tide_pool_put(lent, held[i]);
    for (size_t i = 0; i < 4; i++)
        tide_pool_destroy(pools[i]);
    tide_pool_destroy(lent);
}

static void run_low_limit(void)
{
    run_under_limit(160);
}

static void run_fair_limit(void)
{
    run_under_limit(16);
}

/* One pool is used, the other one too but in vain: its objects are too heavy. */
static void run_never(void)
{
    tide_pool *good = open_pool("good", &small, 0), *vain = open_pool("vain", &page, KIB);
    for (int i = 0; i < 12; i++) {
        use(good, 20, 50);
        use(vain, 20, 5);
        tide_epoch_advance();
    }
    tide_pool_destroy(good);
    tide_pool_destroy(vain);
}

/* Objects that come from elsewhere. */
static void run_foreign(void)
{
    tide_pool *pool = open_pool("foreign", &small, 0);
    for (int i = 0; i < 12; i++) {
        use(pool, 20, 5);
        for (int n = 0; n < 300; n++)
            tide_pool_put(pool, touched_create((void *)(uintptr_t)&small));
        tide_epoch_advance();
    }
    tide_pool_destroy(pool);
}

/* Pools whose names are hard to print, and a text of all counters. */
static void print_text(size_t (*print)(char *text, size_t size))
{
    static const char *const names[] = {
        "plain",        "a \"b\" \\ \n \t \x1b{}",  "\xc3\xa9\xe2\x82\xac",
        "cut \xe2\x82", "\xff\xc0\xaf\xed\xa0\x80", ""};
    enum { COUNT = sizeof(names) / sizeof(*names) };
    tide_pool *pools[COUNT];
    static char text[64 * KIB];
    for (size_t i = 0; i < COUNT; i++) {
        pools[i] = open_pool(names[i], &small, 0);
        use(pools[i], i + 1, 2);
    }
    tide_epoch_advance();
    print(text, sizeof(text));
    fputs(text, stdout);
    for (size_t i = 0; i < COUNT; i++)
        tide_pool_destroy(pools[i]);
}

static void run_json(void)
{
    print_text(tide_ctl_json);
}

static void run_prometheus(void)
{
    print_text(tide_ctl_prometheus);
}

/* Requests in an arena, and all counters. */
static void run_arenas(void)
{
    static char text[64 * KIB];
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.name = "\"request\""});
    for (int i = 0; i < 12; i++) {
        tide_arena_alloc(arena, 100 * KIB, 1);
        tide_arena_reset(arena);
        if (i % 2)
            tide_epoch_advance();
    }
    tide_ctl_json(text, sizeof(text));
    fputs(text, stdout);
    tide_arena_destroy(arena);
}

static const struct {
    const char *name;
    void (*run)(void);
} modes[] = {
    {"even", run_even},
    {"imbalance", run_imbalance},
    {"producers", run_producers},
    {"thrash", run_thrash},
    {"rare", run_rare},
    {"low-limit", run_low_limit},
    {"fair-limit", run_fair_limit},
    {"never", run_never},
    {"foreign", run_foreign},
    {"json", run_json},
    {"prometheus", run_prometheus},
    {"arenas", run_arenas},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        if (argc != 2 || strcmp(argv[1], modes[i].name) != 0)
            continue;
        fprintf(stderr, "traced: %s begins\n", modes[i].name);
        modes[i].run();
        fprintf(stderr, "traced: it ends\n");
        return 0;
    }
    return 2;
}

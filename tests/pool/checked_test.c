/* SPDX-License-Identifier: MIT */
/*
 * checked_test.c: what holds of checked pools, and what they find, by calls of each kind.
 *
 * A program of its own: all of its pools are checked. What is to end in a message and an abort
 * runs in a child. Linked so that memory for the ledger can be refused.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "heap.h"
#include "internal.h"
#include "tide_ctl.h"
#include "tokens.h"

__attribute__((constructor)) static void choose_checks(void)
{
    setenv("TIDE", "check:1,drop:0,seed:1", 1);
}

void *__real_tide__heap_map_plain(size_t size);
void *__wrap_tide__heap_map_plain(size_t size);

static _Atomic size_t maps, maps_refused_from = SIZE_MAX;

void *__wrap_tide__heap_map_plain(size_t size)
{
    return maps++ < maps_refused_from ? __real_tide__heap_map_plain(size) : NULL;
}

static char said[4096]; /* by the last child, on stderr */

/* Runs `fault` in a child; returns whether it aborted. */
static bool aborts(void (*fault)(void))
{
    int ends[2], status = 0;
    size_t length = 0;
    check_that(!pipe(ends));
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        fault();
        _exit(0);
    }
    close(ends[1]);
    for (ssize_t got = 1; got > 0; length += got > 0 ? (size_t)got : 0)
        got = read(ends[0], said + length, sizeof(said) - 1 - length);
    close(ends[0]);
    said[length] = '\0';
    check_that(child > 0 && waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

/* It does, after one line that says `words`; an emulator adds another. */
static void check_finds(void (*fault)(void), const char *words)
{
    check_that(aborts(fault), "no abort; said: %s", said);
    check_that(strstr(said, words), "said: %s", said);
    check_that(!strncmp(said, "tide: pool '", 12) && !strstr(said, "\ntide: "));
}

enum { SIZE = 40 };

static tide_pool *open_sized(void)
{
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.name = "sized", .object_size = SIZE});
    check_that(pool && pool->checked);
    return pool;
}

static void *malloc_create(void *context)
{
    return malloc(SIZE);
}

static void free_destroy(void *object, void *context)
{
    free(object);
}

static tide_pool *open_made(void)
{
    return tide_pool_create(
        &(tide_pool_config){.name = "made", .create = malloc_create, .destroy = free_destroy});
}

static void put_twice(void)
{
    tide_pool *pool = open_sized();
    void *object = tide_pool_get(pool);
    tide_pool_put(pool, object);
    tide_pool_put(pool, object);
}

static void put_twice_made(void)
{
    tide_pool *pool = open_made();
    void *object = tide_pool_get(pool);
    tide_pool_put(pool, object);
    tide_pool_put(pool, object);
}

static void put_twice_in_bulk(void)
{
    void *objects[70];
    tide_pool *pool = open_made();
    tide_pool_get_bulk(pool, objects, 70);
    objects[69] = objects[0];
    tide_pool_put_bulk(pool, objects, 70);
}

static void put_twice_as_victim(void)
{
    tide_pool *pool = open_made();
    void *object = tide_pool_get(pool);
    tide_pool_put(pool, object);
    tide_epoch_advance();
    tide_pool_put(pool, object);
}

static void put_twice_weighed(void)
{
    tide_pool *pool = tide_pool_create(
        &(tide_pool_config){.name = "limited", .object_size = SIZE, .weight_max = SIZE - 1});
    void *object = tide_pool_get(pool);
    tide_pool_put(pool, object); /* too heavy: destroyed */
    tide_pool_put(pool, object);
}

static char places[200000];
static size_t places_used;

static void *create_elsewhere(void *context)
{
    return &places[places_used++];
}

static void put_prewarmed(void)
{
    tide_pool *pool =
        tide_pool_create(&(tide_pool_config){.name = "made", .create = create_elsewhere});
    places_used = 0;
    tide_pool_prewarm(pool, 1);
    tide_pool_put(pool, &places[0]);
}

Test(checked, double_put_is_found)
{
    check_finds(put_twice, "tide: pool 'sized': double put of 0x");
    check_finds(put_twice_made, "'made': double put of 0x");
    check_finds(put_twice_in_bulk, "'made': double put of 0x");
    check_finds(put_twice_as_victim, "'made': double put of 0x");
    check_finds(put_twice_weighed, "'limited': put of 0x");
    check_finds(put_prewarmed, "'made': double put of 0x");
}

static void put_elsewhere(void)
{
    tide_pool *made = open_made(), *sized = open_sized();
    tide_pool_put(made, tide_pool_get(sized));
}

static void put_elsewhere_cached(void)
{
    tide_pool *made = open_made(), *sized = open_sized();
    void *object = tide_pool_get(made);
    tide_pool_put(made, object);
    tide_pool_put(sized, object);
}

static void put_unknown(void)
{
    static max_align_t thing[8];
    tide_pool_put(open_sized(), thing);
}

Test(checked, foreign_put_is_found)
{
    check_finds(put_elsewhere, "'made': foreign put of 0x");
    check_that(strstr(said, ", got from pool 'sized' at "));
    check_finds(put_elsewhere_cached, "'sized': foreign put of 0x");
    check_that(strstr(said, ", put before to pool 'made' at "));
    check_finds(put_unknown, "'sized': foreign put of 0x");
    check_that(strstr(said, ", it is no object of this pool\n"));
}

Test(checked, pool_with_create_takes_over_what_it_does_not_know)
{
    tide_pool *pool = open_made();
    void *object = malloc(SIZE);
    for (int i = 0; i < 3; i++) {
        tide_pool_put(pool, object);
        check_count(tide_pool_drain(pool), 1);
        object = malloc(SIZE); /* often at the address of the one that is destroyed */
    }
    tide_pool_put(pool, object);
    check_that(tide_pool_get(pool) == object);
    tide_pool_put(pool, object);
    tide_pool_destroy(pool);
}

static void late_put(void)
{
    tide_pool *pool = open_sized();
    void *object = tide_pool_get(pool);
    tide_pool_put(pool, object);
    tide_pool_drain(pool);
    tide_pool_put(pool, object);
}

Test(checked, put_of_a_destroyed_object_is_found)
{
    check_finds(late_put, "'sized': put of 0x");
    check_that(strstr(said, ", which is destroyed: put at "));
}

/* Behind the backs of memory checkers. */
static void write_late(tide_pool *pool, size_t offset)
{
    char *object = tide_pool_get(pool);
    tide_pool_put(pool, object);
    show_memory(object, SIZE);
    ((volatile char *)object)[offset] = 1;
    hide_memory(object, SIZE);
}

static void dirty_get(void)
{
    tide_pool *pool = open_sized();
    write_late(pool, 0);
    tide_pool_get(pool);
}

static void dirty_get_bulk(void)
{
    void *objects[2];
    tide_pool *pool = open_sized();
    write_late(pool, SIZE - 1);
    tide_pool_get_bulk(pool, objects, 2);
}

static void dirty_epoch(void)
{
    tide_pool *pool = open_sized();
    write_late(pool, 3);
    tide_epoch_advance();
    tide_epoch_advance();
}

static void dirty_destroy(void)
{
    tide_pool *pool = open_sized();
    write_late(pool, 4);
    tide_pool_destroy(pool);
}

static void dirty_drop(void)
{
    tide_pool *pool = open_sized();
    write_late(pool, 5);
    pool->checked->drop_percent = 100;
    tide_pool_get(pool);
}

Test(checked, write_after_put_is_found)
{
    check_finds(dirty_get, ": 1 bytes written from offset 0 on: put at ");
    check_that(strstr(said, ", found at "));
    check_finds(dirty_get_bulk, ": 1 bytes written from offset 39 on: put at ");
    check_finds(dirty_epoch, ": 1 bytes written from offset 3 on: put at ");
    check_that(strstr(said, ", found when it was destroyed\n"));
    check_finds(dirty_destroy, ": 1 bytes written from offset 4 on: put at ");
    check_finds(dirty_drop, ": 1 bytes written from offset 5 on: put at ");
}

static struct {
    size_t reset, weighed, destroyed, wrong;
} seen;

static bool is_filled(const void *object)
{
    const unsigned char *bytes = object;
    for (size_t i = 0; i < SIZE; i++)
        if (bytes[i] != (unsigned char)(7 + i))
            return false;
    return true;
}

static void see_reset(void *object, void *context)
{
    seen.reset++;
    seen.wrong += !is_filled(object);
}

static size_t see_weigh(const void *object, void *context)
{
    seen.weighed++;
    return SIZE;
}

static void see_destroy(void *object, void *context)
{
    seen.destroyed++;
    seen.wrong += !is_filled(object);
}

static void fill(void *object)
{
    for (size_t i = 0; i < SIZE; i++)
        ((unsigned char *)object)[i] = (unsigned char)(7 + i);
}

Test(checked, contents_survive_and_hooks_see_them)
{
    void *objects[200];
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.object_size = SIZE,
                                                           .keep_min = 50,
                                                           .reset = see_reset,
                                                           .weigh = see_weigh,
                                                           .destroy = see_destroy});
    check_count(tide_pool_get_bulk(pool, objects, 200), 200);
    for (int i = 0; i < 200; i++)
        fill(objects[i]);
    for (int epoch = 0; epoch < 3; epoch++) {
        tide_pool_put_bulk(pool, objects, 200);
        tide_epoch_advance();
        check_count(tide_pool_get_bulk(pool, objects, 200), 200);
        for (int i = 0; i < 200; i++)
            check_that(is_filled(objects[i]));
    }
    tide_pool_put_bulk(pool, objects, 200);
    tide_epoch_advance();
    tide_epoch_advance();
    check_count(seen.destroyed, 150);
    tide_pool_destroy(pool);
    check_count(seen.destroyed, 200);
    check_count(seen.reset, 800);
    check_that(seen.weighed >= 800);
    check_count(seen.wrong, 0);
}

static size_t weigh_first(const void *object, void *context)
{
    return *(const size_t *)object;
}

Test(checked, limits_in_bytes_hold)
{
    tide_pool_stats stats;
    size_t *objects[100];
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.object_size = sizeof(size_t),
                                                           .weigh = weigh_first,
                                                           .weight_max = 1000,
                                                           .cached_bytes_max = 20000});
    check_count(tide_pool_get_bulk(pool, (void **)objects, 100), 100);
    for (size_t i = 0; i < 100; i++)
        *objects[i] = i < 10 ? 1001 : 500;
    tide_pool_put_bulk(pool, (void **)objects, 100);
    tide_pool_read_stats(pool, &stats);
    check_count(stats.destroyed_heavy, 10);
    check_count(stats.destroyed_full, 50);
    check_count(stats.cached, 40);
    check_count(stats.cached_bytes, 20000);
    tide_pool_destroy(pool);
}

static void leave_on_loan(void)
{
    void *objects[3];
    tide_pool *pool = open_sized();
    tide_pool_get_bulk(pool, objects, 3);
    tide_pool_put(pool, tide_pool_get(pool));
    tide_pool_destroy(pool);
}

static void leave_in_child(void)
{
    tide_pool *pool = open_sized();
    tide_pool_get(pool);
    if (fork() == 0) {
        tide_pool_put(pool, tide_pool_get(pool));
        tide_pool_destroy(pool); /* what is on loan is the parent's */
        _exit(0);
    }
    wait(NULL);
}

Test(checked, loans_are_said_at_destroy)
{
    check_that(!aborts(leave_on_loan));
    check_that(strstr(said, "tide: pool 'sized': 3 on loan when it was destroyed at "));
    check_that(strstr(said, ": 3 got at "));
    check_that(!aborts(leave_in_child));
    check_that(!*said, "said: %s", said);
}

enum { MANY = 12000 }; /* records of which no memory that is there already is enough */

static void use_without_memory(void)
{
    static void *objects[MANY];
    tide_pool *pools[2] = {open_sized(), open_made()};
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 2; i++) {
            check_count(tide_pool_get_bulk(pools[i], objects, MANY), MANY);
            for (int k = 0; k < MANY; k++)
                memset(objects[k], k, SIZE);
            tide_pool_put_bulk(pools[i], objects, MANY);
        }
        tide_epoch_advance();
    }
    tide_pool_destroy(pools[0]);
    tide_pool_destroy(pools[1]);
}

/* Shards have their first memory in some order; then each is refused more. */
Test(checked, an_object_that_cannot_be_recorded_is_not_checked)
{
    size_t start = maps;
    for (size_t refused = 0; refused < 40; refused += 7) {
        maps_refused_from = start + refused;
        check_that(!aborts(use_without_memory));
        check_that(!*said, "said: %s", said);
    }
    maps_refused_from = SIZE_MAX;
}

static void cycle(struct tokens *t, size_t depth)
{
    struct token *held[400];
    size_t got = 0;
    while (got < depth && (held[got] = tokens_get(t)))
        got++;
    while (got)
        tokens_put(t, held[--got]);
}

Test(checked, random_drops_add_up)
{
    struct tokens t;
    tide_pool_stats stats;
    tokens_open(&t, 1000);
    t.pool->checked->drop_percent = 25;
    for (int i = 0; i < 100; i++) {
        cycle(&t, 100);
        tokens_check(&t, 0);
    }
    tide_pool_read_stats(t.pool, &stats);
    fprintf(stderr, "%zu of 9900 dropped\n", (size_t)stats.destroyed_random);
    check_that(stats.destroyed_random > 2475 - 400 && stats.destroyed_random < 2475 + 400);
    check_count(stats.misses, 100 + stats.destroyed_random);
    uint64_t value = 0;
    check_that(tide_ctl_read("pool.tokens.destroyed_random", &value));
    check_count(value, stats.destroyed_random);
    tokens_close(&t);
}

static uint64_t reported;

static void note(const tide_epoch_report *report, void *context)
{
    reported += report->dropped_random;
}

Test(checked, epochs_report_random_drops)
{
    struct tokens t;
    tokens_open(&t, 10);
    tide_epoch_watch(note, NULL);
    t.pool->checked->drop_percent = 100;
    for (int i = 0; i < 8; i++)
        cycle(&t, 1);
    tide_epoch_advance();
    check_count(reported, 7);
    tide_epoch_unwatch(note, NULL);
    tokens_close(&t);
}

static struct tokens shared;
static _Atomic size_t signals;

static void get_and_put(int number)
{
    struct token *token = tokens_get(&shared);
    if (token)
        tokens_put(&shared, token);
    atomic_fetch_add(&signals, 1);
}

/* A handler that found a lock of the ledger held by the thread that it interrupts would hang. */
Test(checked, signal_handler_may_get_and_put_amid_drops)
{
    struct itimerval timer = {{0, 50}, {0, 50}};
    size_t enough = check_scaled(4000);
    tokens_open(&shared, 2000);
    shared.pool->checked->drop_percent = 25;
    cycle(&shared, 400);
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = get_and_put, .sa_flags = SA_RESTART},
              NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
    for (size_t i = 0; atomic_load(&signals) < enough; i++) {
        cycle(&shared, 1 + i % 100);
        if (i % 64 == 0)
            tide_epoch_advance();
    }
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    signal(SIGALRM, SIG_IGN);
    tokens_check(&shared, 0);
    tokens_close(&shared);
}

static _Atomic bool stop;
static size_t failed_children;

static void fork_often(void)
{
    for (size_t i = 0; i < check_scaled(100); i++) {
        int status = -1;
        pid_t child = fork();
        if (child == 0) {
            alarm(30);
            cycle(&shared, 300);
            tide_epoch_advance();
            tide_pool_destroy(shared.pool);
            _exit(shared.wrong != 0);
        }
        failed_children += child < 0 || waitpid(child, &status, 0) != child || status;
    }
    atomic_store(&stop, true);
}

static void fork_or_work(unsigned index, void *context)
{
    if (index == 0)
        fork_often();
    while (!atomic_load(&stop))
        cycle(&shared, 150);
}

/* The locks of the ledger are free in the child. */
Test(checked, fork_at_any_time_leaves_a_checked_pool_that_works)
{
    tokens_open(&shared, 20000);
    shared.pool->checked->drop_percent = 25;
    check_threads(3, fork_or_work, NULL);
    check_count(failed_children, 0);
    tokens_check(&shared, 0);
    tokens_close(&shared);
}

/* Each has an address of its own, and more of them die than the ledger remembers. */
Test(checked, the_dead_are_forgotten_in_time)
{
    void *objects[1000];
    size_t before = 0;
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.create = create_elsewhere});
    for (int round = 0; round < 200; round++) {
        check_count(tide_pool_get_bulk(pool, objects, 1000), 1000);
        tide_pool_put_bulk(pool, objects, 1000);
        check_count(tide_pool_drain(pool), 1000);
        before = round == 20 ? maps : before;
    }
    check_count(maps, before);
    tide_pool_destroy(pool);
}

/* SPDX-License-Identifier: MIT */
/*
 * trace_test.c: the ring of TIDE=trace:ring, read by threads, in signal handlers, on a signal.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "account.h"
#include "check.h"
#include "tide_ctl.h"
#include "tide_epoch.h"

enum { RING = 4, LETTERS_MAX = 600, TEXT_SIZE = 8 << 20 };

/* TIDE is read when the first pool is created. */
__attribute__((constructor)) static void set_environment(void)
{
    setenv("TIDE", "trace:ring,ring:4,signal:10", 1);
}

static tide_pool *open_pool(const char *name)
{
    return tide_pool_create(&(tide_pool_config){.name = name, .object_size = 64});
}

/* What has been written to the file, as a string, and empties the file. */
static char *take_text(int file)
{
    static char text[TEXT_SIZE];
    ssize_t length = pread(file, text, sizeof(text) - 1, 0);
    check_that(length >= 0 && length < TEXT_SIZE - 1);
    text[length] = '\0';
    check_that(ftruncate(file, 0) == 0);
    return text;
}

static int open_file(void)
{
    FILE *file = tmpfile(); /* closed at exit */
    check_that(file);
    check_that(fcntl(fileno(file), F_SETFL, O_APPEND) == 0);
    return fileno(file);
}

static char *take_ring(int file)
{
    tide_trace_write(file);
    return take_text(file);
}

/* Asserts that these are lines of epochs with consecutive numbers, the last one `last`. */
static void check_epochs(const char *text, uint64_t last, unsigned count)
{
    for (uint64_t number = last - count + 1; number <= last; number++) {
        uint64_t found = 0;
        check_that(sscanf(text, "tide %" SCNu64 " @", &found) == 1, "%s", text);
        check_count(found, number);
        text = strchr(text, '\n');
        check_that(text);
        text++;
    }
    check_that(!*text, "%s", text);
}

Test(pool, the_ring_keeps_the_last_epochs)
{
    int file = open_file();
    tide_pool *pool = open_pool("ring");
    for (unsigned count = 1; count <= 10; count++) {
        tide_epoch_advance();
        if (tide_epoch_current() >= RING)
            check_epochs(take_ring(file), tide_epoch_current(), RING);
    }
    tide_pool_destroy(pool);
}

Test(pool, the_ring_keeps_lines_of_pools_apart)
{
    char name[1000];
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    int file = open_file();
    tide_pool *pool = open_pool("short"), *other = open_pool(name);
    check_that(tide_ctl_write("trace.level", 2));
    tide_pool_put(pool, tide_pool_get(pool));
    tide_pool_put(other, tide_pool_get(other));
    tide_epoch_advance();
    check_that(tide_ctl_write("trace.level", 1));
    char *text = take_ring(file);
    check_that(strstr(text, "pools\ntide "), "%s", text);
    check_that(strstr(text, " \"short\": hits 0+0+0+0, misses 1, puts 1,"), "%s", text);
    check_that(strstr(text, "xxx\n"), "%s", text); /* cut, and still a line */
    tide_epoch_advance();
    text = take_ring(file);
    check_that(strstr(text, "xxx\ntide "), "%s", text);
    tide_pool_destroy(pool);
    tide_pool_destroy(other);
}

Test(pool, a_signal_writes_the_ring_to_stderr)
{
    int file = open_file(), before = dup(STDERR_FILENO);
    tide_pool *pool = open_pool("ring");
    for (unsigned i = 0; i < RING; i++)
        tide_epoch_advance();
    dup2(file, STDERR_FILENO);
    raise(SIGUSR1);
    dup2(before, STDERR_FILENO);
    check_epochs(take_text(file), tide_epoch_current(), RING);
    close(before);
    tide_pool_destroy(pool);
}

/* What happens before this thread's next write in the library (linked in its place). */
static _Thread_local void (*before_write)(void);

ssize_t __real_write(int file, const void *data, size_t size);
ssize_t __wrap_write(int file, const void *data, size_t size);
ssize_t __wrap_write(int file, const void *data, size_t size)
{
    void (*happens)(void) = before_write;
    before_write = NULL;
    if (happens)
        happens();
    return __real_write(file, data, size);
}

static void write_later_lines(void)
{
    for (unsigned i = 0; i < RING; i++)
        tide__trace_write("later\n");
}

/* As when other threads have epochs while the ring goes to a slow file. */
Test(pool, lines_that_are_overtaken_are_left_out)
{
    int file = open_file();
    tide_pool *pool = open_pool("ring"); /* so that there is a ring */
    for (unsigned i = 0; i < RING; i++)
        tide__trace_write("first\n");
    before_write = write_later_lines;
    /* The ring has a slot more than it keeps: one line was not overtaken but is being written. */
    check_that(strcmp(take_ring(file), "first\n") == 0);
    check_that(strcmp(take_ring(file), "later\nlater\nlater\nlater\n") == 0);
    tide_pool_destroy(pool);
}

/* Lines of one letter each, so that two that are mixed are seen to be. */
static struct {
    pthread_t writers[2];
    _Atomic unsigned ready;
    _Atomic bool stop;
    _Atomic unsigned handled; /* signals, or children that failed */
    int file;                 /* the handler's */
} mix;

static void write_in_handler(int number)
{
    tide_trace_write(mix.file);
    mix.handled++;
}

static void write_lines(uint64_t seed)
{
    char line[LETTERS_MAX + 2];
    while (!mix.stop) {
        size_t length = 1 + check_random(&seed) % LETTERS_MAX;
        memset(line, (int)('a' + check_random(&seed) % 26), length);
        line[length] = '\n';
        line[length + 1] = '\0';
        tide__trace_write(line);
    }
}

static size_t count_mixed(const char *text)
{
    size_t mixed = 0;
    for (; *text; text += strcspn(text, "\n") + 1) {
        size_t length = strcspn(text, "\n");
        mixed += length == 0 || text[length] != '\n';
        for (size_t i = 1; i < length; i++)
            mixed += text[i] != *text;
    }
    return mixed;
}

static void read_and_interrupt(int file)
{
    size_t mixed = 0;
    unsigned handled = 0;
    for (size_t i = 0; i < check_scaled(4000); i++) {
        mixed += count_mixed(take_ring(file));
        pthread_kill(mix.writers[i % 2], SIGUSR2);
        if (i % 16 == 15) {
            while (mix.handled == handled)
                sched_yield();
            handled = mix.handled;
        }
    }
    mix.stop = true;
    check_count(mixed, 0);
}

static void run_mix(unsigned index, void *context)
{
    if (index < 2) {
        mix.writers[index] = pthread_self();
        mix.ready++;
        write_lines(*(uint64_t *)context + 2 * index);
        return;
    }
    while (mix.ready < 2)
        sched_yield();
    read_and_interrupt(open_file());
}

Test(pool, lines_of_the_ring_are_whole_whoever_reads_them_meanwhile)
{
    uint64_t seed = check_seed();
    tide_pool *pool = open_pool("ring"); /* so that there is a ring */
    struct sigaction action = {.sa_handler = write_in_handler, .sa_flags = SA_RESTART};
    tide_epoch_advance();
    mix.file = open_file();
    sigaction(SIGUSR2, &action, NULL);
    for (unsigned i = 0; i <= RING; i++)
        tide__trace_write("z\n"); /* lines of epochs are of many letters */
    check_threads(3, run_mix, &seed);
    check_that(mix.handled > 0);
    check_count(count_mixed(take_text(mix.file)), 0);
    tide_pool_destroy(pool);
}

/* The child has the ring, and not the lock that another thread held. */
static int use_ring_in_child(int file)
{
    alarm(60); /* ends one that waits for ever */
    for (unsigned i = 0; i < RING; i++)
        tide__trace_write("child\n");
    return strcmp(take_ring(file), "child\nchild\nchild\nchild\n") != 0;
}

static void run_forks(unsigned index, void *context)
{
    if (index == 0) {
        mix.ready++;
        write_lines(*(uint64_t *)context);
        return;
    }
    while (!mix.ready)
        sched_yield();
    for (size_t i = 0; i < check_scaled(50); i++) {
        int status = 1, file = open_file();
        pid_t child = fork();
        if (child == 0)
            _exit(use_ring_in_child(file));
        mix.handled += child < 0 || waitpid(child, &status, 0) != child || status;
        close(file);
    }
    mix.stop = true;
}

Test(pool, a_child_writes_to_its_own_ring)
{
    uint64_t seed = check_seed();
    tide_pool *pool = open_pool("ring");
    mix.handled = mix.ready = 0;
    mix.stop = false;
    check_threads(2, run_forks, &seed);
    check_count(mix.handled, 0);
    tide_pool_destroy(pool);
}

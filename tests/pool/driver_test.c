/* SPDX-License-Identifier: MIT */
/*
 * driver_test.c: who runs the epochs that are due: an event loop, a thread, slow paths; by age, and
 * for memory pressure, which a socket with urgent data stands in for.
 *
 * A program of its own: an event loop that has once asked for the descriptor keeps its part.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "annotate.h"
#include "check.h"
#include "compiler.h"
#include "pressure.h"
#include "tide_epoch.h"
#include "tide_pool.h"

enum { KIB = 1 << 10, OBJECTS = 256, LONG_MS = 60000, AGE_MS = 200 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned live, epochs[TIDE_EPOCH_PRESSURE + 1];

static void change(unsigned *count, unsigned by)
{
    pthread_mutex_lock(&mutex);
    *count += by;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static unsigned read_count(const unsigned *count)
{
    pthread_mutex_lock(&mutex);
    unsigned now = *count;
    pthread_mutex_unlock(&mutex);
    return now;
}

static void wait_until(const unsigned *count, bool (*is)(unsigned now))
{
    pthread_mutex_lock(&mutex);
    while (!is(*count))
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
}

static bool is_none(unsigned now)
{
    return now == 0;
}

static bool is_some(unsigned now)
{
    return now > 0;
}

static void *object_create(void *context)
{
    change(&live, 1);
    return malloc(16);
}

static void object_destroy(void *object, void *context)
{
    free(object);
    change(&live, -1U);
}

static void note(const tide_epoch_report *report, void *context)
{
    change(&epochs[report->reason], 1);
}

static unsigned all_epochs(void)
{
    unsigned sum = 0;
    for (int reason = 0; reason <= TIDE_EPOCH_PRESSURE; reason++)
        sum += read_count(&epochs[reason]);
    return sum;
}

/* Objects that count 64 KiB each. */
static tide_pool *open_pool(void)
{
    return tide_pool_create(&(tide_pool_config){
        .create = object_create, .destroy = object_destroy, .object_size = 64 * KIB});
}

static void start(const tide_epoch_config *config)
{
    memset(epochs, 0, sizeof(epochs));
    check_count(tide_epoch_watch(note, NULL), 0);
    check_count(tide_epoch_start(config), 0);
}

static void stop(void)
{
    tide_epoch_stop();
    tide_epoch_unwatch(note, NULL);
}

static void use(tide_pool *pool, size_t count)
{
    void *objects[OBJECTS];
    check_count(tide_pool_get_bulk(pool, objects, count), count);
    tide_pool_put_bulk(pool, objects, count);
}

static bool is_ready(int file, int timeout_ms)
{
    struct pollfd wanted = {.fd = file, .events = POLLIN};
    return poll(&wanted, 1, timeout_ms) == 1;
}

Test(pool, an_event_loop_is_told_and_runs_the_epoch)
{
    tide_pool *pool = open_pool();
    int file = tide_epoch_fd();
    check_that(file >= 0);
    start(&(tide_epoch_config){.growth_percent = 100});
    check_that(!is_ready(file, 0));
    use(pool, OBJECTS); /* 16 MiB */
    check_count(all_epochs(), 0);
    check_that(is_ready(file, 0));
    check_that(tide_epoch_poll());
    check_count(read_count(&epochs[TIDE_EPOCH_GROWTH]), 1);
    check_that(!is_ready(file, 0));
    check_that(!tide_epoch_poll());
    check_count(tide_epoch_fd(), file);
    stop();
    tide_pool_destroy(pool);
}

/* Runs what is due until nothing comes for several ages. */
static unsigned poll_until_quiet(int file)
{
    unsigned times = 0;
    for (; is_ready(file, 8 * AGE_MS); times++)
        tide_epoch_poll();
    return times;
}

Test(pool, idle_objects_age_and_an_idle_process_goes_quiet)
{
    tide_pool *pool = open_pool();
    int file = tide_epoch_fd();
    start(&(tide_epoch_config){.age_ms_max = AGE_MS});
    use(pool, OBJECTS);
    for (int epoch = 0; epoch < 2; epoch++) {
        check_that(is_ready(file, LONG_MS));
        check_that(tide_epoch_poll());
    }
    check_count(read_count(&live), 0);
    check_count(read_count(&epochs[TIDE_EPOCH_AGE]), 2);
    check_that(poll_until_quiet(file) <= 4);
    use(pool, 1); /* something happens again */
    check_that(is_ready(file, LONG_MS));
    stop();
    tide_pool_destroy(pool);
}

Test(pool, what_is_used_does_not_age)
{
    tide_pool *pool = open_pool();
    int file = tide_epoch_fd();
    use(pool, OBJECTS);
    start(&(tide_epoch_config){.age_ms_max = AGE_MS});
    for (int epoch = 0; epoch < 6; epoch++) {
        use(pool, OBJECTS);
        check_that(is_ready(file, LONG_MS));
        tide_epoch_poll();
    }
    check_count(read_count(&live), OBJECTS);
    stop();
    tide_pool_destroy(pool);
}

static unsigned count_threads(void)
{
    unsigned count = 0;
    DIR *tasks = opendir("/proc/self/task");
    while (tasks && readdir(tasks))
        count++;
    if (tasks)
        closedir(tasks);
    return count;
}

Test(pool, a_thread_runs_epochs_when_asked_for)
{
    tide_pool *pool = open_pool();
    unsigned threads = count_threads();
    start(&(tide_epoch_config){.age_ms_max = AGE_MS, .growth_percent = 100, .thread = true});
    if (!TIDE__TSAN) /* has one of its own */
        check_count(count_threads(), threads + 1);
    use(pool, OBJECTS);
    wait_until(&epochs[TIDE_EPOCH_GROWTH], is_some);
    wait_until(&live, is_none);
    wait_until(&epochs[TIDE_EPOCH_AGE], is_some);
    stop();
    unsigned before = all_epochs();
    use(pool, OBJECTS);
    check_count(all_epochs(), before);
    check_count(read_count(&live), OBJECTS);
    tide_pool_destroy(pool);
}

/* Which has no thread but the one that forked. */
static void run_child(tide_pool *pool)
{
    memset(epochs, 0, sizeof(epochs));
    alarm(60);
    use(pool, OBJECTS);
    wait_until(&live, is_none);
    wait_until(&epochs[TIDE_EPOCH_AGE], is_some);
    _exit(0);
}

Test(pool, a_forked_child_has_a_thread_of_its_own)
{
    int status = 0;
    if (TIDE__ASAN || TIDE__TSAN || TIDE_CHECK_EMULATED)
        return; /* a child of threads is not for sanitizers' allocators, nor for qemu */
    tide_pool *pool = open_pool();
    start(&(tide_epoch_config){.age_ms_max = AGE_MS, .thread = true});
    pthread_mutex_lock(&mutex); /* so that nobody else holds it */
    pid_t child = fork();
    pthread_mutex_unlock(&mutex);
    if (!child)
        run_child(pool);
    check_count(waitpid(child, &status, 0), child);
    check_count(status, 0);
    stop();
    tide_pool_destroy(pool);
}

/* The wraps: what the kernel would tell of. -1: it does not. */
static int pressure_file = -1;

int __wrap_tide__pressure_open_machine(void);
int __wrap_tide__pressure_open_cgroup(void);

int __wrap_tide__pressure_open_machine(void)
{
    return pressure_file;
}

int __wrap_tide__pressure_open_cgroup(void)
{
    return -1;
}

/* Returns an end whose urgent data polls POLLPRI at `pressure_file`. */
static int open_pressure(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0), sender = socket(AF_INET, SOCK_STREAM, 0);
    check_count(bind(listener, (struct sockaddr *)&address, length), 0);
    check_count(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    check_count(listen(listener, 1), 0);
    check_count(connect(sender, (struct sockaddr *)&address, length), 0);
    pressure_file = accept(listener, NULL, NULL);
    close(listener);
    return sender;
}

static void check_pressure(tide_pool *pool, int sender)
{
    struct pollfd urgent = {.fd = pressure_file, .events = POLLPRI};
    use(pool, OBJECTS);
    check_that(!tide_epoch_poll());
    check_count(send(sender, "!", 1, MSG_OOB), 1);
    check_count(poll(&urgent, 1, LONG_MS), 1);
    check_that(is_ready(tide_epoch_fd(), LONG_MS));
    check_that(tide_epoch_poll());
    check_count(read_count(&epochs[TIDE_EPOCH_PRESSURE]), 2);
    check_count(read_count(&live), 0);
}

Test(pool, memory_pressure_drops_what_is_idle_where_the_kernel_tells)
{
    tide_pool *pool = open_pool();
    check_that(tide_epoch_fd() >= 0);
    start(&(tide_epoch_config){.pressure = true}); /* does not fail without */
    use(pool, OBJECTS);
    check_that(!tide_epoch_poll());
    stop();
    int sender = open_pressure();
    start(&(tide_epoch_config){.pressure = true});
    check_pressure(pool, sender);
    stop();
    close(sender);
    tide_pool_destroy(pool);
}

/* SPDX-License-Identifier: MIT */
/*
 * report.c: what is wrong, and the lines that say so; how far it is; crashes and hangs.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "soak.h"

enum { WRONG_MAX = 1000, TOLD_MAX = 10, PROGRESS_SECONDS = 10, END_SECONDS = 20, LINE_SIZE = 1024 };

struct totals totals;

static const char *const words[WRONG_COUNT] = {"lost", "duplicated", "leaked", "corrupted",
                                               "miscounted"};
static _Atomic uint64_t wrongs[WRONG_COUNT];
static _Atomic unsigned told;
static _Atomic bool summarised;
static bool is_child;

static struct {
    const char *body;
    uint64_t seed, start_ns, told_ns, first_epoch;
    _Atomic unsigned phase, phases;
} run;

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* In one write, which a signal handler may do too. */
static void say(int file, const char *line, size_t length)
{
    int before = errno;
    while (length && write(file, line, length) < 0 && errno == EINTR)
        ;
    errno = before;
}

#define SAY(file, ...)                                                                             \
    do {                                                                                           \
        char say_line[LINE_SIZE];                                                                  \
        int say_length = snprintf(say_line, sizeof(say_line), __VA_ARGS__);                        \
        say(file, say_line, (size_t)say_length);                                                   \
    } while (0)

static void tell(enum wrong what, const char *name, const char *detail)
{
    if (atomic_fetch_add(&told, 1) >= TOLD_MAX)
        return;
    SAY(STDERR_FILENO, "soak: body %s, seed %" PRIu64 ", phase %u: %s: pool %s: %s%s\n", run.body,
        run.seed, atomic_load(&run.phase), words[what], name, detail, is_child ? " (child)" : "");
}

/* The phase ends, soon or by the alarm: what is broken may hang. After very many the program
 * does. */
void report_wrong(enum wrong what, uint64_t times, const char *name, const char *detail)
{
    uint64_t before = atomic_fetch_add(&wrongs[what], times);
    if (!atomic_exchange(&stopping, true))
        alarm(END_SECONDS);
    tell(what, name, detail);
    if (before < WRONG_MAX || is_child)
        return;
    report_summary();
    _exit(1);
}

bool report_is_clean(void)
{
    return !report_bits();
}

unsigned report_bits(void)
{
    unsigned bits = 0;
    for (int i = 0; i < WRONG_COUNT; i++)
        bits |= atomic_load(&wrongs[i]) ? 1U << i : 0;
    return bits;
}

void report_as_child(void)
{
    is_child = true;
    for (int i = 0; i < WRONG_COUNT; i++)
        atomic_store(&wrongs[i], 0);
}

void report_phase(unsigned number)
{
    atomic_store(&run.phase, number);
    atomic_fetch_add(&run.phases, 1);
}

static double seconds(void)
{
    return (double)(now_ns() - run.start_ns) / 1e9;
}

void report_progress(bool now)
{
    bool terminal = isatty(STDERR_FILENO);
    uint64_t interval = terminal ? 500000000 : UINT64_C(1000000000) * PROGRESS_SECONDS;
    if (!now && now_ns() - run.told_ns < interval)
        return;
    run.told_ns = now_ns();
    SAY(STDERR_FILENO, "%ssoak: body %s, %.0f s, phase %u, %" PRIu64 " operations, %.1f M/s%s",
        terminal ? "\r\033[K" : "", run.body, seconds(), atomic_load(&run.phase),
        actors_operations(), (double)actors_operations() / 1e6 / seconds(),
        terminal && !now ? "" : "\n");
}

/* Once, whoever comes first. */
void report_summary(void)
{
    if (atomic_exchange(&summarised, true))
        return;
    SAY(STDOUT_FILENO,
        "soak: body %s, seed %" PRIu64 ", seconds %.1f, phases %u, operations %" PRIu64
        ", epochs %" PRIu64 ", forks %" PRIu64 ", signals %" PRIu64 ", threads %" PRIu64
        ", pools %" PRIu64 ", faults %" PRIu64 ", created %" PRIu64 ", lost %" PRIu64
        ", duplicated %" PRIu64 ", leaked %" PRIu64 ", corrupted %" PRIu64 ", miscounted %" PRIu64
        "\n",
        run.body, run.seed, seconds(), atomic_load(&run.phases), actors_operations(),
        tide_epoch_current() - run.first_epoch, totals.forks, actors_signals(), totals.threads,
        totals.pools, faults_count(), totals.created, wrongs[LOST], wrongs[DUPLICATED],
        wrongs[LEAKED], wrongs[CORRUPTED], wrongs[MISCOUNTED]);
}

/* What was seen before is told: it says why. The alarm is for a phase that does not end. */
static void end_badly(int number)
{
    char detail[LINE_SIZE / 2];
    if (is_child)
        _exit(128 + number);
    plan_describe(detail, sizeof(detail));
    SAY(STDERR_FILENO, "soak: body %s, seed %" PRIu64 ", phase %u: %s (signal %d): %s\n", run.body,
        run.seed, atomic_load(&run.phase), number == SIGALRM ? "hangs" : "crashed", number, detail);
    report_summary();
    _exit(number == SIGALRM && !report_is_clean() ? 1 : 128 + number);
}

/* A sanitizer says more about a crash than we do. */
static void catch_crashes(void)
{
    struct sigaction action = {.sa_handler = end_badly};
    sigaction(SIGALRM, &action, NULL);
    if (TIDE__ASAN || TIDE__TSAN)
        return;
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGABRT, &action, NULL);
}

void report_start(const char *body, uint64_t seed)
{
    run.body = body;
    run.seed = seed;
    run.start_ns = run.told_ns = now_ns();
    run.first_epoch = tide_epoch_current();
    catch_crashes();
}

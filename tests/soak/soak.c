/* SPDX-License-Identifier: MIT */
/*
 * soak.c: everything that a pool allows, at once and for long, while each object is watched.
 *
 *     soak [--seconds N] [--seed N] [--body rseq|cpu_id|portable] [--phase N] [--slots]
 *          [--fault NAME]
 *
 * Phases of a second or so follow one another; the seed and its number say what a phase does
 * (plan.c), so `--seed S --phase N` begins with one that failed. After each all counts must add
 * up. Prints one line, and exits 1 if an object was lost, got by two, leaked or corrupted, or if
 * the statistics were wrong; 77 if there is no such body here. --fault is for builds in which the
 * library is broken on purpose (fault.h); with --slots no object's memory is the library's, so
 * that one with two owners is seen before it crashes an allocator.
 */
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "body.h"
#include "fault.h"
#include "soak.h"

enum { HANG_SECONDS = 120, LOOK_US = 100000, WORKERS_MAX = 16, NO_SUCH_BODY = 77 };

enum tide__fault tide__fault_chosen;

static struct {
    unsigned seconds, phase;
    uint64_t seed;
    const char *body;
} options = {.seconds = 10, .body = "rseq"};

/* Until the phase or the whole is over, or something is wrong. */
static void wait_for_end(uint64_t end_ns)
{
    uint64_t phase_end_ns = now_ns() + plan.length_ms * UINT64_C(1000000);
    while (now_ns() < phase_end_ns && now_ns() < end_ns && !is_stopping()) {
        pause_us(LOOK_US);
        report_progress(false);
    }
}

static void run_threads(uint64_t end_ns)
{
    pthread_t workers[WORKERS_MAX];
    atomic_store(&stopping, false);
    disturb_start(1 + plan.workers);
    for (unsigned i = 0; i < plan.workers; i++)
        if (pthread_create(&workers[i], NULL, work_until_stopped, (void *)(uintptr_t)(1 + i)))
            exit(3);
    wait_for_end(end_ns);
    atomic_store(&stopping, true);
    for (unsigned i = 0; i < plan.workers; i++)
        pthread_join(workers[i], NULL);
    disturb_join();
}

static void run_phase(unsigned number, uint64_t end_ns)
{
    plan = plan_make(options.seed, number);
    report_phase(number);
    alarm(HANG_SECONDS); /* a hang is a failure too */
    actors[0].random = options.seed + number + 1;
    faults_start(plan.fault_one_in);
    stocks_open();
    run_threads(end_ns);
    faults_start(0);
    struct actor *actor = actor_begin(0);
    work_collect_all(actor);
    actor_end(actor);
    stocks_close();
}

static void tell_phase(void)
{
    char text[512];
    plan_describe(text, sizeof(text));
    fprintf(stderr, "soak: --body %s --seed %" PRIu64 " --phase %u was: %s\n", options.body,
            options.seed, plan.number, text);
}

static int run(void)
{
    uint64_t end_ns = now_ns() + options.seconds * UINT64_C(1000000000);
    unsigned number = options.phase;
    actors_start();
    report_start(options.body, options.seed);
    while (now_ns() < end_ns && report_is_clean())
        run_phase(number++, end_ns);
    report_progress(true);
    if (!report_is_clean())
        tell_phase();
    report_summary();
    return !report_is_clean();
}

static bool choose_fault(const char *name)
{
    static const char *const names[] = {"none",  "uncounted", "bytes",    "no_grace",
                                        "twice", "lost",      "scribbled"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(name, names[i]) != 0)
            continue;
        tide__fault_chosen = (enum tide__fault)i;
        return true;
    }
    return false;
}

static bool read_option(int option, const char *value)
{
    switch (option) {
    case 's':
        options.seconds = (unsigned)strtoul(value, NULL, 10);
        return options.seconds > 0;
    case 'r':
        options.seed = strtoull(value, NULL, 10);
        return true;
    case 'p':
        options.phase = (unsigned)strtoul(value, NULL, 10);
        return true;
    case 'b':
        options.body = value;
        return true;
    case 'o':
        plan_with_slots_only = true;
        return true;
    default:
        return option == 'f' && choose_fault(value);
    }
}

static bool parse(int argc, char **argv)
{
    static const struct option names[] = {
        {"seconds", 1, 0, 's'}, {"seed", 1, 0, 'r'},  {"body", 1, 0, 'b'}, {"phase", 1, 0, 'p'},
        {"fault", 1, 0, 'f'},   {"slots", 0, 0, 'o'}, {0, 0, 0, 0}};
    int option;
    options.seed = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 20;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
        if (!read_option(option, optarg))
            return false;
    return optind == argc;
}

int main(int argc, char **argv)
{
    const char *body = parse(argc, argv) ? body_choose(options.body) : NULL;
    if (!body) {
        fprintf(stderr,
                "usage: soak [--seconds N] [--seed N] [--body rseq|cpu_id|portable] "
                "[--phase N] [--slots] [--fault NAME]\n");
        return 2;
    }
    if (strcmp(body, options.body) != 0) {
        printf("soak: no restartable sequences here, so no body %s\n", options.body);
        return NO_SUCH_BODY;
    }
    return run();
}

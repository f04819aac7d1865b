/* SPDX-License-Identifier: MIT */
/*
 * trace.c: the lines of TIDE=trace, in the shape of Go's gctrace, and where they go.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "settings.h"
#include "source.h"
#include "text.h"
#include "tide_ctl.h"

enum { RING_LINES = 256, LINE_SIZE = 640, LINE_WORDS = LINE_SIZE / 8 }; /* no epoch's is longer */

static const char *const reasons[] = {
    [TIDE_EPOCH_ASKED] = "asked", [TIDE_EPOCH_GROWTH] = "growth",     [TIDE_EPOCH_LIMIT] = "limit",
    [TIDE_EPOCH_AGE] = "age",     [TIDE_EPOCH_PRESSURE] = "pressure",
};

static _Atomic uint64_t level; /* 0: off */

uint64_t tide__trace_level(void)
{
    return atomic_load_explicit(&level, memory_order_relaxed);
}

bool tide__trace_wants_pools(void)
{
    return tide__trace_level() == 2;
}

bool tide__trace_set_level(uint64_t wanted)
{
    if (wanted > 2) {
        errno = EINVAL;
        return false;
    }
    uint64_t before = atomic_exchange_explicit(&level, wanted, memory_order_relaxed);
    if (!before != !wanted)
        tide__account_ask(wanted);
    return true;
}

static double ms(uint64_t ns)
{
    return (double)ns / 1e6;
}

static double mib(size_t bytes)
{
    return (double)bytes / (1 << 20);
}

static void print_counts(FILE *stream, const tide_epoch_report *r)
{
    fprintf(stream,
            "hits %" PRIu64 "+%" PRIu64 "+%" PRIu64 "+%" PRIu64 ", misses %" PRIu64
            ", puts %" PRIu64 ", drops %" PRIu64 "+%" PRIu64 "+%" PRIu64 "+%" PRIu64 "+%" PRIu64
            ", busiest %u%%",
            r->hits_cpu, r->hits_batch, r->hits_stolen, r->hits_victim, r->misses, r->puts,
            r->dropped_idle, r->dropped_heavy, r->dropped_full, r->dropped_drained, r->dropped_lost,
            r->busiest_percent);
}

static void print_bytes(FILE *stream, const tide_epoch_report *r)
{
    fprintf(stream, "%.2f->%.2f->%.2f MB", mib(r->bytes_before), mib(r->bytes_after),
            mib(r->bytes_kept));
}

static void print_clock(FILE *stream, const tide_epoch_report *r)
{
    uint64_t end = r->start_ns + r->swap_ns + r->wait_ns + r->destroy_ns;
    fprintf(stream, "@%.3fs %u%%: %.3f+%.3f+%.3f ms clock", ms(r->start_ns) / 1000,
            (unsigned)(end ? 100 * r->all_ns / end : 0), ms(r->swap_ns), ms(r->wait_ns),
            ms(r->destroy_ns));
}

static void print_epoch(FILE *stream, const tide_epoch_report *r)
{
    fprintf(stream, "tide %" PRIu64 " ", r->number);
    print_clock(stream, r);
    fputs(", ", stream);
    print_bytes(stream, r);
    fprintf(stream, ", %.2f MB goal, %u P (%s%s); ", mib(r->bytes_goal), r->cpus,
            reasons[r->reason], r->capped ? ", capped" : "");
    print_counts(stream, r);
    fprintf(stream, ", stall %.3f ms, %.2f MB held, %u pools\n", ms(r->stall_ns),
            mib(r->bytes_held), r->pools);
}

void tide__trace_name(FILE *stream, uint64_t epoch, const char *kind, const char *name)
{
    fprintf(stream, "tide %" PRIu64 " %s", epoch, kind);
    tide__text_json(stream, name);
    fputs(": ", stream);
}

void tide__trace_pool(void *stream, const char *name, const tide_epoch_report *report)
{
    tide__trace_name(stream, report->number, "", name);
    print_counts(stream, report);
    fputs(", ", stream);
    print_bytes(stream, report);
    fputc('\n', stream);
}

char *tide__trace_lines(const tide_epoch_report *report, const char *pool_lines)
{
    char *lines = NULL;
    size_t size;
    FILE *stream = tide__trace_level() ? open_memstream(&lines, &size) : NULL;
    if (!stream)
        return NULL;
    print_epoch(stream, report);
    if (pool_lines)
        fputs(pool_lines, stream);
    fclose(stream);
    return lines;
}

static void write_all(int file, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(file, text, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        text += written;
        length -= (size_t)written;
    }
}

/* The ring: `ring_next` is the slot that is written next, and now if `ring_lock` is held. A slot
 * that is read while it is written again is noticed and left out. */
static struct line {
    _Atomic uint64_t words[LINE_WORDS]; /* the text, and zeros */
} * ring;
static uint64_t ring_count;
static _Atomic uint64_t ring_next;
static pthread_mutex_t ring_lock = PTHREAD_MUTEX_INITIALIZER;

/* One line with its end; the line of a pool may be cut for its name. */
static void keep_line(const char *line, size_t length)
{
    char text[LINE_SIZE] = "";
    uint64_t word;
    size_t used = length < LINE_SIZE ? length : LINE_SIZE;
    memcpy(text, line, used);
    text[used - 1] = '\n';
    pthread_mutex_lock(&ring_lock);
    uint64_t next = atomic_load_explicit(&ring_next, memory_order_relaxed);
    for (size_t i = 0; i < LINE_WORDS; i++) {
        memcpy(&word, text + i * sizeof(word), sizeof(word));
        /* Pairs with the acquire in copy_line: who meets this word finds `ring_next` here. */
        atomic_store_explicit(&ring[next % ring_count].words[i], word, memory_order_release);
    }
    /* Pairs with the acquire in tide_trace_write: the words of the slot. */
    atomic_store_explicit(&ring_next, next + 1, memory_order_release);
    pthread_mutex_unlock(&ring_lock);
}

static void keep_lines(const char *lines)
{
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        keep_line(lines, length + 1);
        lines += length + (lines[length] == '\n');
    }
}

void tide__trace_write(const char *lines)
{
    if (ring)
        keep_lines(lines);
    else
        write_all(STDERR_FILENO, lines, strlen(lines));
}

/* False if the slot has been given to a later line meanwhile. */
static bool copy_line(uint64_t number, char text[LINE_SIZE])
{
    for (size_t i = 0; i < LINE_WORDS; i++) {
        /* Pairs with the release in keep_line. */
        uint64_t word =
            atomic_load_explicit(&ring[number % ring_count].words[i], memory_order_acquire);
        memcpy(text + i * sizeof(word), &word, sizeof(word));
    }
    return atomic_load_explicit(&ring_next, memory_order_relaxed) < number + ring_count;
}

/* Also in a signal handler, which may have interrupted keep_line: the slot that is being
 * written, which is the oldest one, is left out. */
void tide_trace_write(int file)
{
    int before = errno;
    char text[LINE_SIZE];
    /* Pairs with the release in keep_line. */
    uint64_t next = atomic_load_explicit(&ring_next, memory_order_acquire);
    for (uint64_t i = next > ring_count - 1 ? next - (ring_count - 1) : 0; ring && i < next; i++) {
        if (copy_line(i, text))
            write_all(file, text, strnlen(text, LINE_SIZE));
    }
    errno = before;
}

static void write_on_signal(int number)
{
    tide_trace_write(STDERR_FILENO);
}

static void ignore_signal(int number, const char *why)
{
    fprintf(stderr, "tide: TIDE: 'signal:%d' ignored: %s\n", number, why);
}

/* Only a signal that the program has left alone. */
static void handle_signal(int number)
{
    struct sigaction action = {.sa_handler = write_on_signal, .sa_flags = SA_RESTART}, present;
    if (!ring)
        ignore_signal(number, "without trace:ring there is nothing to write");
    else if (sigaction(number, NULL, &present))
        ignore_signal(number, strerror(errno));
    else if (present.sa_handler != SIG_DFL)
        ignore_signal(number, "the program handles it");
    else if (sigaction(number, &action, NULL))
        ignore_signal(number, strerror(errno));
}

void tide__trace_start(void)
{
    uint64_t number = 0;
    uint64_t wanted = tide__setting_or(TIDE__TRACE, 0);
    if (wanted == TIDE__TRACE_RING) {
        wanted = 1;
        ring_count = tide__setting_or(TIDE__RING, RING_LINES) + 1;
        ring = calloc(ring_count, sizeof(*ring));
    }
    if (tide__setting(TIDE__SIGNAL, &number))
        handle_signal((int)number);
    tide__trace_set_level(wanted);
}

void tide__trace_after_fork(void)
{
    pthread_mutex_init(&ring_lock, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * trace.h: what `tide trace` reads from a log, and what it makes of it.
 *
 * A log has traces of two kinds, ours and gctrace's of Go, each perhaps. A trace is the list of
 * its epochs (Go's collections), their sums, and sums by pool and by arena. docs/trace.md documents
 * the lines.
 */
#ifndef TIDE_CLI_TRACE_H
#define TIDE_CLI_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trace_count {
    HITS_CPU,
    HITS_BATCH,
    HITS_STOLEN,
    HITS_VICTIM,
    MISSES,
    PUTS,
    DROPS_IDLE,
    DROPS_HEAVY,
    DROPS_FULL,
    DROPS_DRAINED,
    DROPS_LOST,
    TRACE_COUNT_COUNT
};

/* The first five are those of tide_epoch_reason; Go says no more than whether it was asked. */
enum trace_reason { ASKED, GROWTH, LIMIT, AGE, PRESSURE, PACED, TRACE_REASON_COUNT };

enum trace_kind { TRACE_TIDE, TRACE_GO, TRACE_KIND_COUNT };

extern const char *const trace_count_names[TRACE_COUNT_COUNT];
extern const char *const trace_reason_names[TRACE_REASON_COUNT];

/* A line's own figures, in its units: MB are 2^20 bytes. */
struct trace_epoch {
    double number;
    double start_s;  /* since the program's start */
    double percent;  /* of the time since then, or of the CPUs' time with Go */
    double clock_ms; /* the three phases */
    double stall_ms; /* the worst: of Go the longer one of the two phases that stop the world */
    double before_mb, after_mb, kept_mb, goal_mb, held_mb; /* held: of ours only */
    double cpus;
    double busiest_percent; /* from here on of ours only */
    double pools;
    enum trace_reason reason;
    bool capped;
    double counts[TRACE_COUNT_COUNT];
};

/* An arena's line, or the sum of several. */
struct trace_arena {
    double alive, held_mb, most_mb; /* of a sum: the most */
    double created, resets, chunks;
};

/* The line of a pool or of an arena, or the sum of several of one name. */
struct trace_pool {
    char *name; /* as it stands in the line, without its quotation marks; plain in the end */
    size_t name_length;
    double counts[TRACE_COUNT_COUNT];
    double busiest_percent;              /* of a sum: weighted by hits_cpu */
    double before_mb, after_mb, kept_mb; /* of a sum: the most */
    struct trace_arena arena;            /* instead of all these */
};

/* Sums by name; the most used first once the log is read. */
struct trace_names {
    struct trace_pool *items;
    size_t count, room;
};

struct trace {
    enum trace_kind kind;
    struct trace_epoch *epochs;
    size_t count, room;
    struct trace_names pools, arenas;
};

struct trace_log {
    struct trace traces[TRACE_KIND_COUNT];
    size_t skipped; /* lines of others */
    size_t damaged; /* lines that begin as ours or Go's and do not go on so */
    bool cut;       /* the last line has no end and is the beginning of such a line */
    int error;      /* errno of what failed, or 0 */
};

/* trace_line.c: the text of a line without its end. */
enum trace_line { LINE_OTHER, LINE_DAMAGED, LINE_TIDE, LINE_POOL, LINE_ARENA, LINE_GO };
enum trace_line trace_line_read(const char *text, size_t length, struct trace_epoch *epoch,
                                struct trace_pool *pool);
bool trace_line_may_begin(const char *text, size_t length); /* what is cut off so early */

/* trace_log.c: adds a line, of the last one whether it has an end; then, once, orders the pools. */
void trace_log_add(struct trace_log *log, const char *text, size_t length, bool has_end);
void trace_log_finish(struct trace_log *log);
void trace_log_drop(struct trace_log *log);

/* trace_sum.c: what is told of a trace. */
enum trace_quantile { P50, P90, P99, MAX, TRACE_QUANTILE_COUNT };
enum { BUCKET_COUNT = 32 }; /* each twice as wide as the one before, the first up to 1 us */

struct trace_times {
    double quantiles[TRACE_QUANTILE_COUNT]; /* ms */
    size_t buckets[BUCKET_COUNT];
};

struct trace_sum {
    const struct trace *trace;
    double span_s, clock_ms, time_percent;
    double program_percent; /* the last line's */
    size_t by_reason[TRACE_REASON_COUNT], capped;
    double counts[TRACE_COUNT_COUNT], gets, hits;
    double before_mb_max, after_mb_max, kept_mb_max, goal_mb_max, held_mb_max;
    double cpus_max;
    double busiest_percent;             /* weighted by hits_cpu, as the next */
    double excess_percent, spread_hits; /* where several CPUs were used: how much of what an even
                                         * share leaves to the others the busiest has; hits */
    struct trace_times stalls, clocks;
};

bool trace_sum_make(const struct trace *trace, struct trace_sum *sum); /* false: no memory */
double trace_hits(const double counts[TRACE_COUNT_COUNT]);
double trace_gets(const double counts[TRACE_COUNT_COUNT]);
double trace_percent(double part, double whole); /* 0 of nothing */

static inline void raise_to(double *most, double value)
{
    *most = value > *most ? value : *most;
}

/* trace_pattern.c: calls `found` for each pattern. `why` says the figures, `change` what to do.
 * `pool` is NULL where it is of all. Returns how many there were. */
struct trace_finding {
    const char *pattern;
    const struct trace_pool *pool;
    char why[256];
    const char *change;
};
size_t trace_patterns(const struct trace_sum *sum,
                      void (*found)(const struct trace_finding *finding, void *context),
                      void *context);

/* trace_print.c, trace_json.c: on standard output. Return how many patterns were found. */
size_t trace_print(const struct trace_log *log, const struct trace_sum *sums);
size_t trace_print_json(const char *file, const struct trace_log *log,
                        const struct trace_sum *sums);

#endif

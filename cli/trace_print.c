/* SPDX-License-Identifier: MIT */
/*
 * trace_print.c: a trace as tables for people.
 */
#include "command.h"
#include "text.h"
#include "trace.h"

#include <stdio.h>

static const struct {
    const char *title, *epochs, *epoch;
} words[TRACE_KIND_COUNT] = {
    [TRACE_TIDE] = {"tidepool", "epochs", "epoch"},
    [TRACE_GO] = {"gctrace", "collections", "collection"},
};

static void print_label(const char *label)
{
    printf("  %-10s ", label);
}

static void print_reasons(const struct trace_sum *sum)
{
    const char *separator = "";
    print_label("by reason");
    for (size_t i = 0; i < TRACE_REASON_COUNT; i++) {
        if (!sum->by_reason[i])
            continue;
        printf("%s%s %zu", separator, trace_reason_names[i], sum->by_reason[i]);
        separator = ", ";
    }
    if (sum->capped)
        printf("; %zu late, for the share of time that trimming may take", sum->capped);
    putchar('\n');
}

static void print_time(const struct trace_sum *sum)
{
    print_label("time");
    printf("%.3f ms, %.2f %% of the time; the last line says %.0f %%%s\n", sum->clock_ms,
           sum->time_percent, sum->program_percent,
           sum->trace->kind == TRACE_GO ? " of the CPUs'" : "");
}

static void print_bytes(const struct trace_sum *sum)
{
    print_label("bytes");
    printf("at most %.2f MB before, %.2f MB after, %.2f MB kept\n", sum->before_mb_max,
           sum->after_mb_max, sum->kept_mb_max);
    print_label("goal");
    printf("at most %.2f MB", sum->goal_mb_max);
    if (sum->trace->kind == TRACE_TIDE)
        printf("; held at most %.2f MB", sum->held_mb_max);
    putchar('\n');
}

static void print_uses(const double *c, double gets, double hits)
{
    print_label("hits");
    printf("%.0f own + %.0f batch + %.0f stolen + %.0f aged = %.2f %% of %.0f gets\n", c[HITS_CPU],
           c[HITS_BATCH], c[HITS_STOLEN], c[HITS_VICTIM], trace_percent(hits, gets), gets);
    print_label("misses");
    printf("%.0f\n", c[MISSES]);
    print_label("puts");
    printf("%.0f\n", c[PUTS]);
    print_label("drops");
    printf("%.0f idle + %.0f heavy + %.0f full + %.0f drained + %.0f lost\n", c[DROPS_IDLE],
           c[DROPS_HEAVY], c[DROPS_FULL], c[DROPS_DRAINED], c[DROPS_LOST]);
}

/* Go does not say, but the rows are the same. */
static void print_no_uses(void)
{
    static const char *const rows[] = {"hits", "misses", "puts", "drops"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        print_label(rows[i]);
        puts("-");
    }
}

static void print_table(const struct trace_sum *sum)
{
    enum trace_kind kind = sum->trace->kind;
    printf("%s: %zu %s in %.3f s\n", words[kind].title, sum->trace->count,
           sum->trace->count == 1 ? words[kind].epoch : words[kind].epochs, sum->span_s);
    print_reasons(sum);
    print_time(sum);
    print_label("CPUs");
    printf("%.0f", sum->cpus_max);
    if (kind == TRACE_TIDE)
        printf(", the busiest has %.0f %% of its hits", sum->busiest_percent);
    putchar('\n');
    print_bytes(sum);
    if (kind == TRACE_TIDE)
        print_uses(sum->counts, sum->gets, sum->hits);
    else
        print_no_uses();
}

static void print_quantiles(const char *label, const struct trace_times *times)
{
    print_label(label);
    for (size_t i = 0; i < TRACE_QUANTILE_COUNT; i++)
        printf(" %11.3f", times->quantiles[i]);
    putchar('\n');
}

static size_t bucket_max(const struct trace_sum *sum)
{
    size_t most = 1;
    for (size_t i = 0; i < BUCKET_COUNT; i++)
        most = sum->clocks.buckets[i] > most ? sum->clocks.buckets[i] : most;
    return most;
}

static bool is_empty(const struct trace_sum *sum, size_t bucket)
{
    return !sum->stalls.buckets[bucket] && !sum->clocks.buckets[bucket];
}

/* From the first to the last bucket that is used; the bars are of whole epochs. */
static void print_histogram(const struct trace_sum *sum)
{
    size_t first = 0, last = BUCKET_COUNT - 1, most = bucket_max(sum);
    while (first < last && is_empty(sum, first))
        first++;
    while (last > first && is_empty(sum, last))
        last--;
    printf("\n  %11s %11s %11s\n", "up to ms", "stalls", words[sum->trace->kind].epochs);
    for (size_t i = first; i <= last; i++) {
        printf("  %11.3f %11zu %11zu  ", 0.001 * (double)(1ull << i), sum->stalls.buckets[i],
               sum->clocks.buckets[i]);
        for (size_t bar = 0; bar < (30 * sum->clocks.buckets[i] + most - 1) / most; bar++)
            putchar('#');
        putchar('\n');
    }
}

static void print_pool(const struct trace_pool *pool)
{
    const double *c = pool->counts;
    double gets = trace_gets(c);
    printf("  %11.0f %7.2f %9.0f %9.0f %9.0f %9.0f %11.0f %9.0f %9.0f %8.0f %9.2f  ", gets,
           trace_percent(trace_hits(c), gets), c[HITS_BATCH], c[HITS_STOLEN], c[HITS_VICTIM],
           c[MISSES], c[PUTS], c[DROPS_IDLE],
           c[DROPS_HEAVY] + c[DROPS_FULL] + c[DROPS_DRAINED] + c[DROPS_LOST], pool->busiest_percent,
           pool->before_mb);
    tide__text_json(stdout, pool->name);
    putchar('\n');
}

static void print_pools(const struct trace *trace)
{
    if (!trace->pools.count)
        return;
    printf("\n  %11s %7s %9s %9s %9s %9s %11s %9s %9s %8s %9s  %s\n", "gets", "hits %", "batch",
           "stolen", "aged", "misses", "puts", "idle", "dropped", "busiest", "MB", "pool");
    for (size_t i = 0; i < trace->pools.count; i++)
        print_pool(&trace->pools.items[i]);
}

static void print_arenas(const struct trace *trace)
{
    if (trace->arenas.count)
        printf("\n  %11s %9s %9s %9s %9s %9s  %s\n", "resets", "created", "alive", "chunks",
               "held MB", "most MB", "arena");
    for (size_t i = 0; i < trace->arenas.count; i++) {
        const struct trace_arena *arena = &trace->arenas.items[i].arena;
        printf("  %11.0f %9.0f %9.0f %9.0f %9.2f %9.2f  ", arena->resets, arena->created,
               arena->alive, arena->chunks, arena->held_mb, arena->most_mb);
        tide__text_json(stdout, trace->arenas.items[i].name);
        putchar('\n');
    }
}

static void print_finding(const struct trace_finding *finding, void *context)
{
    const bool *colour = context;
    printf("  %s%s%s", *colour ? "\033[33m" : "", finding->pattern, *colour ? "\033[0m" : "");
    if (finding->pool) {
        fputs(" of ", stdout);
        tide__text_json(stdout, finding->pool->name);
    }
    printf(": %s\n    change: %s\n", finding->why, finding->change);
}

static size_t print_trace(const struct trace_sum *sum)
{
    bool colour = colour_wanted();
    print_table(sum);
    printf("\n  %-10s  %11s %11s %11s %11s\n", "ms", "P50", "P90", "P99", "max");
    print_quantiles("stall", &sum->stalls);
    print_quantiles(words[sum->trace->kind].epoch, &sum->clocks);
    print_histogram(sum);
    print_pools(sum->trace);
    print_arenas(sum->trace);
    puts("\npatterns");
    size_t count = trace_patterns(sum, print_finding, &colour);
    if (!count)
        puts("  none");
    return count;
}

size_t trace_print(const struct trace_log *log, const struct trace_sum *sums)
{
    size_t count = 0;
    for (size_t i = 0; i < TRACE_KIND_COUNT; i++) {
        if (!sums[i].trace->count)
            continue;
        count += print_trace(&sums[i]);
        putchar('\n');
    }
    printf("lines of others: %zu; damaged: %zu\n", log->skipped, log->damaged);
    return count;
}

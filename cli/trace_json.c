/* SPDX-License-Identifier: MIT */
/*
 * trace_json.c: a trace as one JSON object.
 */
#include "text.h"
#include "trace.h"

#include <stdio.h>

static void print_member(const char *name, double value)
{
    printf("\"%s\": %.15g, ", name, value);
}

static void print_counts(const double counts[TRACE_COUNT_COUNT])
{
    fputs("\"counts\": {", stdout);
    for (size_t i = 0; i < TRACE_COUNT_COUNT; i++)
        printf("%s\"%s\": %.0f", i ? ", " : "", trace_count_names[i], counts[i]);
    fputs("}, ", stdout);
}

static void print_reasons(const struct trace_sum *sum)
{
    fputs("\"reasons\": {", stdout);
    for (size_t i = 0; i < TRACE_REASON_COUNT; i++)
        printf("%s\"%s\": %zu", i ? ", " : "", trace_reason_names[i], sum->by_reason[i]);
    printf("}, \"capped\": %zu, ", sum->capped);
}

static void print_times(const char *name, const struct trace_times *times)
{
    static const char *const quantiles[] = {
        [P50] = "p50", [P90] = "p90", [P99] = "p99", [MAX] = "max"};
    printf("\"%s\": {", name);
    for (size_t i = 0; i < TRACE_QUANTILE_COUNT; i++)
        print_member(quantiles[i], times->quantiles[i]);
    fputs("\"buckets\": [", stdout);
    for (size_t i = 0; i < BUCKET_COUNT; i++)
        printf("%s%zu", i ? ", " : "", times->buckets[i]);
    puts("]},");
}

static void print_name(bool is_first, const char *name)
{
    fputs(is_first ? "\n{\"name\": " : ",\n{\"name\": ", stdout);
    tide__text_json(stdout, name);
    fputs(", ", stdout);
}

static void print_pools(const struct trace *trace)
{
    fputs("\"pools\": [", stdout);
    for (size_t i = 0; i < trace->pools.count; i++) {
        const struct trace_pool *pool = &trace->pools.items[i];
        print_name(i == 0, pool->name);
        print_counts(pool->counts);
        print_member("before_mb_max", pool->before_mb);
        print_member("after_mb_max", pool->after_mb);
        print_member("kept_mb_max", pool->kept_mb);
        printf("\"busiest_percent\": %.15g}", pool->busiest_percent);
    }
    puts("],");
}

static void print_arenas(const struct trace *trace)
{
    fputs("\"arenas\": [", stdout);
    for (size_t i = 0; i < trace->arenas.count; i++) {
        const struct trace_arena *arena = &trace->arenas.items[i].arena;
        print_name(i == 0, trace->arenas.items[i].name);
        print_member("alive_max", arena->alive);
        print_member("created", arena->created);
        print_member("resets", arena->resets);
        print_member("chunks", arena->chunks);
        print_member("held_mb_max", arena->held_mb);
        printf("\"most_mb\": %.15g}", arena->most_mb);
    }
    puts("],");
}

static void print_finding(const struct trace_finding *finding, void *context)
{
    bool *is_first = context;
    printf("%s\n{\"pattern\": \"%s\", \"pool\": ", *is_first ? "" : ",", finding->pattern);
    *is_first = false;
    if (finding->pool)
        tide__text_json(stdout, finding->pool->name);
    else
        fputs("null", stdout);
    fputs(", \"why\": ", stdout);
    tide__text_json(stdout, finding->why);
    fputs(", \"change\": ", stdout);
    tide__text_json(stdout, finding->change);
    putchar('}');
}

static void print_sums(const struct trace_sum *sum)
{
    print_member("span_s", sum->span_s);
    print_member("time_ms", sum->clock_ms);
    print_member("time_percent", sum->time_percent);
    print_member("program_percent", sum->program_percent);
    print_member("cpus", sum->cpus_max);
    print_member("busiest_percent", sum->busiest_percent);
    print_member("before_mb_max", sum->before_mb_max);
    print_member("after_mb_max", sum->after_mb_max);
    print_member("kept_mb_max", sum->kept_mb_max);
    print_member("goal_mb_max", sum->goal_mb_max);
    print_member("held_mb_max", sum->held_mb_max);
}

static size_t print_trace(const struct trace_sum *sum)
{
    bool is_first = true;
    printf("{\"kind\": \"%s\", \"epochs\": %zu, ",
           sum->trace->kind == TRACE_GO ? "gctrace" : "tidepool", sum->trace->count);
    print_reasons(sum);
    print_sums(sum);
    print_counts(sum->counts);
    putchar('\n');
    print_times("stall_ms", &sum->stalls);
    print_times("epoch_ms", &sum->clocks);
    print_pools(sum->trace);
    print_arenas(sum->trace);
    fputs("\"patterns\": [", stdout);
    size_t count = trace_patterns(sum, print_finding, &is_first);
    fputs("]}", stdout);
    return count;
}

size_t trace_print_json(const char *file, const struct trace_log *log, const struct trace_sum *sums)
{
    size_t count = 0;
    const char *separator = "\n";
    printf("{\"version\": \"%s\", \"file\": ", TIDE_VERSION);
    tide__text_json(stdout, file);
    printf(", \"skipped\": %zu, \"damaged\": %zu, \"cut\": %s, \"traces\": [", log->skipped,
           log->damaged, log->cut ? "true" : "false");
    for (size_t i = 0; i < TRACE_KIND_COUNT; i++) {
        if (!sums[i].trace->count)
            continue;
        fputs(separator, stdout);
        separator = ",\n";
        count += print_trace(&sums[i]);
    }
    puts("]}");
    return count;
}

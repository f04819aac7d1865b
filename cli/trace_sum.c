/* SPDX-License-Identifier: MIT */
/*
 * trace_sum.c: adds up a trace, and puts its times in order.
 */
#include "trace.h"

#include <stdlib.h>

static const double shares[TRACE_QUANTILE_COUNT] = {
    [P50] = 0.5, [P90] = 0.9, [P99] = 0.99, [MAX] = 1};

double trace_hits(const double counts[TRACE_COUNT_COUNT])
{
    return counts[HITS_CPU] + counts[HITS_BATCH] + counts[HITS_STOLEN] + counts[HITS_VICTIM];
}

double trace_gets(const double counts[TRACE_COUNT_COUNT])
{
    return trace_hits(counts) + counts[MISSES];
}

double trace_percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

static void add_bytes(struct trace_sum *sum, const struct trace_epoch *epoch)
{
    raise_to(&sum->before_mb_max, epoch->before_mb);
    raise_to(&sum->after_mb_max, epoch->after_mb);
    raise_to(&sum->kept_mb_max, epoch->kept_mb);
    raise_to(&sum->goal_mb_max, epoch->goal_mb);
    raise_to(&sum->held_mb_max, epoch->held_mb);
}

static void add_epoch(struct trace_sum *sum, const struct trace_epoch *epoch)
{
    sum->clock_ms += epoch->clock_ms;
    sum->by_reason[epoch->reason]++;
    sum->capped += epoch->capped;
    for (size_t i = 0; i < TRACE_COUNT_COUNT; i++)
        sum->counts[i] += epoch->counts[i];
    add_bytes(sum, epoch);
    raise_to(&sum->cpus_max, epoch->cpus);
    sum->busiest_percent += epoch->busiest_percent * epoch->counts[HITS_CPU];
    if (epoch->cpus < 2)
        return;
    double even = 100 / epoch->cpus, hits = epoch->counts[HITS_CPU];
    sum->spread_hits += hits;
    sum->excess_percent += trace_percent(epoch->busiest_percent - even, 100 - even) * hits;
}

static double end_s(const struct trace_epoch *epoch)
{
    return epoch->start_s + epoch->clock_ms / 1000;
}

/* From the program's start if the log goes back to it, else from the first epoch's. Epochs may
 * overlap, so that the first line need not be the first epoch's, nor the last the last's. */
static double span_s(const struct trace *trace)
{
    double start = trace->epochs[0].start_s, end = 0;
    for (size_t i = 0; i < trace->count; i++) {
        const struct trace_epoch *epoch = &trace->epochs[i];
        if (epoch->number <= 1)
            start = 0;
        start = epoch->start_s < start ? epoch->start_s : start;
        raise_to(&end, end_s(epoch));
    }
    return end - start;
}

static int compare_times(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

static unsigned bucket_of(double ms)
{
    unsigned bucket = 0;
    for (double end = 0.001; ms > end && bucket < BUCKET_COUNT - 1; end *= 2)
        bucket++;
    return bucket;
}

/* A quantile is the smallest time that so large a share of them does not exceed. */
static void arrange(double *times, size_t count, struct trace_times *result)
{
    qsort(times, count, sizeof(*times), compare_times);
    for (size_t i = 0; i < TRACE_QUANTILE_COUNT; i++) {
        double below = shares[i] * (double)count;
        size_t rank = (size_t)below;
        rank += (double)rank < below;
        result->quantiles[i] = times[rank ? rank - 1 : 0];
    }
    for (size_t i = 0; i < count; i++)
        result->buckets[bucket_of(times[i])]++;
}

static bool add_times(const struct trace *trace, struct trace_sum *sum)
{
    double *times = reallocarray(NULL, trace->count, sizeof(*times));
    if (!times)
        return false;
    for (size_t i = 0; i < trace->count; i++)
        times[i] = trace->epochs[i].stall_ms;
    arrange(times, trace->count, &sum->stalls);
    for (size_t i = 0; i < trace->count; i++)
        times[i] = trace->epochs[i].clock_ms;
    arrange(times, trace->count, &sum->clocks);
    free(times);
    return true;
}

bool trace_sum_make(const struct trace *trace, struct trace_sum *sum)
{
    *sum = (struct trace_sum){.trace = trace};
    if (trace->count == 0)
        return true;
    for (size_t i = 0; i < trace->count; i++)
        add_epoch(sum, &trace->epochs[i]);
    sum->span_s = span_s(trace);
    sum->time_percent = trace_percent(sum->clock_ms, sum->span_s * 1000);
    sum->gets = trace_gets(sum->counts);
    sum->hits = trace_hits(sum->counts);
    if (sum->counts[HITS_CPU] > 0)
        sum->busiest_percent /= sum->counts[HITS_CPU];
    if (sum->spread_hits > 0)
        sum->excess_percent /= sum->spread_hits;
    sum->program_percent = trace->epochs[trace->count - 1].percent;
    return add_times(trace, sum);
}

/* SPDX-License-Identifier: MIT */
/*
 * trace_pattern.c: the patterns that `tide trace` names, each a rule over the sums of a trace.
 *
 * docs/trace.md words the rules for readers; a test compares its figures with these.
 */
#include "trace.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    EPOCHS_MIN = 10,           /* fewer epochs say nothing, */
    USES_MIN = 1000,           /* nor do fewer gets and puts */
    THRASH_TIME_PERCENT = 10,  /* of the time spent in epochs */
    THRASH_STALE_PERCENT = 50, /* of gets that missed or found an aged object */
    THRASH_GO_PERCENT = 20,    /* of the CPUs' time that Go's collector took */
    LIMIT_PERCENT = 25,        /* of epochs that were for the limit */
    LIMIT_CAPPED_PERCENT = 20, /* of these that came late, for trim_percent_max */
    LIMIT_HELD_PERCENT = 95,   /* of the goal: as much was held after an epoch for the limit */
    LIMIT_FULL_PERCENT = 75,   /* of these epochs that left so much */
    LIMIT_GO_PERCENT = 110,    /* of what a collection kept: the next goal was no more */
    LIMIT_GO_FULL_PERCENT = 50,
    PUTS_PERCENT = 200,       /* of gets: so many puts come from elsewhere */
    STOLEN_PERMILLE = 10,     /* of gets that took another CPU's batch, 62 objects at best */
    STOLEN_OWN_PERCENT = 300, /* of this CPU's own batches */
    IMBALANCE_PERCENT = 50,   /* of what an even share leaves to the other CPUs */
    NEVER_PERCENT = 1,        /* of gets that hit */
    CAUSE_PERCENT = 50        /* of puts: what explains that */
};

/* Where findings go. */
struct report {
    const struct trace_sum *sum;
    void (*found)(const struct trace_finding *finding, void *context);
    void *context;
    size_t count;
};

static __attribute__((format(printf, 5, 6))) void tell(struct report *report, const char *pattern,
                                                       const struct trace_pool *pool,
                                                       const char *change, const char *format, ...)
{
    struct trace_finding finding = {.pattern = pattern, .pool = pool, .change = change};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding.why, sizeof(finding.why), format, arguments);
    va_end(arguments);
    report->found(&finding, report->context);
    report->count++;
}

static void look_for_thrash(struct report *report)
{
    const struct trace_sum *sum = report->sum;
    double stale = trace_percent(sum->counts[MISSES] + sum->counts[HITS_VICTIM], sum->gets);
    if (sum->trace->count >= EPOCHS_MIN && sum->gets >= USES_MIN &&
        sum->time_percent >= THRASH_TIME_PERCENT && stale >= THRASH_STALE_PERCENT)
        tell(report, "thrash", NULL,
             "make epochs rarer: raise growth or age, advance less often, or set keep_min",
             "epochs took %.1f %% of the time, and %.1f %% of gets missed or found an aged object",
             sum->time_percent, stale);
}

static void look_for_thrash_go(struct report *report)
{
    const struct trace_sum *sum = report->sum;
    if (sum->trace->count >= EPOCHS_MIN && sum->program_percent >= THRASH_GO_PERCENT)
        tell(report, "thrash", NULL, "make collections rarer: raise GOGC, or allocate less",
             "the collector took %.0f %% of the CPUs' time", sum->program_percent);
}

/* Epochs for the limit after which as much was held as allowed. */
static size_t count_full(const struct trace *trace)
{
    size_t full = 0;
    for (size_t i = 0; i < trace->count; i++) {
        const struct trace_epoch *epoch = &trace->epochs[i];
        full += epoch->reason == LIMIT &&
                trace_percent(epoch->held_mb, epoch->goal_mb) >= LIMIT_HELD_PERCENT;
    }
    return full;
}

static void look_for_limit(struct report *report)
{
    const struct trace_sum *sum = report->sum;
    double epochs = (double)sum->by_reason[LIMIT];
    double full = trace_percent((double)count_full(sum->trace), epochs);
    double capped = trace_percent((double)sum->capped, epochs);
    if (epochs >= EPOCHS_MIN && trace_percent(epochs, (double)sum->trace->count) >= LIMIT_PERCENT &&
        (full >= LIMIT_FULL_PERCENT || capped >= LIMIT_CAPPED_PERCENT))
        tell(report, "limit-too-low", NULL,
             "raise the limit above what is on loan at a time, or hold fewer objects",
             "of %.0f epochs for the limit %.0f %% left what is held at it, %.0f %% came late",
             epochs, full, capped);
}

/* Collections whose goal was hardly more than what the one before had kept. */
static void look_for_limit_go(struct report *report)
{
    const struct trace *trace = report->sum->trace;
    size_t full = 0, paced = 0;
    for (size_t i = 1; i < trace->count; i++) {
        const struct trace_epoch *epoch = &trace->epochs[i];
        paced += epoch->reason != ASKED;
        full += epoch->reason != ASKED && trace_percent(epoch->goal_mb, epoch[-1].kept_mb) > 0 &&
                trace_percent(epoch->goal_mb, epoch[-1].kept_mb) <= LIMIT_GO_PERCENT;
    }
    double share = trace_percent((double)full, (double)paced);
    if (paced >= EPOCHS_MIN && share >= LIMIT_GO_FULL_PERCENT)
        tell(report, "limit-too-low", NULL, "raise GOMEMLIMIT or GOGC, or keep less alive",
             "in %.0f %% of collections the goal left no room above what was alive", share);
}

static void look_for_imbalance(struct report *report)
{
    const struct trace_sum *sum = report->sum;
    if (sum->spread_hits >= USES_MIN && 2 * sum->spread_hits >= sum->counts[HITS_CPU] &&
        sum->excess_percent >= IMBALANCE_PERCENT)
        tell(report, "imbalance", NULL,
             "spread the work over threads; what one thread alone uses needs no pool",
             "of %.0f CPUs the busiest had %.0f %% of the hits", sum->cpus_max,
             sum->busiest_percent);
}

static void look_for_one_side(struct report *report, const struct trace_pool *pool,
                              const double *counts)
{
    double gets = trace_gets(counts), stolen = counts[HITS_STOLEN];
    if (gets + counts[PUTS] < USES_MIN)
        return;
    if (100 * counts[PUTS] >= PUTS_PERCENT * gets)
        tell(report, "one-sided-producers", pool,
             "get what is put here from this pool, or free it instead", "%.0f puts for %.0f gets",
             counts[PUTS], gets);
    else if (stolen * 1000 >= STOLEN_PERMILLE * gets &&
             100 * stolen >= STOLEN_OWN_PERCENT * counts[HITS_BATCH])
        tell(report, "one-sided-producers", pool,
             "get and put in the same thread where you can, in bulk where you cannot",
             "%.0f of %.0f gets took a batch that another CPU had filled, %.0f one of their own",
             stolen, gets, counts[HITS_BATCH]);
}

/* What to change where nothing hits depends on where the objects go. */
static const char *never_change(const double *counts)
{
    double gets = trace_gets(counts), puts = counts[PUTS];
    if (trace_percent(puts, gets) < CAUSE_PERCENT)
        return "put objects back, or allocate them without a pool";
    if (trace_percent(counts[DROPS_HEAVY] + counts[DROPS_FULL], puts) >= CAUSE_PERCENT)
        return "raise weight_max or cached_bytes_max: objects are destroyed when they are put";
    if (trace_percent(counts[DROPS_IDLE], puts) >= CAUSE_PERCENT)
        return "make epochs rarer or set keep_min: objects are dropped before they are wanted";
    return "put objects back sooner, or do without the pool";
}

static void look_for_no_hits(struct report *report, const struct trace_pool *pool,
                             const double *counts)
{
    double gets = trace_gets(counts), hits = trace_hits(counts);
    if (gets >= USES_MIN && trace_percent(hits, gets) <= NEVER_PERCENT)
        tell(report, "never-hits", pool, never_change(counts),
             "%.0f of %.0f gets found an object; %.0f puts", hits, gets, counts[PUTS]);
}

/* By pool where the log has them. */
static void look_at_pools(struct report *report)
{
    const struct trace *trace = report->sum->trace;
    if (trace->pools.count == 0) {
        look_for_one_side(report, NULL, report->sum->counts);
        look_for_no_hits(report, NULL, report->sum->counts);
    }
    for (size_t i = 0; i < trace->pools.count; i++) {
        look_for_one_side(report, &trace->pools.items[i], trace->pools.items[i].counts);
        look_for_no_hits(report, &trace->pools.items[i], trace->pools.items[i].counts);
    }
}

size_t trace_patterns(const struct trace_sum *sum,
                      void (*found)(const struct trace_finding *finding, void *context),
                      void *context)
{
    struct report report = {sum, found, context, 0};
    if (sum->trace->kind == TRACE_GO) {
        look_for_thrash_go(&report);
        look_for_limit_go(&report);
        return report.count;
    }
    look_for_thrash(&report);
    look_for_limit(&report);
    look_for_imbalance(&report);
    look_at_pools(&report);
    return report.count;
}

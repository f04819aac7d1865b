/* SPDX-License-Identifier: MIT */
/*
 * trace_fuzz.c: `tide trace` on any text: reads it, adds it up, prints it both ways.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    if (!freopen("/dev/null", "w", stdout))
        abort();
    return 0;
}

/* Each line in an allocation of its own size, so that a read beyond it is seen. */
static void add_lines(struct trace_log *log, const char *text, size_t size)
{
    while (size) {
        const char *end = memchr(text, '\n', size);
        size_t length = end ? (size_t)(end - text) : size;
        char *line = malloc(length ? length : 1);
        memcpy(line, text, length);
        trace_log_add(log, line, length, end);
        free(line);
        text += length + !!end;
        size -= length + !!end;
    }
    trace_log_finish(log);
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_times(const struct trace_times *times, size_t count)
{
    size_t in_buckets = 0;
    for (size_t i = 1; i < TRACE_QUANTILE_COUNT; i++)
        require(times->quantiles[i - 1] <= times->quantiles[i]);
    for (size_t i = 0; i < BUCKET_COUNT; i++)
        in_buckets += times->buckets[i];
    require(in_buckets == count);
}

static void check_sum(const struct trace_sum *sum)
{
    if (!sum->trace->count)
        return;
    check_times(&sum->stalls, sum->trace->count);
    check_times(&sum->clocks, sum->trace->count);
    require(sum->hits <= sum->gets && sum->span_s >= 0);
    require(sum->gets - sum->gets == 0); /* not infinite */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace_log log = {0};
    struct trace_sum sums[TRACE_KIND_COUNT];
    add_lines(&log, (const char *)data, size);
    for (size_t i = 0; i < TRACE_KIND_COUNT; i++) {
        require(trace_sum_make(&log.traces[i], &sums[i]));
        check_sum(&sums[i]);
    }
    require(trace_print(&log, sums) == trace_print_json("input", &log, sums));
    trace_log_drop(&log);
    return 0;
}

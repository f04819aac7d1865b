/* SPDX-License-Identifier: MIT */
/*
 * metrics.c: takes the counters of all pools, and prints them.
 */
#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pacer.h"
#include "text.h"
#include "tide_ctl.h"

#define METRIC(field, is_gauge, help)                                                              \
    {                                                                                              \
#field, offsetof(tide_pool_stats, field), is_gauge, help                                   \
    }

const struct metric tide__metrics[] = {
    METRIC(gets, false, "Objects asked for."),
    METRIC(hits_cpu, false, "Objects found on this CPU's stack."),
    METRIC(hits_batch, false, "Objects found in a batch of this CPU."),
    METRIC(hits_stolen, false, "Objects found in a batch of another CPU."),
    METRIC(hits_victim, false, "Objects found in the victim generation."),
    METRIC(misses, false, "Objects created."),
    METRIC(failures, false, "Creations that failed."),
    METRIC(puts, false, "Objects put."),
    METRIC(prewarmed, false, "Objects created ahead of their use."),
    METRIC(destroyed_epoch, false, "Objects destroyed by epochs."),
    METRIC(destroyed_drain, false, "Objects destroyed by drains."),
    METRIC(destroyed_put, false, "Objects destroyed at put for lack of memory."),
    METRIC(destroyed_heavy, false, "Objects destroyed at put for their weight."),
    METRIC(destroyed_full, false, "Objects destroyed at put for the limit in bytes."),
    METRIC(destroyed_random, false, "Objects destroyed by a checked pool's random drops."),
    METRIC(kept, false, "Idle objects that epochs left in place."),
    METRIC(cached, true, "Objects in the pool, without victims."),
    METRIC(victims, true, "Objects that the next epoch destroys."),
    METRIC(cached_bytes, true, "Bytes that the pool's objects hold."),
};

const size_t tide__metric_count = sizeof(tide__metrics) / sizeof(*tide__metrics);

static void add_stats(tide_pool_stats *sum, const tide_pool_stats *stats)
{
    for (size_t i = 0; i < tide__metric_count; i++)
        *(uint64_t *)(void *)((char *)sum + tide__metrics[i].offset) +=
            metric_value(stats, &tide__metrics[i]);
}

static tide_pool_stats *find_entry(struct metrics *metrics, const char *name)
{
    for (size_t i = 0; i < metrics->count; i++)
        if (strcmp(metrics->pools[i].name, name) == 0)
            return &metrics->pools[i];
    return NULL;
}

static tide_pool_stats *add_entry(struct metrics *metrics, const char *name)
{
    if (metrics->count == metrics->room) {
        size_t room = metrics->room ? 2 * metrics->room : 16;
        tide_pool_stats *pools = reallocarray(metrics->pools, room, sizeof(*pools));
        if (!pools)
            return NULL;
        metrics->pools = pools;
        metrics->room = room;
    }
    char *copy = strdup(name);
    if (!copy)
        return NULL;
    metrics->pools[metrics->count] = (tide_pool_stats){.name = copy};
    return &metrics->pools[metrics->count++];
}

static bool add_pool(const tide_pool *pool, void *context)
{
    struct metrics *metrics = context;
    tide_pool_stats stats;
    tide_pool_read_stats(pool, &stats);
    tide_pool_stats *entry = find_entry(metrics, stats.name);
    if (!entry)
        entry = add_entry(metrics, stats.name);
    if (entry)
        add_stats(entry, &stats);
    metrics->failed = !entry;
    return entry;
}

void tide__metrics_take(struct metrics *metrics)
{
    *metrics = (struct metrics){0};
    tide_pool_walk(add_pool, metrics);
}

void tide__metrics_drop(struct metrics *metrics)
{
    for (size_t i = 0; i < metrics->count; i++)
        free((char *)(uintptr_t)metrics->pools[i].name);
    free(metrics->pools);
}

static void print_json_pool(FILE *stream, const tide_pool_stats *pool)
{
    fputs("{\"name\": ", stream);
    tide__text_json(stream, pool->name);
    for (size_t i = 0; i < tide__metric_count; i++)
        fprintf(stream, ", \"%s\": %" PRIu64, tide__metrics[i].name,
                metric_value(pool, &tide__metrics[i]));
    fputc('}', stream);
}

static void print_json(FILE *stream, const struct metrics *metrics)
{
    fputc('{', stream);
    for (size_t i = 0; i < tide__pacer_value_count; i++) {
        uint64_t value = 0;
        if (tide__pacer_read(i, &value))
            fprintf(stream, "\"%s\": %" PRIu64 ", ", tide__pacer_names[i], value);
    }
    fputs("\"pools\": [", stream);
    for (size_t i = 0; i < metrics->count; i++) {
        fputs(i ? ",\n" : "\n", stream);
        print_json_pool(stream, &metrics->pools[i]);
    }
    fputs("\n]}\n", stream);
}

/* "epoch.limit_bytes" as part of a Prometheus name. */
static void print_underscored(FILE *stream, const char *name)
{
    for (; *name; name++)
        fputc(*name == '.' ? '_' : *name, stream);
}

static void print_prometheus_settings(FILE *stream)
{
    for (size_t i = 0; i < tide__pacer_value_count; i++) {
        uint64_t value = 0;
        if (!tide__pacer_read(i, &value))
            continue;
        fputs("# TYPE tidepool_", stream);
        print_underscored(stream, tide__pacer_names[i]);
        fputs(" gauge\ntidepool_", stream);
        print_underscored(stream, tide__pacer_names[i]);
        fprintf(stream, " %" PRIu64 "\n", value);
    }
}

static void print_prometheus(FILE *stream, const struct metrics *metrics)
{
    print_prometheus_settings(stream);
    for (size_t i = 0; i < tide__metric_count; i++) {
        const struct metric *metric = &tide__metrics[i];
        const char *suffix = metric->is_gauge ? "" : "_total";
        fprintf(stream, "# HELP tidepool_pool_%s%s %s\n# TYPE tidepool_pool_%s%s %s\n",
                metric->name, suffix, metric->help, metric->name, suffix,
                metric->is_gauge ? "gauge" : "counter");
        for (size_t pool = 0; pool < metrics->count; pool++) {
            fprintf(stream, "tidepool_pool_%s%s{pool=", metric->name, suffix);
            tide__text_label(stream, metrics->pools[pool].name);
            fprintf(stream, "} %" PRIu64 "\n", metric_value(&metrics->pools[pool], metric));
        }
    }
}

static size_t print_all(char *text, size_t size,
                        void (*print)(FILE *stream, const struct metrics *metrics))
{
    struct metrics metrics;
    char *all = NULL;
    size_t length = 0;
    tide__metrics_take(&metrics);
    FILE *stream = metrics.failed ? NULL : open_memstream(&all, &length);
    if (stream) {
        print(stream, &metrics);
        length = fclose(stream) ? 0 : length;
    }
    if (size)
        snprintf(text, size, "%s", length ? all : "");
    free(all);
    tide__metrics_drop(&metrics);
    return length;
}

size_t tide_ctl_json(char *text, size_t size)
{
    return print_all(text, size, print_json);
}

size_t tide_ctl_prometheus(char *text, size_t size)
{
    return print_all(text, size, print_prometheus);
}

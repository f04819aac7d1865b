/* SPDX-License-Identifier: MIT */
/*
 * metrics.c: takes the counters of all names of a source, and prints those of all sources.
 */
#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pacer.h"
#include "text.h"
#include "tide_ctl.h"

static struct metrics_entry *find_entry(const struct metrics *metrics, const char *name)
{
    for (size_t i = 0; i < metrics->count; i++)
        if (strcmp(metrics->entries[i]->name, name) == 0)
            return metrics->entries[i];
    return NULL;
}

static struct metrics_entry *make_entry(const char *name, size_t values)
{
    struct metrics_entry *entry = calloc(1, sizeof(*entry) + values * sizeof(*entry->values));
    if (entry)
        entry->name = strdup(name);
    if (entry && entry->name)
        return entry;
    free(entry);
    return NULL;
}

static struct metrics_entry *add_entry(struct metrics *metrics, const char *name)
{
    if (metrics->count == metrics->room) {
        size_t room = metrics->room ? 2 * metrics->room : 16;
        struct metrics_entry **entries = reallocarray(metrics->entries, room, sizeof(*entries));
        if (!entries)
            return NULL;
        metrics->entries = entries;
        metrics->room = room;
    }
    struct metrics_entry *entry = make_entry(name, metrics->source->metric_count);
    if (entry)
        metrics->entries[metrics->count++] = entry;
    return entry;
}

static bool add_stats(const char *name, const void *stats, void *context)
{
    struct metrics *metrics = context;
    const struct source *source = metrics->source;
    struct metrics_entry *entry = find_entry(metrics, name);
    if (!entry)
        entry = add_entry(metrics, name);
    for (size_t i = 0; entry && i < source->metric_count; i++)
        entry->values[i] += metric_value(stats, &source->metrics[i]);
    metrics->failed = !entry;
    return entry;
}

void tide__metrics_take(struct metrics *metrics, const struct source *source)
{
    *metrics = (struct metrics){.source = source};
    source->walk(add_stats, metrics);
}

void tide__metrics_drop(struct metrics *metrics)
{
    for (size_t i = 0; i < metrics->count; i++) {
        free(metrics->entries[i]->name);
        free(metrics->entries[i]);
    }
    free(metrics->entries);
}

static void print_json_settings(FILE *stream)
{
    fputc('{', stream);
    for (size_t i = 0; i < tide__pacer_value_count; i++) {
        uint64_t value = 0;
        if (tide__pacer_read(i, &value))
            fprintf(stream, "\"%s\": %" PRIu64 ", ", tide__pacer_names[i], value);
    }
}

static void print_json_entry(FILE *stream, const struct source *source,
                             const struct metrics_entry *entry)
{
    fputs("{\"name\": ", stream);
    tide__text_json(stream, entry->name);
    for (size_t i = 0; i < source->metric_count; i++)
        fprintf(stream, ", \"%s\": %" PRIu64, source->metrics[i].name, entry->values[i]);
    fputc('}', stream);
}

static void print_json_source(FILE *stream, const struct metrics *metrics)
{
    fprintf(stream, "\"%ss\": [", metrics->source->kind);
    for (size_t i = 0; i < metrics->count; i++) {
        fputs(i ? ",\n" : "\n", stream);
        print_json_entry(stream, metrics->source, metrics->entries[i]);
    }
    fputs(tide__source_next(metrics->source) ? "\n],\n" : "\n]}\n", stream);
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

static void print_prometheus_source(FILE *stream, const struct metrics *metrics)
{
    const struct source *source = metrics->source;
    for (size_t i = 0; i < source->metric_count; i++) {
        const struct metric *metric = &source->metrics[i];
        const char *suffix = metric->is_gauge ? "" : "_total";
        fprintf(stream, "# HELP tidepool_%s_%s%s %s\n# TYPE tidepool_%s_%s%s %s\n", source->kind,
                metric->name, suffix, metric->help, source->kind, metric->name, suffix,
                metric->is_gauge ? "gauge" : "counter");
        for (size_t n = 0; n < metrics->count; n++) {
            fprintf(stream, "tidepool_%s_%s%s{%s=", source->kind, metric->name, suffix,
                    source->kind);
            tide__text_label(stream, metrics->entries[n]->name);
            fprintf(stream, "} %" PRIu64 "\n", metrics->entries[n]->values[i]);
        }
    }
}

/* False: no memory. */
static bool print_sources(FILE *stream, void (*print)(FILE *stream, const struct metrics *metrics))
{
    bool failed = false;
    const struct source *source = tide__source_first();
    for (; source && !failed; source = tide__source_next(source)) {
        struct metrics metrics;
        tide__metrics_take(&metrics, source);
        failed = metrics.failed;
        print(stream, &metrics);
        tide__metrics_drop(&metrics);
    }
    return !failed;
}

static size_t print_all(char *text, size_t size, void (*print_settings)(FILE *stream),
                        void (*print_source)(FILE *stream, const struct metrics *metrics))
{
    char *all = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&all, &length);
    if (stream) {
        print_settings(stream);
        bool printed = print_sources(stream, print_source);
        length = fclose(stream) || !printed ? 0 : length;
    }
    if (size)
        snprintf(text, size, "%s", length ? all : "");
    free(all);
    return length;
}

size_t tide_ctl_json(char *text, size_t size)
{
    return print_all(text, size, print_json_settings, print_json_source);
}

size_t tide_ctl_prometheus(char *text, size_t size)
{
    return print_all(text, size, print_prometheus_settings, print_prometheus_source);
}

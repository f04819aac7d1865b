/* SPDX-License-Identifier: MIT */
/*
 * source.h: who has counters by name. Pools are one source; modules above add theirs.
 *
 * What tide_ctl.h reads, lists and prints comes from the sources, one after the other.
 */
#ifndef TIDE_POOL_SOURCE_H
#define TIDE_POOL_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A field of 64 bits in what a source tells of an entry. */
struct metric {
    const char *name;
    size_t offset;
    bool is_gauge; /* it may fall */
    const char *help;
};

#define METRIC(type, field, is_gauge, help)                                                        \
    {                                                                                              \
#field, offsetof(type, field), is_gauge, help                                              \
    }

/* Called with an entry's name and counters, which are valid until it returns; false: no more. */
typedef bool source_visit(const char *name, const void *stats, void *context);

/* Static, and its adder's but for `next`. Entries of the same name count together. */
struct source {
    const char *kind; /* "pool": "pool.NAME.gets", tidepool_pool_gets_total{pool="NAME"}, "pools" */
    const struct metric *metrics;
    size_t metric_count;
    void (*walk)(source_visit *visit, void *context); /* MT-safe */
    void (*trace)(FILE *stream, uint64_t epoch);      /* the lines of trace:2, with the registry's
                                                       * lock: takes no lock. NULL: it has none */
    struct source *_Atomic next;
};

/* Adds a source that stays; nothing happens if it is there already. MT-safe, without a lock. */
void tide__source_add(struct source *source);

/* The first one is of pools. */
struct source *tide__source_first(void);
struct source *tide__source_next(const struct source *source);

/* trace.c: begins a line of a name, "tide 7 arena "request": "; `kind` has a space at its end. */
void tide__trace_name(FILE *stream, uint64_t epoch, const char *kind, const char *name);

static inline uint64_t metric_value(const void *stats, const struct metric *metric)
{
    return *(const uint64_t *)(const void *)((const char *)stats + metric->offset);
}

#endif

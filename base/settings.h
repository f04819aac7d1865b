/* SPDX-License-Identifier: MIT */
/*
 * settings.h: what the environment variable TIDE asks for.
 *
 *     TIDE=growth:100,limit:512MiB,age:60s,trace:1
 *
 * Read once, when it is first asked for. Bytes take B, KiB, MiB or GiB, times ms or s; a number
 * without a suffix counts bytes, or milliseconds. A key or a value that is none is named once on
 * stderr and ignored; the others hold.
 */
#ifndef TIDE_BASE_SETTINGS_H
#define TIDE_BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tide__setting {
    TIDE__GROWTH,   /* percent of growth_percent */
    TIDE__LIMIT,    /* bytes of limit_bytes */
    TIDE__AGE,      /* milliseconds of age_ms_max */
    TIDE__PRESSURE, /* 1: follow memory pressure */
    TIDE__THREAD,   /* 1: a helper thread drives epochs */
    TIDE__TRIM,     /* percent of trim_percent_max */
    TIDE__TRACE,    /* 1: a line per epoch, 2: and per pool, TIDE__TRACE_RING */
    TIDE__RING,     /* lines that trace:ring keeps */
    TIDE__SIGNAL,   /* number of the signal that writes them */
    TIDE__CHECK,    /* 1: checked pools, 0: not even in a debug build */
    TIDE__DROP,     /* percent of puts that checked pools destroy */
    TIDE__SEED,     /* for what is random */
    TIDE__CPUS,     /* CPUs to prepare for, instead of those that are possible */
    TIDE__GUARD,    /* 1: memory of a reset arena faults when it is used */
    TIDE__RANGE,    /* bytes of addresses that arenas reserve */
    TIDE__SETTING_COUNT
};

enum { TIDE__TRACE_RING = 3 };

/* True if TIDE sets it; stores its value. MT-safe. */
bool tide__setting(enum tide__setting setting, uint64_t *value);

/* The same, or a default. */
uint64_t tide__setting_or(enum tide__setting setting, uint64_t otherwise);

/* Reads `text` as TIDE's value into `values` and `found`; `complain` is called for each part that
 * is none. What tide__setting does once, for tests. */
void tide__settings_parse(const char *text, uint64_t values[TIDE__SETTING_COUNT],
                          bool found[TIDE__SETTING_COUNT],
                          void (*complain)(const char *part, int length, const char *why));

#endif

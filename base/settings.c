/* SPDX-License-Identifier: MIT */
/*
 * settings.c: reads the environment variable TIDE.
 */
#include "settings.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum unit { NUMBER, BYTES, TIME, TRACE };

static const struct {
    const char *key;
    enum unit unit;
    uint64_t max;
} keys[TIDE__SETTING_COUNT] = {
    [TIDE__GROWTH] = {"growth", NUMBER, 1000000},
    [TIDE__LIMIT] = {"limit", BYTES, INT64_MAX},
    [TIDE__AGE] = {"age", TIME, INT32_MAX},
    [TIDE__PRESSURE] = {"pressure", NUMBER, 1},
    [TIDE__THREAD] = {"thread", NUMBER, 1},
    [TIDE__TRIM] = {"trim", NUMBER, 100},
    [TIDE__TRACE] = {"trace", TRACE, 2},
    [TIDE__RING] = {"ring", NUMBER, 1000000},
    [TIDE__SIGNAL] = {"signal", NUMBER, 64},
    [TIDE__CHECK] = {"check", NUMBER, 1},
    [TIDE__DROP] = {"drop", NUMBER, 100},
    [TIDE__SEED] = {"seed", NUMBER, UINT64_MAX},
    [TIDE__CPUS] = {"cpus", NUMBER, 4096},
    [TIDE__GUARD] = {"arena-guard", NUMBER, 1},
    [TIDE__RANGE] = {"arena-range", BYTES, UINT64_C(1) << 40},
};

static const struct {
    const char *suffix;
    enum unit unit;
    uint64_t factor;
} suffixes[] = {
    {"", NUMBER, 1},         {"", BYTES, 1},          {"B", BYTES, 1},
    {"KiB", BYTES, 1 << 10}, {"MiB", BYTES, 1 << 20}, {"GiB", BYTES, 1 << 30},
    {"", TIME, 1},           {"ms", TIME, 1},         {"s", TIME, 1000},
};

static pthread_once_t settings_once = PTHREAD_ONCE_INIT;
static uint64_t settings_values[TIDE__SETTING_COUNT];
static bool settings_found[TIDE__SETTING_COUNT];

static bool equals(const char *text, int length, const char *word)
{
    return strlen(word) == (size_t)length && memcmp(text, word, (size_t)length) == 0;
}

/* Digits at the start of the text, at most UINT64_MAX; how many there are. */
static int parse_digits(const char *text, int length, uint64_t *value)
{
    int used = 0;
    for (*value = 0; used < length && isdigit((unsigned char)text[used]); used++)
        if (__builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, (uint64_t)(text[used] - '0'), value))
            return 0;
    return used;
}

static uint64_t factor_of(const char *suffix, int length, enum unit unit)
{
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
        if (suffixes[i].unit == unit && equals(suffix, length, suffixes[i].suffix))
            return suffixes[i].factor;
    return 0;
}

/* NULL, or what is wrong. */
static const char *parse_value(const char *text, int length, int setting, uint64_t *value)
{
    enum unit unit = keys[setting].unit;
    if (unit == TRACE && equals(text, length, "ring")) {
        *value = TIDE__TRACE_RING;
        return NULL;
    }
    uint64_t number;
    int used = parse_digits(text, length, &number);
    uint64_t factor = factor_of(text + used, length - used, unit == TRACE ? NUMBER : unit);
    if (!used)
        return "not a number";
    if (!factor)
        return "unknown unit (B, KiB, MiB, GiB for bytes; ms, s for times)";
    if (__builtin_mul_overflow(number, factor, value) || *value > keys[setting].max)
        return "too large";
    return NULL;
}

static int find_key(const char *text, int length)
{
    for (int i = 0; i < TIDE__SETTING_COUNT; i++)
        if (equals(text, length, keys[i].key))
            return i;
    return TIDE__SETTING_COUNT;
}

/* One "key:value". NULL, or what is wrong. */
static const char *parse_part(const char *part, int length, uint64_t *values, bool *found)
{
    const char *colon = memchr(part, ':', (size_t)length);
    uint64_t value;
    if (!colon)
        return "not key:value";
    int setting = find_key(part, (int)(colon - part));
    if (setting == TIDE__SETTING_COUNT)
        return "unknown key";
    const char *wrong = parse_value(colon + 1, (int)(part + length - colon) - 1, setting, &value);
    if (!wrong) {
        values[setting] = value;
        found[setting] = true;
    }
    return wrong;
}

void tide__settings_parse(const char *text, uint64_t values[TIDE__SETTING_COUNT],
                          bool found[TIDE__SETTING_COUNT],
                          void (*complain)(const char *part, int length, const char *why))
{
    while (*text) {
        int length = (int)strcspn(text, ",");
        const char *wrong = length ? parse_part(text, length, values, found) : NULL;
        if (wrong)
            complain(text, length, wrong);
        text += length;
        text += *text == ',';
    }
}

static void complain_once(const char *part, int length, const char *why)
{
    fprintf(stderr, "tide: TIDE: '%.*s' ignored: %s\n", length, part, why);
}

static void read_environment(void)
{
    const char *text = secure_getenv("TIDE");
    if (text)
        tide__settings_parse(text, settings_values, settings_found, complain_once);
}

bool tide__setting(enum tide__setting setting, uint64_t *value)
{
    pthread_once(&settings_once, read_environment);
    if (settings_found[setting])
        *value = settings_values[setting];
    return settings_found[setting];
}

uint64_t tide__setting_or(enum tide__setting setting, uint64_t otherwise)
{
    tide__setting(setting, &otherwise);
    return otherwise;
}

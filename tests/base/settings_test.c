/* SPDX-License-Identifier: MIT */
/*
 * settings_test.c: what TIDE may say, and what it may not.
 */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "settings.h"

static char complaints[1024];
static uint64_t values[TIDE__SETTING_COUNT];
static bool found[TIDE__SETTING_COUNT];

static void complain(const char *part, int length, const char *why)
{
    size_t used = strlen(complaints);
    snprintf(complaints + used, sizeof(complaints) - used, "%.*s: %s;", length, part, why);
}

static void parse(const char *text)
{
    memset(values, 0, sizeof(values));
    memset(found, 0, sizeof(found));
    complaints[0] = '\0';
    tide__settings_parse(text, values, found, complain);
}

static size_t found_count(void)
{
    size_t count = 0;
    for (int i = 0; i < TIDE__SETTING_COUNT; i++)
        count += found[i];
    return count;
}

/* Asserts that the text sets this and nothing else, without a complaint. */
static void check_setting(const char *text, enum tide__setting setting, uint64_t value)
{
    parse(text);
    check_that(!*complaints);
    check_count(found_count(), 1);
    check_that(found[setting]);
    check_count(values[setting], value);
}

/* Asserts that the text sets nothing, and that this is said of it. */
static void check_bad(const char *text, const char *complaint)
{
    parse(text);
    check_count(found_count(), 0);
    check_that(strcmp(complaints, complaint) == 0);
}

Test(base, settings_have_units)
{
    check_setting("growth:100", TIDE__GROWTH, 100);
    check_setting("limit:7", TIDE__LIMIT, 7);
    check_setting("limit:7B", TIDE__LIMIT, 7);
    check_setting("limit:3KiB", TIDE__LIMIT, 3 << 10);
    check_setting("limit:64MiB", TIDE__LIMIT, 64 << 20);
    check_setting("limit:2GiB", TIDE__LIMIT, UINT64_C(2) << 30);
    check_setting("age:1500", TIDE__AGE, 1500);
    check_setting("age:250ms", TIDE__AGE, 250);
    check_setting("age:60s", TIDE__AGE, 60000);
    check_setting("trace:2", TIDE__TRACE, 2);
    check_setting("trace:ring", TIDE__TRACE, TIDE__TRACE_RING);
    check_setting("seed:18446744073709551615", TIDE__SEED, UINT64_MAX);
}

Test(base, settings_that_are_none_are_named_and_ignored)
{
    check_bad("grwth:100", "grwth:100: unknown key;");
    check_bad("growth", "growth: not key:value;");
    check_bad(":1", ":1: unknown key;");
    check_bad("growth:", "growth:: not a number;");
    check_bad("growth:-1", "growth:-1: not a number;");
    check_bad("limit:1.5GiB",
              "limit:1.5GiB: unknown unit (B, KiB, MiB, GiB for bytes; ms, s for times);");
    check_bad("growth:1KiB",
              "growth:1KiB: unknown unit (B, KiB, MiB, GiB for bytes; ms, s for times);");
    check_bad("limit:18446744073709551616", "limit:18446744073709551616: not a number;");
    check_bad("limit:18446744073709551615GiB", "limit:18446744073709551615GiB: too large;");
    check_bad("trace:3", "trace:3: too large;");
    check_bad("pressure:2", "pressure:2: too large;");
}

Test(base, settings_hold_beside_bad_ones)
{
    parse(",growth:50,,colour:red,age:1s,");
    check_that(strcmp(complaints, "colour:red: unknown key;") == 0);
    check_count(found_count(), 2);
    check_count(values[TIDE__GROWTH], 50);
    check_count(values[TIDE__AGE], 1000);
    parse("growth:50,growth:60");
    check_count(values[TIDE__GROWTH], 60);
    parse("");
    check_count(found_count(), 0);
}

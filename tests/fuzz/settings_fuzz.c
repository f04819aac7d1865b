/* SPDX-License-Identifier: MIT */
/*
 * settings_fuzz.c: any text as TIDE's value.
 */
#include <stdlib.h>
#include <string.h>

#include "settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *text;

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* What is complained of is a part of the text. */
static void complain(const char *part, int length, const char *why)
{
    require(why && length > 0 && part >= text && part + length <= text + strlen(text));
    require(!memchr(part, ',', (size_t)length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t values[TIDE__SETTING_COUNT] = {0};
    bool found[TIDE__SETTING_COUNT] = {false};
    char *copy = malloc(size + 1);
    memcpy(copy, data, size);
    copy[size] = '\0';
    text = copy;
    tide__settings_parse(copy, values, found, complain);
    for (int i = 0; i < TIDE__SETTING_COUNT; i++)
        require(found[i] || values[i] == 0);
    require(values[TIDE__TRIM] <= 100 && values[TIDE__DROP] <= 100 && values[TIDE__SIGNAL] <= 64);
    require(values[TIDE__TRACE] <= TIDE__TRACE_RING && values[TIDE__LIMIT] <= INT64_MAX);
    free(copy);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * model_test.c: ten million random operations on chains read as they do on naive strings; again and
 * again for TIDE_SOAK_SECONDS, when that is set.
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "model.h"

enum { STEPS = 10000000, CHECK_EVERY = 64 };

static struct model model;

static void run(uint64_t random)
{
    size_t steps = check_scaled(STEPS);
    model_start(&model);
    for (size_t i = 0; i < steps; i++) {
        uint64_t number = check_random(&random);
        model_step(&model, (uint8_t)(number >> 56), (uint16_t)(number >> 24), (uint16_t)number);
        if (i % CHECK_EVERY == 0)
            model_check(&model);
    }
    model_end(&model);
}

Test(buffer, chains_read_as_naive_strings_do)
{
    const char *seconds = getenv("TIDE_SOAK_SECONDS");
    time_t end = time(NULL) + (seconds ? atoi(seconds) : 0);
    do
        run(check_seed());
    while (time(NULL) < end);
}

/* SPDX-License-Identifier: MIT */
/*
 * buffer_fuzz.c: any sequence of operations on chains, beside naive strings.
 */
#include <string.h>

#include "model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEP_SIZE = 5, CHECK_EVERY = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model model;
    model_start(&model);
    for (; size >= STEP_SIZE; data += STEP_SIZE, size -= STEP_SIZE) {
        uint16_t numbers[2];
        memcpy(numbers, data + 1, sizeof(numbers));
        model_step(&model, data[0], numbers[0], numbers[1]);
        if (model.steps % CHECK_EVERY == 0)
            model_check(&model);
    }
    model_end(&model);
    return 0;
}

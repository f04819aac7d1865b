/* SPDX-License-Identifier: MIT */
/*
 * model.h: the models of arenas and of ambient memory, driven by bytes that a fuzzer chooses.
 */
#ifndef TIDE_TESTS_MODEL_H
#define TIDE_TESTS_MODEL_H

#include <stdbool.h>
#include <stddef.h>

struct choices {
    const unsigned char *next, *end;
};

static inline bool choices_are_left(const struct choices *choices)
{
    return choices->end - choices->next >= 2;
}

/* Two bytes for each choice, so that the fuzzer can see what they do. */
static inline size_t choices_pick(struct choices *choices, size_t count)
{
    if (!choices_are_left(choices))
        return 0;
    size_t choice = (size_t)(choices->next[0] | choices->next[1] << 8);
    choices->next += 2;
    return choice % count;
}

void model_run_chosen(const unsigned char *bytes, size_t size);
void ambient_model_run_chosen(const unsigned char *bytes, size_t size);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * model.h: chains beside what they should read as: naive strings of bytes.
 *
 * Each step takes a number that decides what is done, so that a random generator and a fuzzer
 * drive the same model. A difference ends the process with a message.
 */
#ifndef TIDE_TESTS_BUFFER_MODEL_H
#define TIDE_TESTS_BUFFER_MODEL_H

#include <stdint.h>

#include "tide_buffer.h"

enum { MODEL_CHAINS = 4, MODEL_SLICES = 4, MODEL_BYTES = 3000 };

struct model_string {
    unsigned char bytes[MODEL_BYTES];
    size_t size;
};

struct model {
    tide_chain chains[MODEL_CHAINS];
    struct model_string chain_strings[MODEL_CHAINS];
    tide_slice slices[MODEL_SLICES];
    struct model_string slice_strings[MODEL_SLICES];
    unsigned char next; /* what the next new byte is */
    size_t steps;
};

void model_start(struct model *model);

/* Does one operation: `what` chooses it and the chains, `number` and `other` are its sizes. */
void model_step(struct model *model, uint8_t what, uint16_t number, uint16_t other);

/* Compares everything. */
void model_check(struct model *model);

/* Compares and releases everything; no block may be left. */
void model_end(struct model *model);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * symbols.h: an object that is expensive to make and cheap to reset, as pools are meant for: a
 * symbol table of 4 KiB whose constructor initialises all of it and whose reset is one addition,
 * because a slot counts only if it is of the table's generation.
 */
#ifndef TIDE_BENCH_SYMBOLS_H
#define TIDE_BENCH_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#define SYMBOLS_SLOTS 255

typedef struct symbol {
    uint64_t value;
    uint32_t key;
    uint32_t generation;
} symbol;

typedef struct symbols {
    uint32_t generation; /* from 1, so that an initialised slot is empty */
    uint32_t count;
    uint64_t reserved;
    symbol slots[SYMBOLS_SLOTS];
} symbols;

_Static_assert(sizeof(symbols) == 4096, "the benchmark's name says so");

static inline void symbols_init(symbols *table)
{
    table->generation = 1;
    table->count = 0;
    table->reserved = 0;
    for (size_t index = 0; index < SYMBOLS_SLOTS; index++)
        table->slots[index] = (symbol){.value = 0, .key = UINT32_MAX, .generation = 0};
}

static inline void symbols_reset(symbols *table)
{
    table->generation++;
    table->count = 0;
}

static inline void symbols_insert(symbols *table, uint32_t key, uint64_t value)
{
    table->slots[key % SYMBOLS_SLOTS] =
        (symbol){.value = value, .key = key, .generation = table->generation};
    table->count++;
}

#endif

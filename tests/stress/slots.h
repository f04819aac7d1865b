/* SPDX-License-Identifier: MIT */
/*
 * slots.h: objects with an owner word, for tests that look for objects with two owners.
 *
 * Slots lie in arrays that are never unmapped, so that a violation is seen and not a crash.
 * Whoever has a slot passes it on by one exchange, and finds out whose it was. Taking and giving
 * back slots asks for no lock: hooks may do it in signal handlers, and forked children.
 */
#ifndef TIDE_TESTS_SLOTS_H
#define TIDE_TESTS_SLOTS_H

#include <stdatomic.h>
#include <stdint.h>

/* Owners; others are the program's own. */
enum { SLOT_CACHED = 0 };
#define SLOT_DEAD UINT32_MAX

enum { SLOT_WORDS = 4 };

struct slot {
    _Atomic uint32_t owner;
    _Atomic uint32_t next; /* below it in the list of free ones */
    _Atomic uint64_t weight;
    uint64_t stamp;             /* written and read by the owner alone */
    uint64_t words[SLOT_WORDS]; /* a pattern, or zeros */
    uint64_t reserved;
};

/* All zero: an empty set of `count` slots. Index 0 is none. */
struct slots {
    struct slot *array;
    uint32_t count;
    _Atomic uint32_t used;
    _Atomic uint64_t top; /* tag << 32 | index of the first free one */
    _Atomic uint64_t created, destroyed;
};

/* A slot that is CACHED now, or NULL when all are in use. */
struct slot *slots_take(struct slots *slots);

/* The slot is DEAD already, and nobody else's. */
void slots_give(struct slots *slots, struct slot *slot);

/* Changes the owner; returns the one before. */
static inline uint32_t slot_pass(struct slot *slot, uint32_t to)
{
    /* Pairs with itself in the thread that has the slot next. */
    return atomic_exchange_explicit(&slot->owner, to, memory_order_acq_rel);
}

static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * fault.h: faults that test builds of the library put into its critical steps.
 *
 * TIDE_FAULT_DELAY=n spins n times inside each sequence, between the load of a stack's word and
 * the commit, so that whatever can go wrong there does. TIDE_FAULT_NO_FENCE leaves out the
 * fence that makes an epoch safe: such a build must fail its tests. With TIDE_FAULT_CHOSEN the
 * program that is linked chooses another fault, by tide__fault_chosen, which it must notice.
 * None is set in any build that is installed.
 */
#ifndef TIDE_BASE_FAULT_H
#define TIDE_BASE_FAULT_H

#include <stdint.h>

#include "compiler.h"

#ifdef TIDE_FAULT_DELAY
#define TIDE__FAULT_DELAY TIDE_FAULT_DELAY
#else
#define TIDE__FAULT_DELAY 0
#endif

#ifdef TIDE_FAULT_NO_FENCE
#define TIDE__FAULT_NO_FENCE 1
#else
#define TIDE__FAULT_NO_FENCE 0
#endif

enum { TIDE__FAULT_OFFSET = 24 }; /* of the byte that is written to */

enum tide__fault {
    TIDE__FAULT_NONE,
    TIDE__FAULT_UNCOUNTED, /* objects that go from a batch to a stack are not counted */
    TIDE__FAULT_BYTES,     /* a batch's bytes are not given back when it is taken */
    TIDE__FAULT_NO_GRACE,  /* an epoch does not wait for readers of the victim */
    TIDE__FAULT_TWICE,     /* an object is in a batch twice, in the place of another one */
    TIDE__FAULT_LOST,      /* an object of a batch is lost */
    TIDE__FAULT_SCRIBBLED  /* an object of a batch is written to */
};

extern enum tide__fault tide__fault_chosen; /* the program's, and of no use without: */

#ifdef TIDE_FAULT_CHOSEN
#define tide__fault_is(fault) (tide__fault_chosen == (fault))
#else
#define tide__fault_is(fault) 0
#endif

/* Where a reader without a grace period is in danger: it takes its time. */
static inline void tide__fault_linger(void)
{
    for (int spin = 0; tide__fault_is(TIDE__FAULT_NO_GRACE) && spin < 1000; spin++)
        cpu_relax();
}

/* What the last three do to the items of a batch. */
static inline void tide__fault_spoil(void **items, uint32_t *count)
{
    if (tide__fault_is(TIDE__FAULT_TWICE) && *count > 1)
        items[0] = items[*count - 1];
    if (tide__fault_is(TIDE__FAULT_LOST) && *count > 1)
        items[0] = items[--*count];
    if (tide__fault_is(TIDE__FAULT_SCRIBBLED) && *count)
        ((unsigned char *)items[0])[TIDE__FAULT_OFFSET] ^= 1;
}

#endif

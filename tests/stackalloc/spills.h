/* SPDX-License-Identifier: MIT */
/*
 * spills.h: counts what spills, and makes it fail. The tests are linked so that the library's
 * calls of spill.h arrive here.
 */
#ifndef TIDE_TESTS_STACKALLOC_SPILLS_H
#define TIDE_TESTS_STACKALLOC_SPILLS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

extern size_t spills;         /* that were asked for, reallocations with them */
extern size_t spills_live;    /* that are not released yet */
extern size_t spills_fail_at; /* counted from 1; 0: none */

/* Forgets the counts, of which none may be live. */
void spills_start(size_t fail_at);

/* What the library should have done. */
void spills_release(void *memory);

/* In C: calls the function while a buffer is spilled; and checks that one which has thrown has
 * released it if the C code is compiled for that. */
void spills_call(void (*function)(void));
void spills_check_unwound(void);

#ifdef __cplusplus
}
#endif

#endif

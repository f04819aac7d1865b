/* SPDX-License-Identifier: MIT */
/*
 * body.h: which body of percpu.h a test program runs on.
 */
#ifndef TIDE_TESTS_BODY_H
#define TIDE_TESTS_BODY_H

/* Chooses "rseq", "cpu_id" or "portable", before any pool; returns which one it is, "portable"
 * where that is all there is, or NULL if there is none of that name. */
const char *body_choose(const char *name);

#endif

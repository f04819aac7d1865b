/* SPDX-License-Identifier: MIT */
/*
 * requests.h: what the tests of all libraries do: the same request again and again, in an arena
 * that is reset after each. A library that kept memory of one request for the next would use what
 * the checkers know to be gone.
 */
#ifndef TIDE_TESTS_REQUESTS_H
#define TIDE_TESTS_REQUESTS_H

#include "check.h"
#include "tide_ambient.h"

static inline void check_requests(void (*request)(void))
{
    enum { REQUESTS = 20 };
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.name = "library"});
    tide_arena_stats stats;
    uint64_t taken = 0;
    for (int i = 0; i < REQUESTS; i++) {
        tide_ambient_enter(arena);
        request();
        tide_ambient_enter(NULL);
        tide_arena_read_stats(arena, &stats);
        check_that(stats.used_bytes > 0);
        tide_arena_reset(arena);
        if (i == 2)
            taken = stats.chunks_taken;
    }
    check_that(stats.large || stats.chunks_taken == taken, "%zu", (size_t)stats.chunks_taken);
    tide_arena_destroy(arena);
}

#endif

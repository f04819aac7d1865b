/* SPDX-License-Identifier: MIT */
/*
 * reset_test.c: what a reset keeps and what it lets go.
 */
#include <string.h>
#include <sys/resource.h>

#include "check.h"
#include "shadow.h"
#include "tide_arena.h"

static tide_arena_stats stats_of(const tide_arena *arena)
{
    tide_arena_stats stats;
    tide_arena_read_stats(arena, &stats);
    return stats;
}

static void use(tide_arena *arena, size_t bytes)
{
    for (size_t used = 0; used < bytes; used += 64)
        memset(tide_arena_alloc(arena, 64, 8), 1, 64);
}

/* The first grows; the second takes chunks that fit what the first has used. */
Test(arena, a_steady_cycle_takes_no_chunk_after_its_second)
{
    tide_arena *arena = tide_arena_create(NULL);
    for (int cycle = 0; cycle < 2; cycle++) {
        use(arena, 300000);
        tide_arena_reset(arena);
    }
    use(arena, 300000);
    uint64_t taken = stats_of(arena).chunks_taken;
    for (int cycle = 0; cycle < 100; cycle++) {
        tide_arena_reset(arena);
        use(arena, 300000);
    }
    check_count(stats_of(arena).chunks_taken, taken);
    tide_arena_destroy(arena);
}

Test(arena, a_working_set_survives_cycles_that_use_less)
{
    tide_arena *arena = tide_arena_create(NULL);
    use(arena, 300000);
    tide_arena_reset(arena);
    size_t held = stats_of(arena).held_bytes;
    for (int cycle = 0; cycle < 2; cycle++) {
        use(arena, 1000);
        tide_arena_reset(arena);
    }
    check_that(stats_of(arena).held_bytes * 2 >= held);
    check_that(stats_of(arena).held_bytes > 200000);
    tide_arena_destroy(arena);
}

Test(arena, what_cycles_use_comes_to_lie_in_one_chunk)
{
    tide_arena *arena = tide_arena_create(NULL);
    use(arena, 60000);
    tide_arena_reset(arena);
    use(arena, 60000);
    check_that(memory_is_checked() || stats_of(arena).chunks == 1);
    check_count(stats_of(arena).wasted_bytes, 0);
    tide_arena_destroy(arena);
}

Test(arena, what_was_rewound_counts_as_used)
{
    tide_arena *arena = tide_arena_create(NULL);
    tide_arena_mark mark = tide_arena_save(arena);
    use(arena, 200000);
    check_that(stats_of(arena).kept_bytes >= 200000);
    tide_arena_rewind(arena, mark);
    check_that(stats_of(arena).kept_bytes >= 200000);
    tide_arena_destroy(arena);
}

Test(arena, a_spike_is_let_go)
{
    tide_arena *arena = tide_arena_create(NULL);
    use(arena, 10 << 20);
    size_t spike = stats_of(arena).held_bytes, cycles = 0;
    for (; stats_of(arena).held_bytes > 32768 && cycles < 200; cycles++) {
        tide_arena_reset(arena);
        use(arena, 10000);
    }
    check_that(spike >= 10 << 20);
    check_that(cycles > 5 && cycles < 80, "%zu cycles", cycles);
    tide_arena_destroy(arena);
}

Test(arena, a_spike_over_a_large_working_set_is_let_go)
{
    tide_arena *arena = tide_arena_create(NULL);
    for (int cycle = 0; cycle < 50; cycle++) {
        use(arena, cycle == 5 ? 20 << 20 : 1 << 20);
        tide_arena_reset(arena);
    }
    check_that(stats_of(arena).held_bytes < 4 << 20, "%zu", stats_of(arena).held_bytes);
    tide_arena_destroy(arena);
}

Test(arena, a_spike_goes_at_once_where_only_the_last_cycle_counts)
{
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.retain_cycles = 1});
    use(arena, 10 << 20);
    tide_arena_reset(arena);
    use(arena, 10000);
    tide_arena_reset(arena);
    check_that(stats_of(arena).held_bytes <= 32768);
    tide_arena_destroy(arena);
}

Test(arena, no_more_is_kept_than_the_most_that_may_be)
{
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.retain_bytes_max = 65536});
    use(arena, 1 << 20);
    tide_arena_reset(arena);
    check_that(stats_of(arena).held_bytes <= 65536);
    use(arena, 1000);
    check_count(stats_of(arena).held_bytes, 65536);
    use(arena, 1 << 20);
    tide_arena_reset(arena);
    check_that(stats_of(arena).held_bytes <= 65536);
    tide_arena_destroy(arena);
}

Test(arena, what_a_reset_lets_go_the_next_arena_finds)
{
    enum { LARGE = 8 << 20 };
    tide_arena *first = tide_arena_create(NULL);
    char *large = tide_arena_alloc(first, LARGE, 16);
    tide_arena_destroy(first);
    tide_arena *second = tide_arena_create(NULL);
    check_that(memory_is_checked() || tide_arena_alloc(second, LARGE, 16) == large);
    tide_arena_destroy(second);
}

static long faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

/* Requests that each have an arena of their own. */
static void serve(size_t bytes)
{
    tide_arena *arena = tide_arena_create(NULL);
    use(arena, bytes);
    tide_arena_destroy(arena);
}

Test(arena, a_warm_arena_causes_no_page_fault)
{
    check_pin(check_cpu(0));
    for (int i = 0; i < 10; i++)
        serve(1 << 20);
    long before = faults();
    for (int i = 0; i < 10; i++)
        serve(1 << 20);
    check_that(memory_is_checked() || faults() - before <= 2, "%ld faults", faults() - before);
}

/* SPDX-License-Identifier: MIT */
/*
 * arena_test.c: what allocation, reallocation, marks, cleanups, limits and children do.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "shadow.h"
#include "tide_arena.h"

enum { PAGE = 4096 };

static bool is_aligned(const void *object, size_t align)
{
    return object && (uintptr_t)object % align == 0;
}

static tide_arena_stats stats_of(const tide_arena *arena)
{
    tide_arena_stats stats;
    tide_arena_read_stats(arena, &stats);
    return stats;
}

/* Red zones and addresses that are not reused are a checked arena's way. */
static bool is_plain(void)
{
    return !memory_is_checked();
}

Test(arena, objects_are_aligned_and_apart)
{
    tide_arena *arena = tide_arena_create(NULL);
    for (size_t align = 1; align <= 1 << 20; align *= 2) {
        char *first = tide_arena_alloc(arena, 3, align);
        char *second = tide_arena_alloc(arena, align, align);
        check_that(is_aligned(first, align) && is_aligned(second, align));
        memset(first, 1, 3);
        memset(second, 2, align);
        check_that(first[0] == 1 && first[2] == 1 && second[0] == 2);
    }
    tide_arena_destroy(arena);
}

Test(arena, objects_follow_each_other)
{
    tide_arena *arena = tide_arena_create(NULL);
    char *first = tide_arena_alloc(arena, 24, 8);
    char *second = tide_arena_alloc(arena, 8, 8);
    check_that(!is_plain() || second == first + 24);
    tide_arena_destroy(arena);
}

Test(arena, an_arena_takes_no_memory_before_its_first_object)
{
    tide_arena *arena = tide_arena_create(NULL);
    check_count(stats_of(arena).held_bytes, 0);
    tide_arena_reset(arena);
    check_count(stats_of(arena).chunks, 0);
    tide_arena_alloc(arena, 1, 1);
    check_count(stats_of(arena).held_bytes, PAGE);
    tide_arena_destroy(arena);
    tide_arena_destroy(NULL);
}

static void check_refused(tide_arena *arena, size_t size, size_t align, int error)
{
    errno = 0;
    check_that(!tide_arena_alloc(arena, size, align), "%zu aligned to %zu", size, align);
    check_count(errno, error);
}

static void check_extremes(tide_arena *arena)
{
    static const size_t sizes[] = {SIZE_MAX,           SIZE_MAX - 1,    SIZE_MAX - 15,
                                   SIZE_MAX / 2,       SIZE_MAX - PAGE, PTRDIFF_MAX,
                                   PTRDIFF_MAX - PAGE, (size_t)1 << 62};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        for (size_t align = 1; align <= PAGE; align *= 2)
            check_refused(arena, sizes[i], align, ENOMEM);
    for (size_t align = (size_t)1 << 63; align >= (size_t)1 << 48; align /= 2)
        check_refused(arena, 1, align, ENOMEM);
    check_refused(arena, 1, 3, EINVAL);
    check_refused(arena, 0, SIZE_MAX, EINVAL);
    check_refused(arena, SIZE_MAX, SIZE_MAX, EINVAL);
    check_refused(arena, 1, ((size_t)1 << 63) + 1, EINVAL);
    check_that(tide_arena_alloc(arena, 0, 1));
    check_that(is_aligned(tide_arena_alloc(arena, 0, 1024), 1024));
    check_that(is_aligned(tide_arena_alloc(arena, 1, 0), 16));
    check_that(is_aligned(tide_arena_alloc(arena, 0, 0), 16));
}

Test(arena, sizes_and_alignments_that_cannot_be_are_refused)
{
    tide_arena *arena = tide_arena_create(NULL);
    check_extremes(arena); /* without a chunk */
    tide_arena_alloc(arena, 1, 1);
    check_extremes(arena);
    errno = 0;
    volatile size_t too_many = SIZE_MAX / 8 + 2; /* so that no compiler sees it coming */
    check_that(!tide_arena_array(arena, uint64_t, too_many));
    check_count(errno, ENOMEM);
    check_that(tide_arena_array(arena, uint64_t, 0));
    tide_arena_destroy(arena);
}

Test(arena, new_objects_are_zero)
{
    tide_arena *arena = tide_arena_create(NULL);
    for (int cycle = 0; cycle < 2; cycle++) {
        uint64_t *number = tide_arena_new(arena, uint64_t);
        char *array = tide_arena_array(arena, char, 1000);
        check_count(*number, 0);
        for (int i = 0; i < 1000; i++)
            check_count(array[i], 0);
        *number = UINT64_MAX;
        memset(array, 0xff, 1000);
        tide_arena_reset(arena);
    }
    tide_arena_destroy(arena);
}

Test(arena, a_large_object_leaves_the_chunks_as_they_are)
{
    tide_arena *arena = tide_arena_create(NULL);
    char *before = tide_arena_alloc(arena, 16, 16);
    char *large = tide_arena_alloc(arena, 10 << 20, 16);
    char *after = tide_arena_alloc(arena, 16, 16);
    memset(large, 1, 10 << 20);
    check_that(!is_plain() || after == before + 16);
    check_count(stats_of(arena).chunks, 1);
    check_count(stats_of(arena).large, 1);
    check_count(stats_of(arena).held_bytes, PAGE + (10 << 20) + PAGE);
    tide_arena_reset(arena);
    check_count(stats_of(arena).held_bytes, PAGE);
    tide_arena_destroy(arena);
}

Test(arena, an_object_larger_than_any_pool_is_given_back)
{
    tide_arena *arena = tide_arena_create(NULL);
    for (int i = 0; i < 3; i++) {
        char *huge = tide_arena_alloc(arena, (size_t)100 << 20, 4096);
        check_that(is_aligned(huge, 4096));
        huge[0] = huge[(100 << 20) - 1] = 1;
        tide_arena_reset(arena);
    }
    tide_arena_destroy(arena);
}

static void fill(char *memory, size_t size, char seed)
{
    for (size_t i = 0; i < size; i++)
        memory[i] = (char)(seed + (char)i);
}

static void check_filled(const char *memory, size_t size, char seed)
{
    for (size_t i = 0; i < size; i++)
        check_that(memory[i] == (char)(seed + (char)i), "byte %zu", i);
}

Test(arena, realloc_grows_the_newest_in_place)
{
    tide_arena *arena = tide_arena_create(NULL);
    char *object = tide_arena_alloc(arena, 10, 1);
    fill(object, 10, 7);
    char *grown = tide_arena_realloc(arena, object, 10, 1000, 1);
    check_that(!is_plain() || grown == object);
    check_filled(grown, 10, 7);
    char *next = tide_arena_alloc(arena, 1, 1);
    check_that(!is_plain() || next == object + 1000);
    tide_arena_destroy(arena);
}

Test(arena, realloc_gives_back_what_the_newest_does_not_need)
{
    tide_arena *arena = tide_arena_create(NULL);
    char *object = tide_arena_alloc(arena, 1000, 1);
    check_that(!is_plain() || tide_arena_realloc(arena, object, 1000, 10, 1) == object);
    char *next = tide_arena_alloc(arena, 1, 1);
    check_that(!is_plain() || next == object + 10);
    tide_arena_destroy(arena);
}

Test(arena, realloc_copies_what_is_not_the_newest)
{
    tide_arena *arena = tide_arena_create(NULL);
    char *object = tide_arena_alloc(arena, 100, 1);
    fill(object, 100, 3);
    tide_arena_alloc(arena, 1, 1);
    char *moved = tide_arena_realloc(arena, object, 100, 200, 1);
    check_that(moved != object);
    check_filled(moved, 100, 3);
    char *less = tide_arena_realloc(arena, moved, 200, 50, 1);
    check_filled(less, 50, 3);
    tide_arena_destroy(arena);
}

Test(arena, realloc_keeps_an_alignment_that_the_object_had_by_chance)
{
    tide_arena *arena = tide_arena_create(NULL);
    tide_arena_alloc(arena, 1, 1);
    char *object = tide_arena_alloc(arena, 10, 1);
    fill(object, 10, 5);
    char *moved = tide_arena_realloc(arena, object, 10, 12, 64);
    check_that(is_aligned(moved, 64));
    check_filled(moved, 10, 5);
    check_that(is_aligned(tide_arena_realloc(arena, NULL, 0, 8, 256), 256));
    errno = 0;
    check_that(!tide_arena_realloc(arena, moved, 12, SIZE_MAX, 1) && errno == ENOMEM);
    errno = 0;
    check_that(!tide_arena_realloc(arena, moved, 12, 100, 3) && errno == EINVAL);
    check_filled(moved, 10, 5);
    tide_arena_destroy(arena);
}

Test(arena, realloc_of_a_large_object_gives_its_old_chunk_back)
{
    tide_arena *arena = tide_arena_create(NULL);
    char *object = tide_arena_alloc(arena, 100000, 1);
    fill(object, 100000, 9);
    char *grown = tide_arena_realloc(arena, object, 100000, 120000, 1);
    check_that(!is_plain() || grown == object); /* its chunk is one of 128 KiB */
    for (size_t size = 120000; size < 10 << 20; size *= 2)
        grown = tide_arena_realloc(arena, grown, size, 2 * size, 1);
    check_filled(grown, 100000, 9);
    check_that(!is_plain() || stats_of(arena).large == 1);
    tide_arena_destroy(arena);
}

Test(arena, rewind_takes_back_what_came_after_the_mark)
{
    tide_arena *arena = tide_arena_create(NULL);
    char *kept = tide_arena_strdup(arena, "kept");
    tide_arena_mark mark = tide_arena_save(arena);
    tide_arena_stats before = stats_of(arena);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++)
            memset(tide_arena_alloc(arena, 100, 8), round, 100);
        memset(tide_arena_alloc(arena, 1 << 20, 8), round, 1 << 20);
        tide_arena_rewind(arena, mark);
        check_count(stats_of(arena).used_bytes, before.used_bytes);
        check_count(stats_of(arena).wasted_bytes, before.wasted_bytes);
        check_count(stats_of(arena).large, 0);
    }
    check_that(!strcmp(kept, "kept"));
    tide_arena_destroy(arena);
}

Test(arena, marks_nest)
{
    tide_arena *arena = tide_arena_create(NULL);
    tide_arena_mark outer = tide_arena_save(arena); /* without a chunk */
    char *text = tide_arena_strdup(arena, "between");
    tide_arena_mark inner = tide_arena_save(arena);
    tide_arena_alloc(arena, 100000, 1);
    tide_arena_rewind(arena, inner);
    check_that(!strcmp(text, "between"));
    tide_arena_rewind(arena, outer);
    check_count(stats_of(arena).used_bytes, 0);
    char *again = tide_arena_strdup(arena, "between");
    check_that(!is_plain() || again == text);
    tide_arena_destroy(arena);
}

Test(arena, a_mark_of_before_a_reset_does_nothing)
{
    tide_arena *arena = tide_arena_create(NULL);
    tide_arena_alloc(arena, 10000, 1);
    tide_arena_mark mark = tide_arena_save(arena);
    tide_arena_reset(arena);
    char *text = tide_arena_strdup(arena, "new");
    size_t used = stats_of(arena).used_bytes;
    tide_arena_rewind(arena, mark);
    check_count(stats_of(arena).used_bytes, used);
    check_that(!strcmp(text, "new"));
    tide_arena_destroy(arena);
}

static char order[16];
static size_t order_length;
static tide_arena *order_arena;

static void note(void *argument)
{
    order[order_length++] = *(const char *)argument;
}

/* Uses the arena as long as it runs. */
static void note_more(void *argument)
{
    tide_arena_defer(order_arena, note, tide_arena_strdup(order_arena, "x"));
    note(argument);
}

static void check_order(const char *expected)
{
    order[order_length] = '\0';
    check_that(!strcmp(order, expected), "%s", order);
    order_length = 0;
}

Test(arena, cleanups_run_last_in_first_out)
{
    tide_arena *arena = tide_arena_create(NULL);
    tide_arena_defer(arena, note, "a");
    tide_arena_mark mark = tide_arena_save(arena);
    tide_arena_defer(arena, note, "b");
    tide_arena_defer(arena, note, "c");
    tide_arena_rewind(arena, mark);
    check_order("cb");
    tide_arena_defer(arena, note, "d");
    tide_arena_reset(arena);
    check_order("da");
    tide_arena_defer(arena, note, "e");
    tide_arena_destroy(arena);
    check_order("e");
}

Test(arena, a_cleanup_may_allocate_and_defer)
{
    order_arena = tide_arena_create(NULL);
    tide_arena_defer(order_arena, note, "a");
    tide_arena_mark mark = tide_arena_save(order_arena);
    tide_arena_defer(order_arena, note_more, "b");
    tide_arena_rewind(order_arena, mark);
    check_order("bx");
    tide_arena_defer(order_arena, note_more, "c");
    tide_arena_reset(order_arena);
    check_order("cxa");
    tide_arena_defer(order_arena, note_more, "d");
    tide_arena_destroy(order_arena);
    check_order("dx");
}

Test(arena, a_limit_is_never_exceeded_and_says_so)
{
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.limit_bytes = 100000});
    size_t count = 0;
    while (tide_arena_alloc(arena, 100, 4))
        count++;
    check_count(errno, ENOSPC);
    check_that(count > (is_plain() ? 900 : 600), "%zu", count);
    check_that(stats_of(arena).held_bytes <= 100000);
    check_count(stats_of(arena).limit_bytes, 100000);
    check_refused(arena, 60000, 1, ENOSPC);
    tide_arena_reset(arena);
    check_that(tide_arena_alloc(arena, 60000, 1)); /* chunks that nobody uses make room */
    check_refused(arena, 60000, 1, ENOSPC);
    check_that(stats_of(arena).held_bytes <= 100000);
    tide_arena_destroy(arena);
}

static bool find_totals(const tide_arena_totals *totals, void *context)
{
    tide_arena_totals *wanted = context;
    bool found = !strcmp(totals->name, wanted->name);
    if (found)
        *wanted = *totals;
    return !found;
}

static tide_arena_totals totals_of(const char *name)
{
    tide_arena_totals totals = {.name = name};
    tide_arena_walk(find_totals, &totals);
    return totals;
}

Test(arena, children_end_with_their_parent_and_count_in_its_limit)
{
    tide_arena *parent = tide_arena_create(&(tide_arena_config){.limit_bytes = 64 << 10});
    tide_arena_mark mark = tide_arena_save(parent);
    tide_arena *child = tide_arena_create(&(tide_arena_config){.parent = parent});
    tide_arena *early = tide_arena_create(&(tide_arena_config){.parent = parent, .name = "early"});
    tide_arena *grandchild = tide_arena_create(&(tide_arena_config){.parent = child});
    tide_arena_defer(child, note, "c");
    tide_arena_defer(grandchild, note, "g");
    tide_arena_defer(early, note, "e");
    tide_arena_alloc(grandchild, 40 << 10, 1);
    check_refused(child, 30 << 10, 1, ENOSPC);
    check_that(stats_of(parent).held_bytes >= 40 << 10);
    tide_arena_destroy(early);
    check_order("e");
    tide_arena_rewind(parent, mark);
    check_order("cg"); /* the grandchild was deferred on the child first */
    check_count(totals_of("early").alive, 0);
    check_count(stats_of(parent).held_bytes, PAGE);
    tide_arena_destroy(parent);
    check_order("");
}

Test(arena, a_child_that_its_parent_has_no_room_for_is_none)
{
    tide_arena *parent = tide_arena_create(&(tide_arena_config){.limit_bytes = PAGE});
    tide_arena *child;
    size_t children = 0;
    tide_arena_alloc(parent, 1001, 1);
    errno = 0;
    while ((child = tide_arena_create(&(tide_arena_config){.parent = parent, .name = "full"})))
        children++;
    check_count(errno, ENOSPC);
    check_that(children > 10);
    check_count(totals_of("full").alive, children);
    tide_arena_destroy(parent);
    check_count(totals_of("full").alive, 0);
}

Test(arena, strings_are_copied_and_formatted)
{
    tide_arena *arena = tide_arena_create(NULL);
    check_that(!strcmp(tide_arena_strdup(arena, ""), ""));
    check_that(!strcmp(tide_arena_strndup(arena, "abcdef", 3), "abc"));
    check_that(!strcmp(tide_arena_strndup(arena, "abc", SIZE_MAX), "abc"));
    check_that(!strcmp(tide_arena_printf(arena, "%s-%d", "x", 42), "x-42"));
    errno = 0;
    check_that(!tide_arena_strdup(arena, NULL) && errno == EINVAL);
    for (int width = 1; width < 20000; width += 611) {
        char *text = tide_arena_printf(arena, "%*d|", width, 7);
        check_count(strlen(text), width + 1);
        check_that(!strcmp(text + width - 1, "7|"));
    }
    tide_arena_destroy(arena);
}

Test(arena, formatting_uses_no_more_than_the_text_needs)
{
    tide_arena *arena = tide_arena_create(NULL);
    tide_arena_alloc(arena, 1, 1);
    char *text = tide_arena_printf(arena, "%s", "twelve chars");
    char *next = tide_arena_alloc(arena, 1, 1);
    check_that(!is_plain() || next == text + 13);
    tide_arena_destroy(arena);
}

Test(arena, arenas_of_one_name_are_counted_together)
{
    char same[] = "counted"; /* another address */
    tide_arena *first = tide_arena_create(&(tide_arena_config){.name = "counted"});
    tide_arena *second = tide_arena_create(&(tide_arena_config){.name = same});
    tide_arena_alloc(first, 1, 1);
    char *large = tide_arena_alloc(second, 100000, 1);
    tide_arena_realloc(second, large, 100000, 120000, 1);
    size_t held = stats_of(first).held_bytes + stats_of(second).held_bytes;
    check_count(totals_of("counted").alive, 2);
    check_count(totals_of("counted").held_bytes, held);
    tide_arena_destroy(second);
    tide_arena_destroy(first);
    check_count(totals_of("counted").created, 2);
    check_count(totals_of("counted").alive, 0);
    check_that(!is_plain() || totals_of("counted").chunks_taken == 2);
    check_count(totals_of("counted").held_bytes, 0);
    check_count(totals_of("counted").held_bytes_most, held);
}

Test(arena, names_beyond_those_there_is_room_for_are_others)
{
    enum { MORE = 70 };
    for (int i = 0; i < MORE; i++) {
        char name[16];
        snprintf(name, sizeof(name), "name %d", i);
        tide_arena_destroy(tide_arena_create(&(tide_arena_config){.name = name}));
    }
    check_that(totals_of("others").created >= MORE - 63);
    check_count(totals_of("name 3").created, 1);
}

Test(arena, configurations_that_cannot_be_are_refused)
{
    static const tide_arena_config bad[] = {
        {.chunk_size = SIZE_MAX},
        {.chunk_size = (64 << 20) + 1},
        {.chunk_size_max = SIZE_MAX},
        {.chunk_size = 8192, .chunk_size_max = 4096},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        errno = 0;
        check_that(!tide_arena_create(&bad[i]));
        check_count(errno, EINVAL);
    }
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.chunk_size = 1, .name = "odd"});
    check_that(!strcmp(stats_of(arena).name, "odd"));
    tide_arena_alloc(arena, 1, 1);
    check_count(stats_of(arena).held_bytes, PAGE);
    tide_arena_destroy(arena);
}

/* SPDX-License-Identifier: MIT */
/*
 * ambient_test.c: malloc's functions, inside and outside of an arena, nested and across threads.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "shadow.h"
#include "tide_ambient.h"

static bool is_plain(void)
{
    return !memory_is_checked();
}

Test(ambient, blocks_come_from_the_heap_where_no_arena_is_entered)
{
    char *block = tide_ambient_malloc(10);
    check_that(block && !tide_ambient_is_arena(block));
    block = tide_ambient_realloc(block, 100000);
    tide_ambient_free(block);
    free(tide_ambient_strdup("libc's free takes it"));
    tide_ambient_free(strdup("and the other way round"));
    tide_ambient_free(NULL);
}

Test(ambient, blocks_come_from_the_entered_arena)
{
    tide_arena *arena = tide_arena_create(NULL);
    check_that(!tide_ambient_enter(arena));
    check_that(tide_ambient_entered() == arena);
    for (size_t size = 0; size < 3000000; size = size * 2 + 1) {
        char *block = tide_ambient_malloc(size);
        check_that(tide_ambient_is_arena(block) && (uintptr_t)block % 16 == 0, "%zu", size);
        check_that(tide_ambient_usable_size(block) >= size);
        memset(block, 1, size);
    }
    check_that(tide_ambient_enter(NULL) == arena);
    tide_arena_destroy(arena);
}

Test(ambient, calloc_clears_what_was_used_before)
{
    tide_arena *arena = tide_arena_create(NULL);
    tide_ambient_enter(arena);
    for (int cycle = 0; cycle < 2; cycle++) {
        char *block = tide_ambient_calloc(10, 10);
        for (int i = 0; i < 100; i++)
            check_count(block[i], 0);
        memset(block, 0xff, 100);
        tide_arena_reset(arena);
    }
    tide_ambient_enter(NULL);
    tide_arena_destroy(arena);
}

static void check_refused(void *block, int error)
{
    check_that(!block);
    check_count(errno, error);
    errno = 0;
}

Test(ambient, sizes_that_cannot_be_are_refused_as_malloc_does)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 16, PTRDIFF_MAX, PTRDIFF_MAX - 32,
                                   (size_t)1 << 62};
    tide_arena *arena = tide_arena_create(NULL);
    tide_ambient_enter(arena);
    char *block = tide_ambient_strdup("block");
    errno = 0;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        check_refused(tide_ambient_malloc(sizes[i]), ENOMEM);
        check_refused(tide_ambient_realloc(block, sizes[i]), ENOMEM);
        check_refused(tide_ambient_calloc(sizes[i], 1), ENOMEM);
        check_refused(tide_ambient_calloc(2, sizes[i]), ENOMEM);
    }
    check_that(!strcmp(block, "block"));
    check_that(tide_ambient_malloc(0) && tide_ambient_calloc(0, 0));
    tide_ambient_enter(NULL);
    tide_arena_destroy(arena);
}

Test(ambient, a_limit_is_an_error_that_the_library_sees)
{
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.limit_bytes = 10000});
    tide_ambient_enter(arena);
    errno = 0;
    check_refused(tide_ambient_malloc(20000), ENOSPC);
    tide_ambient_enter(NULL);
    tide_arena_destroy(arena);
}

Test(ambient, realloc_grows_the_newest_in_place)
{
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.chunk_size = 1 << 20});
    tide_ambient_enter(arena);
    char *block = tide_ambient_strdup("start");
    for (size_t size = 6; size < 100000; size += size) {
        char *grown = tide_ambient_realloc(block, size);
        check_that(!is_plain() || grown == block);
        block = grown;
        check_that(!strcmp(block, "start"));
        memset(block + 6, 1, size - 6);
    }
    tide_ambient_enter(NULL);
    tide_arena_destroy(arena);
}

Test(ambient, realloc_copies_what_is_not_the_newest)
{
    tide_arena *arena = tide_arena_create(NULL);
    tide_ambient_enter(arena);
    char *block = tide_ambient_strdup("text");
    tide_ambient_malloc(1);
    char *moved = tide_ambient_realloc(block, 1000);
    check_that(moved != block && !strcmp(moved, "text"));
    check_that(tide_ambient_realloc(moved, 10) == moved);
    tide_ambient_enter(NULL);
    tide_arena_destroy(arena);
}

Test(ambient, free_of_the_newest_gives_it_back)
{
    tide_arena *arena = tide_arena_create(NULL);
    tide_ambient_enter(arena);
    char *first = tide_ambient_malloc(100);
    char *second = tide_ambient_malloc(50);
    tide_ambient_free(second);
    tide_ambient_free(first);
    char *again = tide_ambient_malloc(100);
    check_that(!is_plain() || again == first);
    tide_ambient_enter(NULL);
    tide_arena_destroy(arena);
}

Test(ambient, a_block_stays_in_the_tier_that_it_came_from)
{
    tide_arena *arena = tide_arena_create(NULL);
    char *heap = tide_ambient_strdup("heap");
    tide_ambient_enter(arena);
    heap = tide_ambient_realloc(heap, 5000);
    check_that(!tide_ambient_is_arena(heap) && !strcmp(heap, "heap"));
    char *block = tide_ambient_strdup("arena");
    tide_ambient_free(heap);
    tide_ambient_enter(NULL);
    block = tide_ambient_realloc(block, 3);
    check_that(tide_ambient_is_arena(block));
    char *moved = tide_ambient_realloc(block, 5000); /* to where the thread allocates from now */
    check_that(!tide_ambient_is_arena(moved) && !strcmp(moved, "arena"));
    tide_arena_destroy(arena);
    check_that(!strcmp(moved, "arena"));
    tide_ambient_free(moved);
}

Test(ambient, enters_nest)
{
    tide_arena *outer = tide_arena_create(NULL), *inner = tide_arena_create(NULL);
    tide_ambient_enter(outer);
    char *first = tide_ambient_strdup("outer");
    tide_arena *before = tide_ambient_enter(inner);
    check_that(before == outer);
    char *second = tide_ambient_strdup("inner");
    tide_ambient_free(first); /* of the other arena: nothing is given back */
    tide_ambient_enter(before);
    tide_arena_destroy(inner);
    char *third = tide_ambient_strdup("third");
    check_that(first != third && second != third);
    tide_ambient_enter(NULL);
    tide_arena_destroy(outer);
}

Test(ambient, blocks_and_objects_share_an_arena)
{
    tide_arena *arena = tide_arena_create(NULL);
    tide_ambient_enter(arena);
    for (int i = 0; i < 1000; i++) {
        char *object = tide_arena_printf(arena, "%d", i);
        char *block = tide_ambient_strdup(object);
        check_that((uintptr_t)block % 16 == 0 && !strcmp(block, object));
        if (i % 3 == 0)
            tide_ambient_free(block);
    }
    tide_ambient_enter(NULL);
    tide_arena_destroy(arena);
}

enum { HANDED = 1000 };

static char *handed[HANDED];
static _Atomic unsigned wrong;

/* One thread allocates in its arena, the other frees, inside of an arena of its own. */
static void hand_over(unsigned index, void *barrier)
{
    tide_arena *arena = tide_arena_create(NULL);
    tide_ambient_enter(arena);
    for (int i = 0; i < HANDED && index == 0; i++)
        handed[i] = tide_ambient_strdup("handed");
    pthread_barrier_wait(barrier);
    for (int i = 0; i < HANDED && index == 1; i++) {
        char *own = tide_ambient_strdup("own");
        wrong += strcmp(handed[i], "handed") != 0;
        tide_ambient_free(handed[i]);
        wrong += strcmp(own, "own") != 0;
    }
    for (int i = 0; i < HANDED && index == 0; i++)
        tide_ambient_strdup("meanwhile");
    pthread_barrier_wait(barrier);
    tide_ambient_enter(NULL);
    tide_arena_destroy(arena);
}

Test(ambient, what_one_thread_allocates_another_may_free)
{
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, 2);
    check_threads(2, hand_over, &barrier);
    check_count(wrong, 0);
    pthread_barrier_destroy(&barrier);
}

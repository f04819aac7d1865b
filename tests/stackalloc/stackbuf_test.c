/* SPDX-License-Identifier: MIT */
/*
 * stackbuf_test.c: strings that grow: what they read as, where they are, and when they fail.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "spills.h"
#include "tide_ambient.h"
#include "tide_stackalloc.h"

static bool reads(const tide_stackbuf *buffer, const char *text)
{
    return buffer->size == strlen(text) && strcmp(buffer->data, text) == 0;
}

Test(stackalloc, a_string_that_fits_does_not_spill)
{
    spills_start(0);
    TIDE_STACKBUF(text, 8);
    check_that(reads(&text, "") && text.data == text_on_stack);
    check_that(tide_stackbuf_puts(&text, "abc") && tide_stackbuf_printf(&text, "%d", 4567));
    check_that(reads(&text, "abc4567"));
    check_count(spills, 0);
    check_that(tide_stackbuf_puts(&text, "")); /* the null has its place */
    check_count(spills, 0);
    check_that(tide_stackbuf_puts(&text, "8"));
    check_count(spills, 1);
    check_that(reads(&text, "abc45678") && text.data != text_on_stack);
}

static size_t spills_of(size_t size)
{
    spills_start(0);
    TIDE_STACKBUF(text, 16);
    for (size_t i = 0; i < size; i++)
        check_that(tide_stackbuf_append(&text, "x", 1));
    check_count(text.size, size);
    return spills;
}

Test(stackalloc, a_string_grows_in_few_steps_and_is_released)
{
    check_count(spills_of(15), 0);
    check_count(spills_of(16), 1);
    check_count(spills_of(100000), 13);
    check_count(spills_live, 0);
}

Test(stackalloc, a_printed_text_is_whole_whether_it_fits_or_not)
{
    spills_start(0);
    for (int width = 0; width < 70; width++) {
        TIDE_STACKBUF(text, 32);
        char expected[128];
        check_that(tide_stackbuf_puts(&text, "head ") && text.size == 5);
        check_that(tide_stackbuf_printf(&text, "%0*d", width, 7));
        snprintf(expected, sizeof(expected), "head %0*d", width, 7);
        check_that(reads(&text, expected));
    }
    check_count(spills_live, 0);
}

Test(stackalloc, a_string_takes_a_part_of_itself)
{
    spills_start(0);
    TIDE_STACKBUF(text, 8);
    check_that(tide_stackbuf_puts(&text, "abc"));
    for (int i = 0; i < 3; i++)
        check_that(tide_stackbuf_append(&text, text.data + 1, text.size - 1));
    check_that(reads(&text, "abcbcbcbcbcbcbcbc"));
    check_that(tide_stackbuf_append(&text, text.data + text.size, 0));
}

Test(stackalloc, what_follows_a_failure_is_left_out)
{
    spills_start(1);
    TIDE_STACKBUF(text, 8);
    check_that(tide_stackbuf_puts(&text, "abc"));
    errno = 0;
    check_that(!tide_stackbuf_puts(&text, "0123456789") && errno == ENOMEM && text.failed);
    check_that(!tide_stackbuf_puts(&text, "d") && !tide_stackbuf_printf(&text, "e"));
    check_that(!tide_stackbuf_reserve(&text, 0));
    check_that(reads(&text, "abc"));
    tide_stackbuf_clear(&text);
    check_that(reads(&text, "") && !text.failed && tide_stackbuf_puts(&text, "f"));
    check_that(reads(&text, "f"));
    spills_start(0);
}

/* Adds until one fails, if one does; returns whether the n-th spill was there to fail. */
static bool fails_cleanly(size_t n)
{
    spills_start(n);
    TIDE_STACKBUF(text, 16);
    size_t added = 0;
    for (size_t i = 0; i < 20000; i++)
        added +=
            i % 3 ? tide_stackbuf_puts(&text, "abc") : tide_stackbuf_printf(&text, "a%s", "bc");
    check_count(text.size, 3 * added);
    check_that(text.failed == (spills >= n) && text.data[text.size] == 0);
    for (size_t i = 0; i < text.size; i++)
        check_that(text.data[i] == "abc"[i % 3]);
    return text.failed;
}

Test(stackalloc, any_one_spill_of_a_string_may_fail)
{
    size_t n = 1;
    while (fails_cleanly(n))
        n++;
    check_that(n > 10);
    spills_start(0);
}

Test(stackalloc, a_printed_text_that_fails_leaves_what_was_there)
{
    spills_start(1);
    TIDE_STACKBUF(text, 8);
    check_that(tide_stackbuf_puts(&text, "abc") && !tide_stackbuf_printf(&text, "%20d", 1));
    check_that(reads(&text, "abc") && text.failed);
    spills_start(0);
}

Test(stackalloc, sizes_that_cannot_be_are_refused)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 8, PTRDIFF_MAX,
                                   (size_t)PTRDIFF_MAX + 1};
    spills_start(0);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        TIDE_STACKBUF(text, 8);
        check_that(tide_stackbuf_puts(&text, "abc"));
        errno = 0;
        check_that(!tide_stackbuf_reserve(&text, sizes[i]) && errno == ENOMEM);
        tide_stackbuf_truncate(&text, sizes[i]);
        tide_stackbuf_clear(&text);
        check_that(!tide_stackbuf_append(&text, "", sizes[i]) && errno == ENOMEM);
    }
    check_count(spills, 0);
}

Test(stackalloc, the_smallest_string_has_its_null)
{
    TIDE_STACKBUF(text, 1);
    check_that(reads(&text, "") && text.room == 1);
    check_that(tide_stackbuf_append(&text, "", 0) && text.data == text_on_stack);
    check_that(tide_stackbuf_puts(&text, "a") && reads(&text, "a"));
}

/* A random change of the string and of a naive one. */
static void change(tide_stackbuf *text, char *model, size_t *size, uint64_t *random)
{
    uint64_t number = check_random(random);
    size_t count = number / 8 % 40;
    if (number % 8 < 3) {
        char bytes[40];
        memset(bytes, (int)('a' + number / 1024 % 26), sizeof(bytes));
        check_that(tide_stackbuf_append(text, bytes, count));
        memcpy(model + *size, bytes, count);
    } else if (number % 8 < 5) {
        check_that(tide_stackbuf_printf(text, "%.*s", (int)count, model));
        count = count < *size ? count : *size;
        memmove(model + *size, model, count);
    } else if (number % 8 == 5) {
        char *room = tide_stackbuf_reserve(text, count);
        memset(room, 'r', count);
        tide_stackbuf_commit(text, count);
        memset(model + *size, 'r', count);
    } else {
        count = number / 8 % 150;
        tide_stackbuf_truncate(text, count);
        *size = count < *size ? count : *size;
        count = 0;
    }
    *size += count;
    model[*size] = 0;
}

Test(stackalloc, strings_read_as_naive_ones_do)
{
    uint64_t random = check_seed();
    size_t rounds = check_scaled(20000);
    spills_start(0);
    for (size_t round = 0; round < rounds; round++) {
        char model[4096] = "";
        size_t size = 0;
        TIDE_STACKBUF(text, 64);
        for (int i = 0; i < 50; i++) {
            change(&text, model, &size, &random);
            check_that(text.size == size && memcmp(text.data, model, size + 1) == 0);
        }
    }
    check_count(spills_live, 0);
}

static void spill_into(tide_arena *arena)
{
    tide_ambient_enter(arena);
    TIDE_STACKALLOC(char, line, 1000, 16);
    TIDE_STACKBUF(text, 16);
    for (int i = 0; i < 100; i++)
        check_that(tide_stackbuf_printf(&text, "%d,", i));
    tide_ambient_enter(NULL);
    check_that(tide_ambient_is_arena(line) && tide_ambient_is_arena(text.data));
    memset(line, 'x', 1000);
    check_that(strncmp(text.data, "0,1,2,", 6) == 0);
}

Test(stackalloc, what_does_not_fit_is_in_the_entered_arena)
{
    tide_arena *arena = tide_arena_create(NULL);
    tide_arena_stats stats;
    spills_start(0);
    for (int i = 0; i < 100; i++) {
        spill_into(arena);
        tide_arena_reset(arena);
    }
    check_count(spills_live, 0);
    tide_arena_read_stats(arena, &stats);
    check_that(stats.chunks_taken < 20);
    TIDE_STACKALLOC(char, line, 1000, 16);
    check_that(line && !tide_ambient_is_arena(line));
    tide_arena_destroy(arena);
}

/* SPDX-License-Identifier: MIT */
/*
 * size_test.c: the arithmetic of allocation for numbers of eight bits, all of them, beside the
 * definition in wider numbers; and that of the header around each boundary of its own width.
 */
#include <limits.h>

#include "arena.h"
#include "check.h"

TIDE__ARENA_FIT(fit_byte, uint8_t)

static bool is_power(unsigned align)
{
    return align && !(align & (align - 1));
}

/* What tide__arena_fit has to say, where nothing can wrap. */
static bool fits(unsigned next, unsigned end, unsigned size, unsigned align, unsigned *start)
{
    if (!is_power(align))
        return false;
    *start = (next + align - 1) / align * align;
    return *start + size <= end;
}

static void check_bytes(unsigned next, unsigned end, unsigned size, unsigned align)
{
    uint8_t start = 0;
    unsigned expected = 0;
    bool fit = fit_byte((uint8_t)next, (uint8_t)end, (uint8_t)size, (uint8_t)align, &start);
    check_that(fit == fits(next, end, size, align, &expected), "%u %u %u %u", next, end, size,
               align);
    check_that(!fit || start == expected, "%u %u %u %u", next, end, size, align);
}

/* Alignments that are no powers are all refused by the same term: a few of them do. */
Test(arena, the_arithmetic_holds_for_all_bytes)
{
    static const unsigned aligns[] = {0, 1, 2, 3, 4, 8, 16, 32, 64, 96, 127, 128, 129, 254, 255};
    unsigned step = check_scaled(20) > 1 ? 1 : 7;
    for (size_t i = 0; i < sizeof(aligns) / sizeof(*aligns); i++)
        for (unsigned end = 0; end < 256; end += 16)
            for (unsigned next = 0; next <= end; next++)
                for (unsigned size = 0; size < 256; size += step)
                    check_bytes(next, end, size, aligns[i]);
}

typedef unsigned __int128 wide;

static bool fits_wide(wide next, wide end, wide size, wide align, wide *start)
{
    *start = (next + align - 1) / align * align;
    return *start + size <= end;
}

static void check_words(uintptr_t next, uintptr_t end, uintptr_t size, uintptr_t align)
{
    uintptr_t start = 0;
    wide expected = 0;
    bool fit = tide__arena_fit(next, end, size, align, &start);
    check_that(fit == fits_wide(next, end, size, align, &expected));
    check_that(!fit || start == expected);
}

/* Numbers around each power of two, and around the ends. */
static uintptr_t boundary(unsigned index)
{
    return ((uintptr_t)1 << (index / 5)) + (uintptr_t)(index % 5) - 2;
}

/* Of a window: a multiple of 16. */
static uintptr_t end_at(unsigned index)
{
    return boundary(index) & ~(uintptr_t)15;
}

Test(arena, the_arithmetic_holds_around_every_power_of_two)
{
    unsigned count = 5 * 64, step = check_scaled(20) > 1 ? 1 : 17;
    for (unsigned n = 0; n < count; n += step)
        for (unsigned e = 0; e < count; e += step)
            for (unsigned s = 0; s < count && boundary(n) <= end_at(e); s++)
                for (unsigned align = 0; align < 64; align += 9)
                    check_words(boundary(n), end_at(e), boundary(s), (uintptr_t)1 << align);
}

Test(arena, spans_are_of_the_smallest_class_that_fits)
{
    for (size_t size = 1; size <= 1 << 20; size += 511) {
        unsigned class = tide__span_class(size);
        check_that(tide__span_size(class) >= size);
        check_that(class == 0 || tide__span_size(class - 1) < size);
    }
    check_count(tide__span_class(4096), 0);
    check_count(tide__span_class(4097), 1);
    check_that(tide__span_class(SIZE_MAX) >= TIDE__SPAN_CLASSES);
    check_that(tide__span_class((size_t)PTRDIFF_MAX + 1) >= TIDE__SPAN_CLASSES);
}

Test(arena, spans_are_aligned_to_their_size_and_apart)
{
    static const unsigned classes[] = {0, 5, 1, 0, 9, 3, 9, 0, 11, 2};
    enum { COUNT = sizeof(classes) / sizeof(*classes) };
    uintptr_t spans[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        spans[i] = (uintptr_t)tide__span_alloc(classes[i]);
        check_that(spans[i] && spans[i] % tide__span_size(classes[i]) == 0);
        check_that(tide__range_holds((void *)spans[i]));
        for (size_t j = 0; j < i; j++)
            check_that(spans[i] >= spans[j] + tide__span_size(classes[j]) ||
                       spans[j] >= spans[i] + tide__span_size(classes[i]));
    }
    for (size_t i = 0; i < COUNT; i++)
        tide__span_free((void *)spans[i], classes[i]);
    check_that(tide__span_alloc(classes[COUNT - 1]) == (void *)spans[COUNT - 1]);
}

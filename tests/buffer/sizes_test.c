/* SPDX-License-Identifier: MIT */
/*
 * sizes_test.c: every size argument at 0, 1, its largest value, and where blocks change size.
 */
#include <errno.h>
#include <string.h>

#include "text.h"

/* What is too much for the machine is refused under sanitizers too. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static const size_t sizes[] = {0,     1,     2,     959,   960,   961,   4031,   4032,   4033,
                               16319, 16320, 16321, 65471, 65472, 65473, 131072, 1000000};
enum { SIZE_COUNT = sizeof(sizes) / sizeof(*sizes) };

static const size_t impossible[] = {SIZE_MAX,        SIZE_MAX - 1, SIZE_MAX - 63,
                                    SIZE_MAX - 64,   PTRDIFF_MAX,  (size_t)PTRDIFF_MAX + 1,
                                    PTRDIFF_MAX - 63};
enum { IMPOSSIBLE_COUNT = sizeof(impossible) / sizeof(*impossible) };

Test(buffer, slices_of_every_size_are_writable_from_end_to_end)
{
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        tide_slice slice;
        check_that(tide_slice_init(&slice, sizes[i]));
        check_count(slice.size, sizes[i]);
        if (sizes[i])
            memset(tide_slice_writable(&slice), 1, sizes[i]);
        tide_slice_fini(&slice);
    }
}

Test(buffer, chains_take_every_size_at_either_end)
{
    static char data[1000000];
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        tide_chain chain = {.headroom = sizes[i]};
        check_that(tide_chain_append(&chain, data, sizes[i]));
        check_that(tide_chain_prepend(&chain, data, sizes[i]));
        size_t room = 0;
        char *end = tide_chain_reserve(&chain, sizes[i], &room);
        check_that(end && room >= sizes[i] && room > 0);
        memset(end, 1, room);
        tide_chain_commit(&chain, sizes[i]);
        check_count(chain.size, 3 * sizes[i]);
        tide_chain_clear(&chain);
    }
    check_count(live_blocks(), 0);
}

Test(buffer, impossible_sizes_are_refused)
{
    tide_chain chain = {0};
    check_that(tide_chain_append(&chain, "x", 1));
    for (size_t i = 0; i < IMPOSSIBLE_COUNT; i++) {
        tide_slice slice;
        errno = 0;
        check_that(!tide_slice_init(&slice, impossible[i]) && errno == ENOMEM);
        check_that(!slice.block);
        errno = 0;
        check_that(!tide_chain_reserve(&chain, impossible[i], NULL));
        check_that(errno == ENOMEM || errno == EOVERFLOW);
        errno = 0;
        check_that(!tide_chain_append(&chain, "", impossible[i]));
        check_that(errno == ENOMEM || errno == EOVERFLOW);
        errno = 0;
        check_that(!tide_chain_prepend(&chain, "", impossible[i]));
        check_that(errno == ENOMEM || errno == EOVERFLOW);
        check_that(chain_is(&chain, "x"));
    }
    tide_chain_clear(&chain);
    check_count(live_blocks(), 0);
}

Test(buffer, an_impossible_headroom_is_refused)
{
    for (size_t i = 0; i < IMPOSSIBLE_COUNT; i++) {
        tide_chain chain = {.headroom = impossible[i]};
        errno = 0;
        check_that(!tide_chain_append(&chain, "x", 1) && errno == ENOMEM);
        check_that(!tide_chain_printf(&chain, "x") && errno == ENOMEM);
        check_that(tide_chain_read(&chain, 0, 1) == -1 && errno == ENOMEM);
        check_count(chain.size, 0);
        tide_chain_clear(&chain);
    }
    check_count(live_blocks(), 0);
}

/* Foreign memory that is never looked at may claim any size. */
static void add_claim(tide_chain *chain, size_t size)
{
    tide_slice slice;
    check_that(tide_slice_init_foreign(&slice, "x", size, NULL, NULL));
    check_that(tide_chain_append_slice(chain, &slice));
}

Test(buffer, the_size_of_a_chain_does_not_wrap)
{
    tide_chain chain = {0}, other = {0};
    tide_slice slice;
    add_claim(&chain, SIZE_MAX - 1);
    check_that(tide_chain_append(&chain, "y", 1) && chain.size == SIZE_MAX);
    errno = 0;
    check_that(!tide_chain_append(&chain, "y", 1) && errno == EOVERFLOW);
    check_that(!tide_chain_prepend(&chain, "y", 1) && errno == EOVERFLOW);
    check_that(!tide_chain_reserve(&chain, 1, NULL) && errno == EOVERFLOW);
    errno = 0;
    check_that(!tide_chain_printf(&chain, "y") && errno == EOVERFLOW);
    errno = 0;
    check_that(tide_chain_read(&chain, 0, 1) == -1 && errno == EOVERFLOW);
    check_that(tide_slice_init_foreign(&slice, "y", 1, NULL, NULL));
    errno = 0;
    check_that(!tide_chain_append_slice(&chain, &slice) && errno == EOVERFLOW && slice.block);
    tide_slice_fini(&slice);
    add_claim(&other, 2);
    errno = 0;
    check_that(!tide_chain_append_chain(&chain, &other) && errno == EOVERFLOW);
    check_that(!tide_chain_share(&chain, &other, 0, 1) && errno == EOVERFLOW);
    check_that(!tide_chain_split(&other, 1, &chain) && errno == EOVERFLOW && other.size == 2);
    check_count(chain.size, SIZE_MAX);
    check_count(tide_chain_drop(&chain, SIZE_MAX), SIZE_MAX);
    tide_chain_clear(&chain);
    tide_chain_clear(&other);
    check_count(live_blocks(), 0);
}

Test(buffer, files_have_no_negative_or_endless_pieces)
{
    tide_slice slice;
    errno = 0;
    check_that(!tide_slice_init_file(&slice, 0, -1, 1) && errno == EINVAL);
    check_that(!tide_slice_init_file(&slice, 0, 0, SIZE_MAX) && errno == EINVAL);
    check_that(!tide_slice_init_file(&slice, 0, INT64_MAX, 1) && errno == EINVAL);
    errno = 0;
    check_that(!tide_slice_init_mapped(&slice, 0, -1, 1) && errno == EINVAL);
    check_that(!tide_slice_init_mapped(&slice, 0, 4095, SIZE_MAX - 4094) && errno == EINVAL);
    check_that(tide_slice_init_mapped(&slice, 0, 0, 0) && !slice.block);
    tide_slice_fini(&slice);
}

Test(buffer, dropping_and_looking_end_with_the_chain)
{
    tide_chain chain = {0};
    char data[8];
    struct iovec element;
    check_count(tide_chain_drop(&chain, SIZE_MAX), 0);
    check_count(tide_chain_copy_out(&chain, 0, data, 8), 0);
    check_count(tide_chain_copy_out(&chain, SIZE_MAX, data, 8), 0);
    check_count(tide_chain_iovec(&chain, 0, &element, 1), 0);
    check_that(tide_chain_append(&chain, "abc", 3));
    check_count(tide_chain_iovec(&chain, SIZE_MAX, &element, 1), 0);
    check_count(tide_chain_iovec(&chain, 0, &element, 0), 0);
    check_count(tide_chain_copy_out(&chain, 1, data, SIZE_MAX), 2);
    check_count(tide_chain_copy_out(&chain, 3, data, 1), 0);
    check_count(tide_chain_drop(&chain, 0), 0);
    check_count(tide_chain_drop(&chain, 4), 3);
    tide_chain_clear(&chain);
}

Test(buffer, the_last_bytes_of_a_chain_are_all_the_room_there_is)
{
    tide_chain chain = {0};
    size_t room = 0;
    add_claim(&chain, SIZE_MAX - 10);
    check_that(tide_chain_reserve(&chain, 3, &room) && room == 10);
    tide_chain_commit(&chain, 10);
    check_count(chain.size, SIZE_MAX);
    tide_chain_clear(&chain);
}

/* Where memory is only claimed, and not filled with zeros by a checker. */
Test(buffer, more_than_four_gib_may_be_one_piece)
{
    size_t size = (size_t)5 << 30, room = 0;
    tide_chain chain = {0};
    if (check_scaled(2) < 2)
        return;
    char *end = tide_chain_reserve(&chain, size, &room);
    check_that(end && room >= size);
    end[0] = 'a';
    end[size - 1] = 'z';
    tide_chain_commit(&chain, size);
    check_that(tide_chain_append(&chain, "!", 1) && chain.size == size + 1);
    check_count(tide_chain_drop(&chain, size - 1), size - 1);
    check_that(chain_is(&chain, "z!"));
    tide_chain_clear(&chain);
    check_count(live_blocks(), 0);
}

/* SPDX-License-Identifier: MIT */
/*
 * slice_test.c: references to blocks: sharing, writing when unique, foreign memory, files.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

Test(buffer, a_shared_slice_shows_the_same_bytes)
{
    uint64_t live = live_blocks(), copied = copied_bytes();
    char long_text[4000];
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = 0;
    tide_slice slice = slice_of(long_text), part = {0};
    check_that(tide_slice_share(&part, &slice, 1000, 2000));
    check_that(part.data == slice.data + 1000 && part.size == 2000);
    check_count(live_blocks() - live, 1);
    tide_slice_fini(&slice);
    check_count(live_blocks() - live, 1);
    check_that(part.data[0] == 'x' && part.data[1999] == 'x');
    tide_slice_fini(&part);
    check_count(live_blocks(), live);
    check_count(copied_bytes(), copied);
}

Test(buffer, a_small_share_of_a_large_block_is_a_copy)
{
    tide_slice large, small, half;
    check_that(tide_slice_init(&large, 60000));
    memset(tide_slice_writable(&large), 'y', 60000);
    check_that(tide_slice_pins(&large, 100) && tide_slice_pins(&large, 4096));
    check_that(!tide_slice_pins(&large, 4097) && !tide_slice_pins(&large, 30000));
    uint64_t copied = copied_bytes();
    check_that(tide_slice_share(&small, &large, 59000, 100));
    check_count(copied_bytes() - copied, 100);
    check_that(small.data < large.data || small.data >= large.data + large.size);
    check_that(tide_slice_share(&half, &large, 0, 30000));
    check_that(half.data == large.data);
    check_count(copied_bytes() - copied, 100);
    tide_slice_fini(&large);
    check_that(small.data[0] == 'y' && small.data[99] == 'y');
    tide_slice_fini(&small);
    tide_slice_fini(&half);
}

Test(buffer, a_part_that_is_none_is_refused)
{
    tide_slice slice = slice_of("abc"), part;
    errno = 0;
    check_that(!tide_slice_share(&part, &slice, 4, 0) && errno == EINVAL);
    errno = 0;
    check_that(!tide_slice_share(&part, &slice, 1, 3) && errno == EINVAL);
    check_that(!tide_slice_share(&part, &slice, 1, SIZE_MAX) && errno == EINVAL);
    check_that(!tide_slice_share(&part, &slice, SIZE_MAX, 1) && errno == EINVAL);
    check_that(tide_slice_share(&part, &slice, 3, 0) && !part.block);
    tide_slice_fini(&part);
    tide_slice_fini(&slice);
}

Test(buffer, a_unique_slice_is_written_in_place_and_a_shared_one_copied)
{
    tide_slice slice = slice_of("abcdefgh"), other;
    char text[200] = {0};
    tide_slice_fini(&slice);
    memset(text, 'q', sizeof(text) - 1);
    slice = slice_of(text);
    const char *before = slice.data;
    check_that(tide_slice_writable(&slice) == before);
    check_that(tide_slice_share(&other, &slice, 0, slice.size));
    check_that(other.data == before && !tide_slice_is_writable(&slice));
    char *data = tide_slice_writable(&slice);
    check_that(data != before && data == slice.data);
    data[0] = 'X';
    check_that(other.data[0] == 'q' && slice.data[1] == 'q');
    check_that(tide_slice_is_writable(&slice) && tide_slice_is_writable(&other));
    check_that(tide_slice_writable(&other) == before); /* unique again */
    tide_slice_fini(&slice);
    tide_slice_fini(&other);
}

static unsigned released;

static void release(const void *data, size_t size, void *context)
{
    released += data == context && size == 5;
}

Test(buffer, foreign_memory_is_released_once_with_its_last_reference)
{
    char text[] = "hello";
    tide_slice slice, part;
    uint64_t copied = copied_bytes();
    released = 0;
    check_that(tide_slice_init_foreign(&slice, text, 5, release, text));
    check_that(tide_slice_share(&part, &slice, 0, 2));
    check_that(slice.data == text && part.data == text);
    tide_slice_fini(&slice);
    check_count(released, 0);
    tide_slice_fini(&part);
    tide_slice_fini(&part);
    check_count(released, 1);
    check_count(copied_bytes(), copied);
}

Test(buffer, foreign_memory_is_never_written_to)
{
    tide_slice slice;
    check_that(tide_slice_init_foreign(&slice, "constant", 8, NULL, NULL));
    char *data = tide_slice_writable(&slice);
    data[0] = 'K';
    check_that(slice_is(&slice, "Konstant"));
    tide_slice_fini(&slice);
}

Test(buffer, a_file_of_a_slice_is_closed_with_its_last_reference)
{
    int file = pattern_file(100);
    tide_slice slice, part;
    check_that(tide_slice_init_file(&slice, file, 10, 50));
    check_that(!slice.data && slice.size == 50);
    check_that(tide_slice_share(&part, &slice, 20, 10));
    tide_slice_fini(&slice);
    char *data = tide_slice_writable(&part);
    check_that(data && part.size == 10);
    for (size_t i = 0; i < 10; i++)
        check_that(data[i] == pattern(30 + i));
    errno = 0;
    check_that(lseek(file, 0, SEEK_CUR) < 0 && errno == EBADF);
    tide_slice_fini(&part);
}

Test(buffer, a_file_that_is_shorter_than_its_slice_is_an_error)
{
    tide_slice slice;
    uint64_t live = live_blocks();
    check_that(tide_slice_init_file(&slice, pattern_file(100), 60, 50));
    errno = 0;
    check_that(!tide_slice_writable(&slice) && errno == EIO);
    check_count(slice.size, 50);
    tide_slice_fini(&slice);
    check_count(live_blocks(), live);
}

Test(buffer, a_mapped_slice_shows_the_file_from_any_offset)
{
    int file = pattern_file(10000);
    tide_slice slice;
    check_that(tide_slice_init_mapped(&slice, file, 4097, 5000));
    close(file);
    for (size_t i = 0; i < 5000; i++)
        check_that(slice.data[i] == pattern(4097 + i));
    char *data = tide_slice_writable(&slice);
    data[0]++;
    check_that(slice.data == data && data[0] != pattern(4097));
    tide_slice_fini(&slice);
    errno = 0;
    check_that(!tide_slice_init_mapped(&slice, -1, 0, 10) && errno == EBADF);
    check_that(!slice.block);
}

Test(buffer, an_empty_slice_is_writable_nowhere_and_released_freely)
{
    tide_slice slice;
    check_that(tide_slice_init(&slice, 0) && !slice.block);
    errno = 1;
    check_that(!tide_slice_writable(&slice) && errno == 0);
    tide_slice_fini(&slice);
    tide_slice_fini(&slice);
}

/* SPDX-License-Identifier: MIT */
/*
 * chain_test.c: chains: what they read as after each operation, and what is copied.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

Test(buffer, a_chain_reads_as_what_was_added)
{
    tide_chain chain = {0};
    tide_slice slice;
    check_that(chain_is(&chain, ""));
    check_that(tide_chain_append(&chain, "one ", 4));
    check_that(tide_slice_init_foreign(&slice, "two ", 4, NULL, NULL));
    check_that(tide_chain_append_slice(&chain, &slice) && !slice.block);
    check_that(tide_chain_printf(&chain, "%s %d", "three", 4));
    check_that(tide_chain_prepend(&chain, "zero ", 5));
    check_that(chain_is(&chain, "zero one two three 4"));
    tide_chain_clear(&chain);
    check_that(chain_is(&chain, ""));
    check_count(live_blocks(), 0);
}

Test(buffer, appended_bytes_fill_few_blocks)
{
    tide_chain chain = {0};
    struct iovec elements[64];
    append_pattern(&chain, 0, 1000000);
    check_that(is_pattern(&chain, 0));
    size_t count = tide_chain_iovec(&chain, 0, elements, 64);
    check_that(count > 1000000 / 65536 && count < 24, "%zu", count);
    tide_chain_clear(&chain);
    check_count(live_blocks(), 0);
}

Test(buffer, a_large_append_is_one_piece)
{
    static char data[300000];
    struct iovec element;
    tide_chain chain = {0};
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = pattern(i);
    check_that(tide_chain_append(&chain, data, sizeof(data)));
    check_count(tide_chain_iovec(&chain, 0, &element, 1), 1);
    check_count(element.iov_len, sizeof(data));
    check_that(is_pattern(&chain, 0));
    tide_chain_clear(&chain);
}

Test(buffer, headroom_takes_what_is_prepended_without_a_new_block)
{
    tide_chain chain = {.headroom = 16};
    struct iovec elements[4];
    check_that(tide_chain_append(&chain, "body", 4));
    check_that(tide_chain_prepend(&chain, "0123456789", 10));
    check_that(tide_chain_prepend(&chain, "abcdef", 6));
    check_count(tide_chain_iovec(&chain, 0, elements, 4), 1);
    check_that(tide_chain_prepend(&chain, "!", 1));
    check_count(tide_chain_iovec(&chain, 0, elements, 4), 2);
    check_that(chain_is(&chain, "!abcdef0123456789body"));
    check_count(live_blocks(), 2);
    tide_chain_clear(&chain);
    check_count(chain.headroom, 16);
}

Test(buffer, many_prepends_take_few_blocks)
{
    tide_chain chain = {0};
    for (size_t i = 10000; i-- > 0;) {
        char c = pattern(i);
        check_that(tide_chain_prepend(&chain, &c, 1));
    }
    check_that(is_pattern(&chain, 0));
    check_that(live_blocks() < 16);
    tide_chain_clear(&chain);
}

Test(buffer, what_was_dropped_from_a_block_of_ones_own_is_headroom)
{
    tide_chain chain = {0};
    check_that(tide_chain_append(&chain, "headers:body", 12));
    check_count(tide_chain_drop(&chain, 8), 8);
    check_that(tide_chain_prepend(&chain, "HEADERS:", 8));
    check_that(chain_is(&chain, "HEADERS:body"));
    check_count(live_blocks(), 1);
    tide_chain_clear(&chain);
}

Test(buffer, what_was_dropped_from_a_shared_block_is_left_alone)
{
    tide_chain chain = {0}, other = {0};
    check_that(tide_chain_append(&chain, "headers:body", 12));
    check_that(tide_chain_share(&other, &chain, 0, 12));
    tide_chain_drop(&chain, 8);
    check_that(tide_chain_prepend(&chain, "HEADERS:", 8));
    check_that(tide_chain_append(&chain, "!", 1)); /* room that other does not have */
    check_that(tide_chain_append(&other, "?", 1));
    check_that(chain_is(&chain, "HEADERS:body!"));
    check_that(chain_is(&other, "headers:body?"));
    tide_chain_clear(&chain);
    tide_chain_clear(&other);
}

Test(buffer, a_split_gives_the_front_and_copies_nothing)
{
    tide_chain chain = {0}, head = {0};
    append_pattern(&chain, 0, 5000);
    uint64_t copied = copied_bytes();
    check_that(tide_chain_split(&chain, 1234, &head));
    check_count(head.size, 1234);
    check_count(chain.size, 5000 - 1234);
    check_that(is_pattern(&head, 0) && is_pattern(&chain, 1234));
    copied += 5000; /* is_pattern copies out */
    check_count(copied_bytes(), copied);
    check_that(tide_chain_split(&chain, SIZE_MAX, &head));
    check_that(is_pattern(&head, 0) && head.size == 5000 && chain.size == 0);
    tide_chain_clear(&head);
    tide_chain_clear(&chain);
    check_count(live_blocks(), 0);
}

Test(buffer, pieces_that_join_again_are_one_slice)
{
    tide_chain chain = {0}, head = {0};
    struct iovec elements[4];
    check_that(tide_chain_append(&chain, "abcdef", 6));
    check_that(tide_chain_split(&chain, 3, &head));
    check_that(tide_chain_append_chain(&head, &chain));
    check_count(tide_chain_iovec(&head, 0, elements, 4), 1);
    check_that(tide_chain_append(&head, "g", 1)); /* with the room behind it */
    check_that(chain_is(&head, "abcdefg"));
    check_count(live_blocks(), 1);
    tide_chain_clear(&head);
}

Test(buffer, shared_bytes_stay_when_their_owner_goes_on)
{
    tide_chain chain = {0}, pin = {0};
    append_pattern(&chain, 0, 3000);
    uint64_t copied = copied_bytes();
    check_that(tide_chain_share(&pin, &chain, 100, 2500));
    check_count(copied_bytes(), copied);
    char *data = tide_chain_writable(&chain, 200, 10);
    memset(data, 0, 10);
    append_pattern(&chain, 3000, 100);
    tide_chain_clear(&chain);
    check_count(pin.size, 2500);
    check_that(is_pattern(&pin, 100));
    tide_chain_clear(&pin);
    check_count(live_blocks(), 0);
}

Test(buffer, a_share_that_is_no_part_is_refused)
{
    tide_chain chain = {0}, other = {0};
    check_that(tide_chain_append(&chain, "abc", 3));
    errno = 0;
    check_that(!tide_chain_share(&other, &chain, 4, 0) && errno == EINVAL);
    check_that(!tide_chain_share(&other, &chain, 3, 1) && errno == EINVAL);
    check_that(!tide_chain_share(&other, &chain, 1, SIZE_MAX) && errno == EINVAL);
    check_that(tide_chain_share(&other, &chain, 3, 0) && other.size == 0);
    tide_chain_clear(&chain);
}

Test(buffer, a_small_slice_of_a_large_block_is_appended_as_a_copy)
{
    tide_slice large;
    tide_chain chain = {0};
    uint64_t copied = copied_bytes();
    check_that(tide_slice_init(&large, 100));
    memset(tide_slice_writable(&large), 'z', 100);
    check_that(tide_chain_append_slice(&chain, &large)); /* 100 of 960: one in nine */
    check_count(copied_bytes() - copied, 100);
    check_that(tide_slice_init(&large, 200));
    const char *data = large.data;
    check_that(tide_chain_append_slice(&chain, &large)); /* 200 of 960 */
    struct iovec elements[3];
    check_count(tide_chain_iovec(&chain, 0, elements, 3), 2);
    check_that(elements[1].iov_base == data);
    check_count(copied_bytes() - copied, 100);
    tide_chain_clear(&chain);
}

Test(buffer, bytes_in_one_piece_are_not_copied)
{
    tide_chain chain = {0}, other = {0};
    check_that(tide_chain_append(&chain, "abcdef", 6));
    tide_slice slice;
    check_that(tide_slice_init_foreign(&slice, "ghi", 3, NULL, NULL));
    check_that(tide_chain_append_slice(&chain, &slice));
    uint64_t copied = copied_bytes();
    const char *data = tide_chain_coalesce(&chain, 2, 3);
    check_that(memcmp(data, "cde", 3) == 0);
    check_count(copied_bytes(), copied);
    data = tide_chain_coalesce(&chain, 4, 4);
    check_that(memcmp(data, "efgh", 4) == 0);
    check_count(copied_bytes() - copied, 4);
    check_that(chain_is(&chain, "abcdefghi"));
    check_that(tide_chain_share(&other, &chain, 0, 9));
    memcpy(tide_chain_writable(&chain, 1, 2), "BC", 2);
    check_that(chain_is(&chain, "aBCdefghi") && chain_is(&other, "abcdefghi"));
    tide_chain_clear(&chain);
    tide_chain_clear(&other);
    check_count(live_blocks(), 0);
}

Test(buffer, one_piece_of_nothing_or_too_much_is_refused)
{
    tide_chain chain = {0};
    check_that(tide_chain_append(&chain, "abc", 3));
    errno = 0;
    check_that(!tide_chain_coalesce(&chain, 0, 0) && errno == EINVAL);
    errno = 0;
    check_that(!tide_chain_coalesce(&chain, 0, 4) && errno == EINVAL);
    check_that(!tide_chain_coalesce(&chain, SIZE_MAX, 2) && errno == EINVAL);
    check_that(!tide_chain_writable(&chain, 2, SIZE_MAX) && errno == EINVAL);
    check_that(!tide_chain_writable(&chain, 3, 1) && errno == EINVAL);
    tide_chain_clear(&chain);
}

Test(buffer, reserved_room_is_added_by_commit)
{
    tide_chain chain = {0};
    size_t room = 0;
    uint64_t copied = copied_bytes();
    for (int i = 0; i < 1000; i++) {
        char *end = tide_chain_reserve(&chain, 16, &room);
        check_that(end && room >= 16);
        tide_chain_commit(&chain, (size_t)snprintf(end, room, "%d ", i));
    }
    check_count(copied_bytes(), copied);
    check_count(chain.size, 10 * 2 + 90 * 3 + 900 * 4);
    check_that(memcmp(tide_chain_coalesce(&chain, chain.size - 8, 8), "998 999 ", 8) == 0);
    check_that(tide_chain_reserve(&chain, 100000, &room) && room >= 100000);
    check_that(tide_chain_append(&chain, "end", 3)); /* the room is given up or used */
    check_that(memcmp(tide_chain_coalesce(&chain, chain.size - 3, 3), "end", 3) == 0);
    tide_chain_clear(&chain);
    check_count(live_blocks(), 0);
}

Test(buffer, reserved_room_without_commit_is_no_byte)
{
    tide_chain chain = {0}, other = {0};
    check_that(tide_chain_reserve(&chain, 0, NULL));
    tide_chain_commit(&chain, 0);
    check_that(chain_is(&chain, ""));
    check_that(tide_chain_append(&other, "x", 1));
    check_that(tide_chain_append_chain(&other, &chain));
    check_that(tide_chain_reserve(&chain, 10, NULL));
    check_that(tide_chain_append_chain(&chain, &other));
    check_that(chain_is(&chain, "x"));
    tide_chain_clear(&chain);
    check_count(live_blocks(), 0);
}

Test(buffer, a_long_printed_text_is_whole)
{
    tide_chain chain = {0};
    uint64_t copied = copied_bytes();
    check_that(tide_chain_printf(&chain, "%5000d|", 7));
    check_that(tide_chain_printf(&chain, "%s", ""));
    check_count(chain.size, 5001);
    char tail[3] = {0};
    check_count(tide_chain_copy_out(&chain, 4999, tail, 10), 2);
    check_that(strcmp(tail, "7|") == 0);
    check_count(copied_bytes() - copied, 2);
    tide_chain_clear(&chain);
}

Test(buffer, a_moved_chain_leaves_an_empty_one)
{
    tide_chain from = {.headroom = 3}, to = {.headroom = 5};
    for (int i = 0; i < 20; i++) {
        tide_slice slice;
        check_that(tide_slice_init_foreign(&slice, "ab", 2, NULL, NULL));
        check_that(tide_chain_append_slice(&from, &slice));
    }
    check_that(tide_chain_append_chain(&to, &from));
    check_that(chain_is(&from, "") && to.size == 40);
    check_count(from.headroom, 3);
    check_count(to.headroom, 5);
    check_that(tide_chain_append(&from, "x", 1) && tide_chain_append_chain(&to, &from));
    check_count(to.size, 41);
    tide_chain_clear(&to);
    tide_chain_clear(&from);
    check_count(live_blocks(), 0);
}

Test(buffer, a_queue_keeps_its_array_small)
{
    tide_chain chain = {0};
    for (int i = 0; i < 10000; i++) {
        tide_slice slice;
        check_that(tide_slice_init_foreign(&slice, "abcd", 4, NULL, NULL));
        check_that(tide_chain_append_slice(&chain, &slice));
        if (i >= 5)
            check_count(tide_chain_drop(&chain, 4), 4);
    }
    check_that(chain.room <= 32, "%u", chain.room);
    check_count(chain.size, 20);
    tide_chain_clear(&chain);
}

Test(buffer, a_chain_is_not_moved_into_itself)
{
    tide_chain chain = {0};
    check_that(tide_chain_append(&chain, "abc", 3));
    errno = 0;
    check_that(!tide_chain_append_chain(&chain, &chain) && errno == EINVAL);
    errno = 0;
    check_that(!tide_chain_split(&chain, 1, &chain) && errno == EINVAL);
    errno = 0;
    check_that(!tide_chain_share(&chain, &chain, 0, 1) && errno == EINVAL);
    check_that(chain_is(&chain, "abc"));
    tide_chain_clear(&chain);
}

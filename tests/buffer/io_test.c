/* SPDX-License-Identifier: MIT */
/*
 * io_test.c: chains and files: short writes, EAGAIN, ends, sendfile where it goes and where not.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "text.h"

/* A pair of sockets that take little at once, and do not wait. */
static void open_pair(int pair[2])
{
    int size = 1;
    check_that(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    for (int i = 0; i < 2; i++) {
        setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        setsockopt(pair[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    }
}

static void close_pair(const int pair[2])
{
    close(pair[0]);
    close(pair[1]);
}

/* Writes all of `from` to one end and reads it from the other into `to`, in turn. */
static void transfer(tide_chain *from, tide_chain *to, size_t step)
{
    int pair[2];
    open_pair(pair);
    size_t size = from->size, shorts = 0;
    while (to->size < size) {
        ssize_t written = tide_chain_write(from, pair[0], step);
        check_that(written > 0 || from->size == 0 || errno == EAGAIN);
        shorts += written >= 0 && from->size > 0;
        ssize_t got = tide_chain_read(to, pair[1], step);
        check_that(got > 0 || errno == EAGAIN);
    }
    check_count(from->size, 0);
    check_that(shorts > 0);
    tide_chain_clear(from); /* its array */
    close_pair(pair);
}

Test(buffer, short_writes_lose_nothing)
{
    tide_chain from = {0}, to = {0};
    append_pattern(&from, 0, 300000);
    uint64_t copied = copied_bytes();
    transfer(&from, &to, SIZE_MAX);
    check_count(copied_bytes(), copied);
    check_count(to.size, 300000);
    check_that(is_pattern(&to, 0));
    tide_chain_clear(&to);
    check_count(live_blocks(), 0);
}

Test(buffer, small_steps_lose_nothing)
{
    tide_chain from = {0}, to = {.headroom = 8};
    append_pattern(&from, 0, 20000);
    transfer(&from, &to, 777);
    check_that(to.size == 20000 && is_pattern(&to, 0));
    tide_chain_clear(&to);
}

Test(buffer, a_chain_of_more_slices_than_iov_max_is_written)
{
    tide_chain from = {0}, to = {0};
    static char texts[5000];
    for (size_t i = 0; i < sizeof(texts); i++) {
        tide_slice slice;
        texts[i] = pattern(i);
        check_that(tide_slice_init_foreign(&slice, &texts[i], 1, NULL, NULL));
        check_that(tide_chain_append_slice(&from, &slice));
    }
    static struct iovec elements[6000];
    check_count(tide_chain_iovec(&from, 0, elements, 6000), 1024);
    check_count(tide_chain_iovec(&from, 4990, elements, 6000), 10);
    check_count(tide_chain_iovec(&from, 5000, elements, 6000), 0);
    transfer(&from, &to, 4999);
    check_that(to.size == sizeof(texts) && is_pattern(&to, 0));
    tide_chain_clear(&to);
    tide_chain_clear(&from);
}

Test(buffer, reading_tells_nothing_yet_from_the_end)
{
    int pair[2];
    tide_chain chain = {0};
    open_pair(pair);
    errno = 0;
    check_that(tide_chain_read(&chain, pair[0], 100) == -1 && errno == EAGAIN);
    check_that(write(pair[1], "abc", 3) == 3);
    close(pair[1]);
    check_count(tide_chain_read(&chain, pair[0], 0), 0);
    check_count(tide_chain_read(&chain, pair[0], 2), 2);
    check_count(tide_chain_read(&chain, pair[0], SIZE_MAX), 1);
    check_count(tide_chain_read(&chain, pair[0], 100), 0);
    check_that(chain_is(&chain, "abc"));
    check_count(live_blocks(), 1);
    tide_chain_clear(&chain);
    close(pair[0]);
    check_that(tide_chain_read(&chain, pair[0], 100) == -1 && errno == EBADF);
    check_count(live_blocks(), 0);
}

Test(buffer, a_failed_write_keeps_the_bytes)
{
    int pair[2];
    tide_chain chain = {0};
    signal(SIGPIPE, SIG_IGN);
    open_pair(pair);
    close(pair[1]);
    check_that(tide_chain_append(&chain, "abc", 3));
    errno = 0;
    check_that(tide_chain_write(&chain, pair[0], 3) == -1 && errno == EPIPE);
    check_count(tide_chain_write(&chain, -1, 0), 0);
    check_that(chain_is(&chain, "abc"));
    tide_chain_clear(&chain);
    check_count(tide_chain_write(&chain, pair[0], SIZE_MAX), 0);
    close(pair[0]);
}

static void add_file(tide_chain *chain, off_t offset, size_t size)
{
    tide_slice slice;
    check_that(tide_slice_init_file(&slice, pattern_file(9000), offset, size));
    check_that(tide_chain_append_slice(chain, &slice));
}

Test(buffer, files_between_memory_are_sent_and_not_copied)
{
    tide_chain from = {0}, to = {0}, pin = {0}, head = {0};
    tide_buffer_stats before, after;
    append_pattern(&from, 0, 100);
    add_file(&from, 100, 8000);
    append_pattern(&from, 8100, 50);
    check_that(tide_chain_share(&pin, &from, 50, 5000));
    check_that(tide_chain_split(&from, 4000, &head));
    check_that(tide_chain_append_chain(&head, &from) && head.size == 8150);
    tide_buffer_read_stats(&before);
    transfer(&head, &to, SIZE_MAX);
    tide_buffer_read_stats(&after);
    check_count(after.sendfile_bytes - before.sendfile_bytes, 8000);
    check_count(after.copied_bytes, before.copied_bytes);
    check_that(to.size == 8150 && is_pattern(&to, 0));
    check_that(pin.size == 5000 && is_pattern(&pin, 50));
    tide_chain_clear(&to);
    tide_chain_clear(&pin);
    check_count(live_blocks(), 0);
}

Test(buffer, a_file_goes_where_sendfile_does_not)
{
    tide_chain chain = {0}, back = {0};
    int file = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND, 0600);
    check_that(file >= 0);
    append_pattern(&chain, 0, 10);
    add_file(&chain, 10, 8000);
    check_count(tide_chain_write(&chain, file, SIZE_MAX), 8010);
    check_that(lseek(file, 0, SEEK_SET) == 0);
    check_count(tide_chain_read(&back, file, SIZE_MAX), 8010);
    check_that(is_pattern(&back, 0));
    tide_chain_clear(&back);
    close(file);
}

Test(buffer, a_file_that_became_shorter_fails_and_does_not_hang)
{
    int pair[2];
    tide_chain chain = {0};
    open_pair(pair);
    add_file(&chain, 8990, 20);
    check_count(tide_chain_write(&chain, pair[0], SIZE_MAX), 10);
    errno = 0;
    check_that(tide_chain_write(&chain, pair[0], SIZE_MAX) == -1 && errno == EIO);
    errno = 0;
    check_that(!tide_chain_coalesce(&chain, 0, 10) && errno == EIO);
    check_count(chain.size, 10);
    tide_chain_clear(&chain);
    check_count(live_blocks(), 0);
    close_pair(pair);
}

Test(buffer, a_file_is_read_into_memory_when_it_is_looked_at)
{
    tide_chain chain = {0};
    struct iovec elements[3];
    append_pattern(&chain, 0, 10);
    add_file(&chain, 10, 100);
    append_pattern(&chain, 110, 10);
    check_count(tide_chain_iovec(&chain, 0, elements, 3), 1); /* up to the file */
    check_count(tide_chain_iovec(&chain, 10, elements, 3), 0);
    const char *data = tide_chain_coalesce(&chain, 5, 110);
    for (size_t i = 0; i < 110; i++)
        check_that(data[i] == pattern(5 + i));
    check_count(tide_chain_iovec(&chain, 0, elements, 3), 3);
    check_that(is_pattern(&chain, 0));
    tide_chain_clear(&chain);
}

/* SPDX-License-Identifier: MIT */
/*
 * uring_test.c: buffers that io_uring fills: provided and registered ones. Where the kernel has no
 * io_uring, as in an emulator, there is nothing to test.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "text.h"
#include "tide_buffer_uring.h"

enum { GROUP = 3, BUFFERS = 4, SIZE = 4032 };

static struct io_uring ring;
static int pair[2];

/* False: no io_uring here. */
static bool start(void)
{
    int error = io_uring_queue_init(16, &ring, 0);
    if (error)
        fprintf(stderr, "no io_uring here (%d): nothing is tested\n", -error);
    else
        check_that(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    return !error;
}

static void stop(void)
{
    io_uring_queue_exit(&ring);
    close(pair[0]);
    close(pair[1]);
}

static void send_pattern(size_t from, size_t size)
{
    char data[SIZE];
    for (size_t i = 0; i < size; i++)
        data[i] = pattern(from + i);
    check_that(write(pair[0], data, size) == (ssize_t)size);
}

/* What completes stays readable until the next operation completes. */
static const struct io_uring_cqe *complete(void)
{
    struct io_uring_cqe *cqe = NULL;
    check_that(io_uring_submit(&ring) == 1);
    check_that(io_uring_wait_cqe(&ring, &cqe) == 0);
    io_uring_cqe_seen(&ring, cqe);
    return cqe;
}

static const struct io_uring_cqe *receive_selected(void)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
    io_uring_prep_recv(sqe, pair[1], NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    return complete();
}

/* Old kernels have io_uring and no groups of this kind. */
static bool provide(struct tide_uring_provided *buffers)
{
    bool made = tide_uring_provided_init(buffers, &ring, GROUP, BUFFERS, SIZE);
    check_that(made || errno == EINVAL);
    return made;
}

Test(buffer, provided_buffers_go_to_the_chain_and_are_replaced)
{
    struct tide_uring_provided buffers;
    tide_chain chain = {0};
    if (!start())
        return;
    uint64_t copied = copied_bytes();
    if (provide(&buffers)) {
        for (size_t i = 0; i < 5 * BUFFERS; i++) {
            send_pattern(chain.size, 2000);
            const struct io_uring_cqe *cqe = receive_selected();
            check_count(cqe->res, 2000);
            check_that(tide_uring_provided_take(&buffers, cqe, &chain));
        }
        check_count(copied_bytes(), copied);
        check_that(chain.size == 5 * BUFFERS * 2000 && is_pattern(&chain, 0));
        tide_uring_provided_fini(&buffers);
        tide_uring_provided_fini(&buffers);
    }
    tide_chain_clear(&chain);
    check_count(live_blocks(), 0);
    stop();
}

Test(buffer, few_bytes_in_a_provided_buffer_are_copied_and_it_is_provided_again)
{
    struct tide_uring_provided buffers;
    tide_chain chain = {0};
    if (!start())
        return;
    uint64_t copied = copied_bytes(), live = live_blocks();
    if (provide(&buffers)) {
        for (size_t i = 0; i < 5 * BUFFERS; i++) {
            send_pattern(chain.size, 20);
            const struct io_uring_cqe *cqe = receive_selected();
            check_that(tide_uring_provided_take(&buffers, cqe, &chain));
        }
        check_count(copied_bytes() - copied, 5 * BUFFERS * 20);
        check_count(live_blocks() - live, BUFFERS + 1);
        check_that(is_pattern(&chain, 0));
        struct io_uring_cqe none = {.res = 5};
        errno = 0;
        check_that(!tide_uring_provided_take(&buffers, &none, &chain) && errno == EINVAL);
        none.flags = IORING_CQE_F_BUFFER | 100u << IORING_CQE_BUFFER_SHIFT;
        check_that(!tide_uring_provided_take(&buffers, &none, &chain) && errno == EINVAL);
        tide_uring_provided_fini(&buffers);
    }
    tide_chain_clear(&chain);
    check_count(live_blocks(), 0);
    stop();
}

Test(buffer, groups_that_cannot_be_are_refused)
{
    struct tide_uring_provided buffers;
    struct tide_uring_registered set;
    static const unsigned counts[] = {0, 3, 65536, UINT32_MAX};
    static const size_t sizes[] = {0, (size_t)INT32_MAX + 1, SIZE_MAX};
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        errno = 0;
        check_that(!tide_uring_provided_init(&buffers, &ring, 1, counts[i], 100));
        check_that(errno == EINVAL && !buffers.ring);
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        errno = 0;
        check_that(!tide_uring_provided_init(&buffers, &ring, 1, 8, sizes[i]) && errno == EINVAL);
        errno = 0;
        check_that(!tide_uring_registered_init(&set, &ring, 8, sizes[i]) && errno == EINVAL);
    }
    check_that(!tide_uring_provided_init(&buffers, &ring, -1, 8, 100) && errno == EINVAL);
    check_that(!tide_uring_registered_init(&set, &ring, 0, 100) && errno == EINVAL);
    tide_uring_provided_fini(&buffers);
    tide_uring_registered_fini(&set);
}

/* Reads into a registered buffer and adds what came to the chain. */
static void read_fixed(struct tide_uring_registered *set, size_t size, tide_chain *chain)
{
    void *memory = NULL;
    int index = tide_uring_registered_get(set, &memory);
    check_that(index >= 0);
    send_pattern(chain->size, size);
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
    io_uring_prep_read_fixed(sqe, pair[1], memory, SIZE, 0, index);
    const struct io_uring_cqe *cqe = complete();
    check_count(cqe->res, size);
    check_that(tide_uring_registered_take(set, index, size, chain));
}

static void write_fixed(const struct tide_uring_registered *set, tide_chain *chain)
{
    struct iovec element;
    char data[SIZE];
    check_count(tide_chain_iovec(chain, 0, &element, 1), 1);
    int index = tide_uring_registered_index(set, element.iov_base, element.iov_len);
    check_that(index >= 0);
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
    io_uring_prep_write_fixed(sqe, pair[1], element.iov_base, (unsigned)element.iov_len, 0, index);
    check_count(complete()->res, element.iov_len);
    check_that(read(pair[0], data, SIZE) == (ssize_t)element.iov_len);
    for (size_t i = 0; i < element.iov_len; i++)
        check_that(data[i] == pattern(i));
}

Test(buffer, a_registered_buffer_is_free_when_the_chain_lets_go_of_it)
{
    struct tide_uring_registered set;
    tide_chain chain = {0};
    void *memory;
    if (!start())
        return;
    uint64_t copied = copied_bytes();
    if (tide_uring_registered_init(&set, &ring, 2, SIZE)) {
        read_fixed(&set, 3000, &chain);
        read_fixed(&set, 1000, &chain);
        errno = 0;
        check_that(tide_uring_registered_get(&set, &memory) == -1 && errno == EAGAIN);
        write_fixed(&set, &chain);
        check_count(copied_bytes(), copied);
        check_that(is_pattern(&chain, 0));
        tide_chain_drop(&chain, 3000);
        int index = tide_uring_registered_get(&set, &memory);
        check_that(index >= 0 && tide_uring_registered_index(&set, memory, SIZE) == index);
        check_that(tide_uring_registered_get(&set, &memory) == -1);
        check_that(tide_uring_registered_take(&set, index, 0, &chain));
        check_that(!tide_uring_registered_take(&set, index, 0, &chain) && errno == EINVAL);
        check_that(tide_uring_registered_index(&set, &set, 1) == -1);
        tide_uring_registered_fini(&set);
        check_count(chain.size, 1000);
    }
    tide_chain_clear(&chain);
    check_count(live_blocks(), 0);
    stop();
}

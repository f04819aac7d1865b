/* SPDX-License-Identifier: MIT */
/*
 * failure_test.c: the n-th allocation fails, for each n that there is: nothing changes, nothing
 * is lost, nothing leaks. Linked so that the library's calls of what heap.h declares arrive here.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "heap.h"
#include "text.h"
#include "tide_pool.h"

void *__real_tide__heap_alloc(size_t size, size_t align);
void *__wrap_tide__heap_alloc(size_t size, size_t align);
void *__real_tide__heap_alloc_spread(size_t size);
void *__wrap_tide__heap_alloc_spread(size_t size);
void *__real_tide__heap_map(size_t size);
void *__wrap_tide__heap_map(size_t size);

static size_t calls, fail_at; /* counted from 1; 0: none fails */

static bool fails(void)
{
    errno = ENOMEM;
    return ++calls == fail_at;
}

void *__wrap_tide__heap_alloc(size_t size, size_t align)
{
    return fails() ? NULL : __real_tide__heap_alloc(size, align);
}

void *__wrap_tide__heap_alloc_spread(size_t size)
{
    return fails() ? NULL : __real_tide__heap_alloc_spread(size);
}

void *__wrap_tide__heap_map(size_t size)
{
    return fails() ? NULL : __real_tide__heap_map(size);
}

static const tide_pool *pools[16];
static size_t pool_count;

static bool keep(const tide_pool *pool, void *context)
{
    pools[pool_count++] = pool;
    return pool_count < 16;
}

/* So that a block is an allocation. */
static void drain_all(void)
{
    pool_count = 0;
    tide_pool_walk(keep, NULL);
    for (size_t i = 0; i < pool_count; i++)
        tide_pool_drain((tide_pool *)(uintptr_t)pools[i]);
}

static size_t failures;

/* What a call returned, which must have failed with ENOMEM if so. */
static bool done(bool success)
{
    failures += !success;
    if (!success)
        check_count(errno, ENOMEM);
    return success;
}

static void add_pieces(tide_chain *chain, size_t *size)
{
    char data[5000];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = pattern(*size + i);
    if (done(tide_chain_append(chain, data, 5000)))
        *size += 5000;
    for (size_t i = 0; i < 20; i++) {
        tide_slice slice;
        char c = pattern(*size);
        tide_slice source;
        if (!done(tide_slice_init(&source, 1)))
            continue;
        *(char *)tide_slice_writable(&source) = c;
        bool is_shared = done(tide_slice_share(&slice, &source, 0, 1));
        tide_slice_fini(&source);
        if (is_shared && done(tide_chain_append_slice(chain, &slice)))
            *size += 1;
        tide_slice_fini(&slice);
    }
}

static size_t wrapped, released;

static void count_release(const void *data, size_t size, void *context)
{
    released++;
}

static void add_foreign(tide_chain *chain, size_t *size)
{
    static char text[64];
    for (size_t i = 0; i < 12; i++) {
        tide_slice slice;
        text[i] = pattern(*size);
        if (!done(tide_slice_init_foreign(&slice, &text[i], 1, count_release, NULL)))
            continue;
        wrapped++;
        if (done(tide_chain_append_slice(chain, &slice)))
            *size += 1;
        tide_slice_fini(&slice);
    }
}

static void add_read(tide_chain *chain, size_t *size)
{
    int pair[2];
    char data[3000];
    check_that(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = pattern(*size + i);
    check_that(write(pair[0], data, sizeof(data)) == sizeof(data));
    ssize_t got = tide_chain_read(chain, pair[1], 100000);
    if (done(got >= 0))
        *size += (size_t)got;
    close(pair[0]);
    close(pair[1]);
}

static void look(tide_chain *chain)
{
    if (chain->size < 20)
        return;
    const char *data = tide_chain_coalesce(chain, chain->size / 2, chain->size / 3 + 1);
    if (done(data))
        check_that(data[0] == pattern(chain->size / 2));
    char *own = tide_chain_writable(chain, chain->size - 9, 5);
    if (done(own))
        check_that(own[0] == pattern(chain->size - 9));
}

static void move(tide_chain *chain, size_t size)
{
    tide_chain head = {0}, copy = {0};
    bool is_shared = done(tide_chain_share(&copy, chain, 0, size));
    check_count(copy.size, is_shared ? size : 0);
    look(chain);
    done(tide_chain_split(chain, size / 2, &head));
    check_that(head.size == 0 || head.size == size / 2);
    check_that(is_pattern(&head, 0) && is_pattern(chain, head.size) && is_pattern(&copy, 0));
    if (head.size && done(tide_chain_prepend(&copy, "front", 5)))
        check_count(copy.size, (is_shared ? size : 0) + 5);
    if (!done(tide_chain_append_chain(&head, chain)))
        check_that(is_pattern(chain, size / 2));
    tide_chain_clear(&head);
    tide_chain_clear(&copy);
}

/* One run; returns whether anything failed in it. */
static bool run(void)
{
    tide_chain chain = {0};
    size_t size = 0;
    drain_all();
    calls = failures = wrapped = released = 0;
    add_pieces(&chain, &size);
    add_foreign(&chain, &size);
    add_read(&chain, &size);
    if (done(tide_chain_printf(&chain, "%c", pattern(size))))
        size++;
    check_count(chain.size, size);
    check_that(is_pattern(&chain, 0));
    move(&chain, size);
    tide_chain_clear(&chain);
    check_count(live_blocks(), 0);
    check_count(released, wrapped);
    return calls >= fail_at;
}

Test(buffer, any_one_allocation_may_fail)
{
    size_t seen = 0;
    for (fail_at = 1; run(); fail_at++)
        seen += failures;
    check_that(fail_at > 20 && seen > 10, "%zu, %zu", fail_at, seen);
    fail_at = 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * arena_rivals.c: the region allocators of other libraries, as their users would use them. What is
 * not installed is left out.
 */
#include "regions.h"

#include <obstack.h>
#include <stdlib.h>

#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

struct stack {
    struct obstack obstack;
    void *first;
};

static void *make_stack(size_t size)
{
    struct stack *stack = malloc(sizeof *stack);
    obstack_init(&stack->obstack);
    stack->first = obstack_alloc(&stack->obstack, 0);
    return stack;
}

static void unmake_stack(void *region)
{
    struct stack *stack = region;
    obstack_free(&stack->obstack, NULL);
    free(stack);
}

static void *stack_alloc(void *region, size_t size)
{
    return obstack_alloc(&((struct stack *)region)->obstack, size);
}

/* Frees its chunks but for the first; that is how an obstack is emptied. */
static void stack_reset(void *region)
{
    struct stack *stack = region;
    obstack_free(&stack->obstack, stack->first);
    stack->first = obstack_alloc(&stack->obstack, 0);
}

TIDE_BENCH(stack_one, .name = "obstack/alloc/16B", .setup = make_stack, .teardown = unmake_stack)
{
    operate_alloc(bench, bench->shared, stack_alloc, stack_reset);
}

TIDE_BENCH(stack_many, .name = "obstack/request", .setup = make_stack, .teardown = unmake_stack)
{
    operate_request(bench, bench->shared, stack_alloc, stack_reset);
}

#ifdef BENCH_APR
#include <apr_pools.h>

static void *make_apr(size_t size)
{
    apr_pool_t *pool = NULL;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    return pool;
}

static void unmake_apr(void *region)
{
    apr_pool_destroy(region);
    apr_terminate();
}

static void *apr_alloc(void *region, size_t size)
{
    return apr_palloc(region, size);
}

static void apr_reset(void *region)
{
    apr_pool_clear(region);
}

TIDE_BENCH(apr_one, .name = "apr/alloc/16B", .setup = make_apr, .teardown = unmake_apr)
{
    operate_alloc(bench, bench->shared, apr_alloc, apr_reset);
}

TIDE_BENCH(apr_many, .name = "apr/request", .setup = make_apr, .teardown = unmake_apr)
{
    operate_request(bench, bench->shared, apr_alloc, apr_reset);
}
#endif

#ifdef BENCH_TALLOC
#include <talloc.h>

enum { TALLOC_POOL_SIZE = 1 << 20 };

static void *make_talloc(size_t size)
{
    return talloc_pool(NULL, TALLOC_POOL_SIZE);
}

static void unmake_talloc(void *region)
{
    talloc_free(region);
}

static void *talloc_alloc(void *region, size_t size)
{
    return talloc_size(region, size);
}

static void talloc_reset(void *region)
{
    talloc_free_children(region);
}

TIDE_BENCH(talloc_one, .name = "talloc/alloc/16B", .setup = make_talloc, .teardown = unmake_talloc)
{
    operate_alloc(bench, bench->shared, talloc_alloc, talloc_reset);
}

TIDE_BENCH(talloc_many, .name = "talloc/request", .setup = make_talloc, .teardown = unmake_talloc)
{
    operate_request(bench, bench->shared, talloc_alloc, talloc_reset);
}
#endif

#ifdef BENCH_GLIB
#include <glib.h>

/* Slices are freed one by one, by whoever remembers them and their sizes. */
struct slices {
    unsigned count;
    struct {
        void *object;
        size_t size;
    } all[REGION_OBJECTS];
};

static void *make_slices(size_t size)
{
    return calloc(1, sizeof(struct slices));
}

static void *slices_alloc(void *region, size_t size)
{
    struct slices *slices = region;
    void *object = g_slice_alloc(size);
    slices->all[slices->count].object = object;
    slices->all[slices->count++].size = size;
    return object;
}

static void slices_reset(void *region)
{
    struct slices *slices = region;
    while (slices->count) {
        slices->count--;
        g_slice_free1(slices->all[slices->count].size, slices->all[slices->count].object);
    }
}

TIDE_BENCH(slices_one, .name = "glib/alloc/16B", .setup = make_slices, .teardown = free)
{
    operate_alloc(bench, bench->shared, slices_alloc, slices_reset);
}

TIDE_BENCH(slices_many, .name = "glib/request", .setup = make_slices, .teardown = free)
{
    operate_request(bench, bench->shared, slices_alloc, slices_reset);
}
#endif

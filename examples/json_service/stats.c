/* SPDX-License-Identifier: MIT */
/*
 * stats.c: what the service has done.
 */
#include "stats.h"

#include <alloc_count.h>
#include <stdatomic.h>
#include <stddef.h>
#include <tide_pool.h>

/* Absent unless the counter is preloaded. */
extern __attribute__((weak)) void tide_alloc_count_read(struct alloc_count *count);

static _Atomic uint64_t requests;

void stats_count_request(void)
{
    atomic_fetch_add_explicit(&requests, 1, memory_order_relaxed); /* a count orders nothing */
}

uint64_t stats_requests(void)
{
    return atomic_load_explicit(&requests, memory_order_relaxed);
}

static json_t *heap_document(void)
{
    struct alloc_count count;
    if (!tide_alloc_count_read)
        return json_null();
    tide_alloc_count_read(&count);
    return json_pack("{s:I, s:I, s:I}", "allocations", (json_int_t)count.allocations, "bytes",
                     (json_int_t)count.bytes, "frees", (json_int_t)count.frees);
}

static bool append_stats(const tide_pool *pool, void *array)
{
    tide_pool_stats s;
    tide_pool_read_stats(pool, &s);
    uint64_t made = s.misses + s.failures;
    json_array_append_new(array, json_pack("{s:s, s:I, s:I, s:I, s:I}", "name", s.name, "gets",
                                           (json_int_t)s.gets, "hits", (json_int_t)(s.gets - made),
                                           "misses", (json_int_t)s.misses, "cached",
                                           (json_int_t)(s.cached + s.victims)));
    return true;
}

json_t *stats_pools(void)
{
    json_t *array = json_array();
    tide_pool_walk(append_stats, array);
    return array;
}

json_t *stats_document(const struct memory *memory)
{
    /* The heap is read first, so that this document is not counted in itself. */
    json_t *heap = heap_document();
    return json_pack("{s:s, s:I, s:o, s:o}", "memory", memory->name, "requests",
                     (json_int_t)stats_requests(), "heap", heap, "pools", memory->pools());
}

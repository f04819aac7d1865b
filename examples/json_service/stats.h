/* SPDX-License-Identifier: MIT */
/*
 * stats.h: what the service has done: requests, heap allocations, pools.
 */
#ifndef JSON_SERVICE_STATS_H
#define JSON_SERVICE_STATS_H

#include <jansson.h>
#include <stdint.h>

#include "memory.h"

/* Counts one answered request. */
void stats_count_request(void);
uint64_t stats_requests(void);

/* A new JSON array with an object of statistics per pool of the process. */
json_t *stats_pools(void);

/* {"memory", "requests", "heap", "pools"}; "heap" is null unless the allocation counter
 * (../alloc_count) is preloaded. */
json_t *stats_document(const struct memory *memory);

#endif

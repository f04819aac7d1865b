/* SPDX-License-Identifier: MIT */
/*
 * poison.h: what a checked pool does to the contents of a cached object that it allocated itself.
 *
 * Behind the object lies a cover. While the object is cached its contents are there, and poison
 * in their place: who writes to an object that it has put is found out when the object is got or
 * destroyed, and who reads from it reads poison. Memory checkers are told that the object must
 * not be touched.
 */
#ifndef TIDE_POOL_POISON_H
#define TIDE_POOL_POISON_H

#include <stddef.h>

/* Bytes to allocate for an object and its cover; 0: too many. */
size_t tide__poison_room(size_t object_size);

/* An object has just been allocated, on loan. */
void tide__poison_begin(void *object, size_t object_size);

/* It is put, its owner being the caller, and weighs so much. */
void tide__poison_cover(void *object, size_t object_size, size_t weight);

/* What has been written to a covered object. */
struct poison_damage {
    size_t offset, count; /* of the first byte that changed; of all that did, 0: none */
};

/* The contents come back, unless they are there. */
struct poison_damage tide__poison_lift(void *object, size_t object_size);

/* Of a covered object. */
size_t tide__poison_weight(const void *object, size_t object_size);

#endif

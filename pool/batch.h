/* SPDX-License-Identifier: MIT */
/*
 * batch.h: batches of objects on the move between CPUs, and lock-free lists of them.
 *
 * A batch belongs to whoever took it from a list or allocated it, and to no one else. A list
 * is a Treiber stack. Batches are never unmapped, so a reader that lost the race for one still
 * reads a batch; and a list's head carries a tag that every change increments, so the reader's
 * exchange fails. The tag has 40 bits: to be fooled, a thread must be held up between two
 * instructions for exactly a multiple of 10^12 changes.
 */
#ifndef TIDE_POOL_BATCH_H
#define TIDE_POOL_BATCH_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { BATCH_SIZE = 61 };

struct batch {
    _Atomic uint32_t next; /* number of the batch below in a list, 0: none */
    uint32_t number;       /* its own, from 1; it never changes */
    uint32_t count;        /* items, newest last */
    uint32_t reserved;
    size_t bytes; /* that the items hold; set when the batch is added to a generation */
    void *items[BATCH_SIZE];
};

struct batch_list {
    _Atomic uint64_t head; /* tag << 24 | number */
};

/* Returns an empty batch, or NULL with errno ENOMEM. MT-safe, like all of these. */
struct batch *tide__batch_alloc(void);
void tide__batch_free(struct batch *batch);

void tide__batch_push(struct batch_list *list, struct batch *batch);
struct batch *tide__batch_pop(struct batch_list *list); /* NULL: empty */

static inline _Bool batch_list_is_empty(const struct batch_list *list)
{
    return !(atomic_load_explicit(&list->head, memory_order_relaxed) & 0xffffff);
}

#endif

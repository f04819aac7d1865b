/* SPDX-License-Identifier: MIT */
/*
 * checked.h: pools that find out what is done wrong with their objects.
 *
 * A pool is checked, or is not, from its creation on. The stacks of one that is have no room, so
 * that every get and put comes to the slow paths, and the fast ones know nothing of it.
 */
#ifndef TIDE_POOL_CHECKED_H
#define TIDE_POOL_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger.h"
#include "tide_pool.h"

struct checked {
    struct ledger ledger;
    unsigned drop_percent;
};

/* Makes a pool checked if the build or the environment wants that. False with errno ENOMEM. */
bool tide__checked_init(tide_pool *pool);
void tide__checked_fini(tide_pool *pool);

/* The rest is for checked pools only. An object goes to a holder; comes back; is cached without
 * having been on loan; is about to be destroyed, of which its hook must see the contents. */
void tide__checked_lend(tide_pool *pool, void *object, const void *site);
void tide__checked_put(tide_pool *pool, void *object, const void *site);
void tide__checked_cache(tide_pool *pool, void *object, const void *site);
void tide__checked_end(tide_pool *pool, void *object);

/* A get has found an object: true if chance has it destroyed, and it is. */
bool tide__checked_drops(tide_pool *pool, void *object);

/* Memory for an object of a pool without `create`. */
void *tide__checked_alloc(const tide_pool *pool);

/* Of a cached object. */
size_t tide__checked_weight(const tide_pool *pool, const void *object);

/* The pool ends: says what is on loan. */
void tide__checked_report_loans(tide_pool *pool, const void *site);

#endif

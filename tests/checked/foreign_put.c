/* SPDX-License-Identifier: MIT */
/*
 * foreign_put.c: a buffer of one pool is put to another one.
 */
#include "faulty.h"

static void *borrow(tide_pool *pool)
{
    void *object = tide_pool_get(pool);
    memset(object, 1, 100);
    return object;
}

static void give_back(tide_pool *pool, void *object)
{
    tide_pool_put_bulk(pool, &object, 1);
}

int main(int argc, char **argv)
{
    tide_pool *replies = open_buffers("replies"), *requests = open_buffers("requests");
    void *object = borrow(requests);
    give_back(is_right(argc, argv) ? requests : replies, object);
    tide_pool_destroy(replies);
    tide_pool_destroy(requests);
    return 0;
}

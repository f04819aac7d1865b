/* SPDX-License-Identifier: MIT */
/*
 * json_nodes.c: jansson's small allocations from a pool of equal nodes.
 */
#include "json_nodes.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <tide_pool.h>

enum { NODE_SIZE = 128 }; /* jansson's first hash table is the largest of the frequent blocks */

/* jansson's free is not told the size: a header remembers where the block came from. */
struct node {
    bool pooled;
    max_align_t bytes[];
};

TIDE_POOL_TYPE(nodes, struct node);

static tide_pool *nodes;

static void *create_node(void *context)
{
    struct node *node = malloc(sizeof *node + NODE_SIZE);
    if (node)
        node->pooled = true;
    return node;
}

static void destroy_node(void *node, void *context)
{
    free(node);
}

static struct node *node_from_heap(size_t size)
{
    struct node *node = size <= SIZE_MAX - sizeof *node ? malloc(sizeof *node + size) : NULL;
    if (node)
        node->pooled = false;
    return node;
}

static void *node_alloc(size_t size)
{
    struct node *node = nodes && size <= NODE_SIZE ? nodes_get(nodes) : node_from_heap(size);
    return node ? node->bytes : NULL;
}

static void node_free(void *bytes)
{
    if (!bytes)
        return;
    struct node *node = (struct node *)((char *)bytes - offsetof(struct node, bytes));
    if (node->pooled)
        nodes_put(nodes, node);
    else
        free(node);
}

void json_nodes_prepare(void)
{
    json_set_alloc_funcs(node_alloc, node_free);
}

bool json_nodes_start(void)
{
    nodes = tide_pool_create(
        &(tide_pool_config){.name = "nodes", .create = create_node, .destroy = destroy_node});
    return nodes != NULL;
}

void json_nodes_stop(void)
{
    tide_pool_destroy(nodes);
    nodes = NULL;
}

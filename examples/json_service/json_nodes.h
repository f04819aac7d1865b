/* SPDX-License-Identifier: MIT */
/*
 * json_nodes.h: jansson's small allocations from a pool of equal nodes.
 *
 * jansson takes one small block for each value, each member of an object, and, while it renders,
 * each container it is inside of. They live for one request and are all of a size, so one pool
 * serves them. Larger blocks, and whatever is made before json_nodes_start (the data sets, which
 * stay), come from the heap.
 */
#ifndef JSON_SERVICE_JSON_NODES_H
#define JSON_SERVICE_JSON_NODES_H

#include <stdbool.h>

/* Hooks jansson; to be called before it allocates anything. */
void json_nodes_prepare(void);

/* Creates the pool; false when memory is out. */
bool json_nodes_start(void);

/* Destroys the pool; every node must be back. What came from the heap stays usable. */
void json_nodes_stop(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * node_test.c: batches come from the nearest memory node, on topologies that the test makes up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "cpu.h"
#include "internal.h"

enum { NODES_MAX = 4, CPUS = 16, NEAR = 10 };

/* A folder like /sys/devices/system. */
struct topology {
    char root[64];
    char *files[1 + 2 * NODES_MAX], *folders[1 + NODES_MAX];
    size_t file_count, folder_count;
};

static void add_folder(struct topology *topology, const char *name)
{
    char **path = &topology->folders[topology->folder_count++];
    check_that(asprintf(path, "%s/%s", topology->root, name) > 0);
    check_that(mkdir(*path, 0700) == 0);
}

static void add_file(struct topology *topology, const char *folder, const char *name,
                     const char *text)
{
    char **path = &topology->files[topology->file_count++];
    check_that(asprintf(path, "%s/%s/%s", topology->root, folder, name) > 0);
    FILE *file = fopen(*path, "w");
    check_that(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void add_node(struct topology *topology, unsigned node, const char *cpus,
                     const char *distances)
{
    char folder[16];
    snprintf(folder, sizeof(folder), "node/node%u", node);
    add_folder(topology, folder);
    add_file(topology, folder, "cpulist", cpus);
    if (distances)
        add_file(topology, folder, "distance", distances);
}

static void topology_open(struct topology *topology, const char *online)
{
    *topology = (struct topology){.root = "/tmp/tide-nodes-XXXXXX"};
    check_that(mkdtemp(topology->root));
    add_folder(topology, "node");
    add_file(topology, "node", "online", online);
}

static void remove_path(char *path)
{
    check_that(remove(path) == 0);
    free(path);
}

/* What was made holds until here, and the machine's own topology after it. */
static void topology_close(struct topology *topology)
{
    tide__cpu_use_sysfs(NULL);
    while (topology->file_count)
        remove_path(topology->files[--topology->file_count]);
    while (topology->folder_count)
        remove_path(topology->folders[--topology->folder_count]);
    check_that(rmdir(topology->root) == 0);
}

/* This thread's CPU is on node 1, which is near 3, then 0, then 2. */
static void four_nodes(struct topology *topology)
{
    char cpu[16];
    topology_open(topology, "0-3\n");
    check_pin(check_cpu(0));
    snprintf(cpu, sizeof(cpu), "%u\n", check_cpu(0));
    add_node(topology, 0, "4000-4001\n", "10 21 31 31\n");
    add_node(topology, 1, cpu, "21 10 31 12\n");
    add_node(topology, 2, "4002\n", "31 31 10 21\n");
    add_node(topology, 3, "\n", "31 12 21 10\n");
    tide__cpu_use_sysfs(topology->root);
}

static void two_nodes(struct topology *topology)
{
    char cpu[16];
    topology_open(topology, "0-1\n");
    check_pin(check_cpu(0));
    snprintf(cpu, sizeof(cpu), "%u\n", check_cpu(0));
    add_node(topology, 0, "4000\n", NULL);
    add_node(topology, 1, cpu, NULL);
    tide__cpu_use_sysfs(topology->root);
}

Test(pool, nodes_and_distances_are_read)
{
    struct topology topology;
    four_nodes(&topology);
    check_count(tide__cpu_node(4000), 0);
    check_count(tide__cpu_node(check_cpu(0)), 1);
    check_count(tide__cpu_node(4002), 2);
    check_count(tide__cpu_distance(1, 1), NEAR);
    check_count(tide__cpu_distance(1, 3), 12);
    check_count(tide__cpu_distance(1, 2), 31);
    check_count(tide__cpu_distance(7, 7), NEAR);
    check_count(tide__cpu_distance(7, 1000000), 20);
    topology_close(&topology);
    two_nodes(&topology);
    check_count(tide__cpu_node(4002), 0);
    check_count(tide__cpu_distance(1, 1), NEAR);
    check_count(tide__cpu_distance(1, 0), 20);
    topology_close(&topology);
}

Test(pool, nodes_that_are_written_strangely_do_no_harm)
{
    struct topology topology;
    topology_open(&topology, "0-3,255-300\n");
    add_node(&topology, 0, "nonsense\n", "10 abc -1\n");
    add_node(&topology, 1, "99999\n", "");
    add_node(&topology, 2, "", "10 99999999999999999999 300 1\n");
    tide__cpu_use_sysfs(topology.root);
    check_count(tide__cpu_node(5), 0);
    check_count(tide__cpu_distance(0, 0), NEAR);
    check_count(tide__cpu_distance(0, 3), 20);
    check_that(tide__cpu_distance(2, 1) > NEAR);
    check_that(tide__cpu_count() >= 1);
    topology_close(&topology);
}

static tide_pool *open_pool(void)
{
    unsigned count = tide__cpu_count();
    tide__cpu_use_count(CPUS);
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.object_size = 64});
    tide__cpu_use_count(count);
    check_that(pool);
    atomic_store(&pool->percpu.used, CPUS);
    return pool;
}

/* Puts a batch with one object into a CPU's list, as if a CPU of `node` had filled it. */
static void add_batch(tide_pool *pool, unsigned cpu, unsigned node)
{
    struct batch *batch = tide__batch_alloc();
    check_that(batch);
    batch->items[batch->count++] = tide__pool_create_object(pool);
    tide__limit_reserve_always(pool, batch);
    tide__generation_add(young(pool), cpu, batch);
    check_count(young(pool)->shards[cpu].node, tide__cpu_node(tide__percpu_cpu()));
    atomic_store(&young(pool)->shards[cpu].node, node);
}

/* Steals for `cpu`, and returns the node of the list that it came from. */
static unsigned steal_from(tide_pool *pool, unsigned cpu)
{
    bool was_full[CPUS];
    struct generation *generation = young(pool);
    for (unsigned i = 0; i < CPUS; i++)
        was_full[i] = !batch_list_is_empty(&generation->shards[i].full);
    struct batch *batch = tide__generation_steal(generation, cpu);
    check_that(batch && batch->count == 1);
    tide__pool_destroy_batch(pool, batch);
    for (unsigned i = 0; i < CPUS; i++)
        if (was_full[i] && batch_list_is_empty(&generation->shards[i].full))
            return generation->shards[i].node;
    return ~0u;
}

/* Lists of all nodes in each order; `expected` is the order they are to be taken in. */
static void check_order(const unsigned *expected, unsigned nodes)
{
    for (unsigned shift = 0; shift < CPUS; shift++) {
        tide_pool *pool = open_pool();
        for (unsigned i = 0; i < 2 * nodes; i++)
            add_batch(pool, (shift + 5 * i) % CPUS, i % nodes);
        for (unsigned i = 0; i < 2 * nodes; i++)
            check_count(steal_from(pool, (shift + 1) % CPUS), expected[i / 2]);
        check_that(!tide__generation_steal(young(pool), (shift + 1) % CPUS));
        tide_pool_destroy(pool);
    }
}

Test(pool, steal_takes_from_its_own_node_first)
{
    struct topology topology;
    two_nodes(&topology);
    check_order((unsigned[]){1, 0}, 2);
    topology_close(&topology);
}

Test(pool, steal_takes_from_the_nearest_of_four_nodes_first)
{
    struct topology topology;
    four_nodes(&topology);
    check_order((unsigned[]){1, 3, 0, 2}, 4);
    topology_close(&topology);
}

/* The same by the public call: one near among far ones, then what is far. */
Test(pool, get_finds_near_batches_and_then_far_ones)
{
    struct topology topology;
    four_nodes(&topology);
    tide_pool *pool = open_pool();
    unsigned own = tide__percpu_index(&pool->percpu),
             order[8] = {(own + 6) % CPUS, (own + 3) % CPUS};
    for (unsigned i = 1; i <= 8; i++)
        add_batch(pool, (own + i) % CPUS, i == 6 ? 1 : i == 3 ? 3 : 2);
    void *held[8];
    tide_pool_stats stats;
    for (unsigned i = 0; i < 8; i++) {
        held[i] = tide_pool_get(pool);
        check_that(i >= 2 || batch_list_is_empty(&young(pool)->shards[order[i]].full));
        tide_pool_read_stats(pool, &stats);
        check_count(stats.cached, 7 - i);
    }
    check_count(stats.hits_stolen, 8);
    check_count(stats.misses, 0);
    tide_pool_put_bulk(pool, held, 8);
    tide_pool_destroy(pool);
    topology_close(&topology);
}

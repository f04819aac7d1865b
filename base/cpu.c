/* SPDX-License-Identifier: MIT */
/*
 * cpu.c: CPU count, memory nodes and their distances, read from sysfs once.
 */
#include "cpu.h"

#include <ctype.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "settings.h"

enum { NODE_MAX = 256, DISTANCE_FAR = 20 };

#define SYSFS "/sys/devices/system"

static pthread_once_t cpu_once = PTHREAD_ONCE_INIT;
static unsigned cpu_count;
static bool cpu_count_is_given;
static uint8_t cpu_nodes[TIDE__CPU_MAX];
static uint8_t node_distances[NODE_MAX][NODE_MAX]; /* 0: not known */
static const char *sysfs = SYSFS;

/* Reads a small file of sysfs into `text`; false if there is none or it is empty. */
static bool read_text(const char *name, char *text, size_t size)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", sysfs, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t length = read(file, text, size - 1);
    close(file);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

/* Parses one number that fits a CPU; false if there is none. */
static bool parse_number(const char **text, unsigned *number)
{
    if (!isdigit((unsigned char)**text))
        return false;
    char *end;
    unsigned long value = strtoul(*text, &end, 10);
    *text = end;
    *number = (unsigned)value;
    return value < TIDE__CPU_MAX;
}

/* Parses "3" or "0-3"; false if it is neither. */
static bool parse_range(const char **text, unsigned *first, unsigned *last)
{
    if (!parse_number(text, first))
        return false;
    *last = *first;
    if (**text != '-')
        return true;
    (*text)++;
    return parse_number(text, last) && *last >= *first;
}

unsigned tide__cpu_list_parse(const char *text, void (*visit)(unsigned, void *), void *context)
{
    unsigned first, last, count = 0;
    do {
        if (!parse_range(&text, &first, &last))
            return 0;
        for (unsigned cpu = first; cpu <= last && visit; cpu++)
            visit(cpu, context);
        count = last + 1 > count ? last + 1 : count;
    } while (*text == ',' && text++);
    return *text == '\0' || *text == '\n' ? count : 0;
}

/* The rest of a line of distances from one node. */
struct distances {
    unsigned from;
    const char *left;
};

/* 0 where there is no more. */
static unsigned next_distance(struct distances *distances)
{
    char *end;
    unsigned long value = strtoul(distances->left, &end, 10);
    distances->left = end;
    return value <= UINT8_MAX ? (unsigned)value : UINT8_MAX;
}

static void set_node(unsigned cpu, void *node)
{
    cpu_nodes[cpu] = (uint8_t)(uintptr_t)node;
}

static void set_distance(unsigned node, void *context)
{
    struct distances *distances = context;
    if (node < NODE_MAX)
        node_distances[distances->from][node] = (uint8_t)next_distance(distances);
}

/* One number for each node that is online, in their order. */
static void read_distances(unsigned node, const char *online)
{
    char name[64], text[4096];
    snprintf(name, sizeof(name), "node/node%u/distance", node);
    struct distances distances = {node, text};
    if (read_text(name, text, sizeof(text)))
        tide__cpu_list_parse(online, set_distance, &distances);
}

static void read_node(unsigned node, void *online)
{
    char name[64], text[4096];
    if (node >= NODE_MAX)
        return;
    snprintf(name, sizeof(name), "node/node%u/cpulist", node);
    if (read_text(name, text, sizeof(text)))
        tide__cpu_list_parse(text, set_node, (void *)(uintptr_t)node);
    read_distances(node, online);
}

static void read_nodes(void)
{
    char online[4096];
    if (read_text("node/online", online, sizeof(online)))
        tide__cpu_list_parse(online, read_node, online);
}

static unsigned configured_count(void)
{
    long count = sysconf(_SC_NPROCESSORS_CONF);
    if (count < 1)
        return 1;
    return count < TIDE__CPU_MAX ? (unsigned)count : TIDE__CPU_MAX;
}

static void read_cpus(void)
{
    char text[4096];
    unsigned configured = configured_count();
    if (read_text("cpu/possible", text, sizeof(text)))
        cpu_count = tide__cpu_list_parse(text, NULL, NULL);
    if (cpu_count < configured)
        cpu_count = configured;
    uint64_t given = 0;
    cpu_count_is_given = tide__setting(TIDE__CPUS, &given) && given;
    if (cpu_count_is_given)
        cpu_count = (unsigned)given;
    read_nodes();
}

unsigned tide__cpu_count(void)
{
    pthread_once(&cpu_once, read_cpus);
    return cpu_count;
}

unsigned tide__cpu_distance(unsigned from, unsigned to)
{
    pthread_once(&cpu_once, read_cpus);
    unsigned known = from < NODE_MAX && to < NODE_MAX ? node_distances[from][to] : 0;
    return known ? known : from == to ? TIDE__CPU_NEAR : DISTANCE_FAR;
}

void tide__cpu_use_sysfs(const char *root)
{
    pthread_once(&cpu_once, read_cpus);
    sysfs = root ? root : SYSFS;
    memset(cpu_nodes, 0, sizeof(cpu_nodes));
    memset(node_distances, 0, sizeof(node_distances));
    cpu_count = 0;
    read_cpus();
}

bool tide__cpu_count_is_given(void)
{
    pthread_once(&cpu_once, read_cpus);
    return cpu_count_is_given;
}

void tide__cpu_use_count(unsigned count)
{
    pthread_once(&cpu_once, read_cpus);
    cpu_count = count;
    cpu_count_is_given = true;
}

unsigned tide__cpu_node(unsigned cpu)
{
    pthread_once(&cpu_once, read_cpus);
    return cpu < TIDE__CPU_MAX ? cpu_nodes[cpu] : 0;
}

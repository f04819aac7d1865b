/* SPDX-License-Identifier: MIT */
/*
 * cpu.c: CPU count and memory nodes, read from sysfs once.
 */
#include "cpu.h"

#include <ctype.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "settings.h"

enum { NODE_MAX = 256 };

static pthread_once_t cpu_once = PTHREAD_ONCE_INIT;
static unsigned cpu_count;
static uint8_t cpu_nodes[TIDE__CPU_MAX];

/* Reads a small file into `text`; false if there is none or it is empty. */
static bool read_text(const char *path, char *text, size_t size)
{
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

static void set_node(unsigned cpu, void *node)
{
    cpu_nodes[cpu] = (uint8_t)(uintptr_t)node;
}

static void read_nodes(void)
{
    for (unsigned node = 0; node < NODE_MAX; node++) {
        char path[64], text[4096];
        snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/cpulist", node);
        if (read_text(path, text, sizeof(text)))
            tide__cpu_list_parse(text, set_node, (void *)(uintptr_t)node);
    }
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
    if (read_text("/sys/devices/system/cpu/possible", text, sizeof(text)))
        cpu_count = tide__cpu_list_parse(text, NULL, NULL);
    if (cpu_count < configured)
        cpu_count = configured;
    cpu_count = (unsigned)tide__setting_or(TIDE__CPUS, cpu_count);
    cpu_count += !cpu_count;
    read_nodes();
}

unsigned tide__cpu_count(void)
{
    pthread_once(&cpu_once, read_cpus);
    return cpu_count;
}

unsigned tide__cpu_node(unsigned cpu)
{
    pthread_once(&cpu_once, read_cpus);
    return cpu < TIDE__CPU_MAX ? cpu_nodes[cpu] : 0;
}

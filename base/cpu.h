/* SPDX-License-Identifier: MIT */
/*
 * cpu.h: how many CPUs there can be, and which memory node each is near.
 */
#ifndef TIDE_BASE_CPU_H
#define TIDE_BASE_CPU_H

#include <stdbool.h>

/* More CPUs than this are taken for this many. */
enum { TIDE__CPU_MAX = 8192 };

/* One more than the highest CPU number that this kernel can ever bring online, at least 1;
 * what `cpus` of TIDE says (settings.h) instead. Read once. A kernel or sandbox that hides it makes
 * the guess too low: whoever indexes by CPU checks the bound. */
unsigned tide__cpu_count(void);

/* Whether someone asked for just that count: `cpus` of TIDE, or a test. */
bool tide__cpu_count_is_given(void);

/* For tests, before a tide__percpu_init: another count, as if `cpus` of TIDE said so. */
void tide__cpu_use_count(unsigned count);

/* The memory node of a CPU, 0 where it is not known. Read once for all. */
unsigned tide__cpu_node(unsigned cpu);

enum { TIDE__CPU_NEAR = 10 };

/* How far a node's memory is from a CPU of another, as the firmware says: 10 is near. Where it is
 * not known, 10 for the node itself and 20 for others. */
unsigned tide__cpu_distance(unsigned from, unsigned to);

/* For tests, while nobody asks: reads all of the above again, from another folder that is laid out
 * as /sys/devices/system is, or from there (NULL). The text is not copied. */
void tide__cpu_use_sysfs(const char *root);

/* Parses a kernel CPU list such as "0-3,8\n". Calls `visit` for each number in order; returns
 * one more than the highest, 0 if the text is no such list. */
unsigned tide__cpu_list_parse(const char *text, void (*visit)(unsigned cpu, void *context),
                              void *context);

#endif

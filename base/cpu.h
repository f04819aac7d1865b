/* SPDX-License-Identifier: MIT */
/*
 * cpu.h: how many CPUs there can be, and which memory node each is near.
 */
#ifndef TIDE_BASE_CPU_H
#define TIDE_BASE_CPU_H

/* More CPUs than this are taken for this many. */
enum { TIDE__CPU_MAX = 8192 };

/* One more than the highest CPU number that this kernel can ever bring online, at least 1;
 * what `cpus` of TIDE says (settings.h) instead. Read once. A kernel or sandbox that hides it makes
 * the guess too low: whoever indexes by CPU checks the bound. */
unsigned tide__cpu_count(void);

/* The memory node of a CPU, 0 where it is not known. Read once for all. */
unsigned tide__cpu_node(unsigned cpu);

/* Parses a kernel CPU list such as "0-3,8\n". Calls `visit` for each number in order; returns
 * one more than the highest, 0 if the text is no such list. */
unsigned tide__cpu_list_parse(const char *text, void (*visit)(unsigned cpu, void *context),
                              void *context);

#endif

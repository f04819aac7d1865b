/* SPDX-License-Identifier: MIT */
/*
 * pressure.h: descriptors that tell of memory pressure, where the kernel has them.
 */
#ifndef TIDE_BASE_PRESSURE_H
#define TIDE_BASE_PRESSURE_H

#include <stdbool.h>

/* Polls POLLPRI when tasks of the machine, or of this process's control group, waited for memory
 * for 0.1 of 2 seconds (the kernel wants multiples of 2 s of processes without privilege), once
 * in these. -1 where the kernel has no such file, or does not let this process ask. */
int tide__pressure_open_machine(void);
int tide__pressure_open_cgroup(void);

/* The control group's folder, of version 2. False if there is none. */
bool tide__pressure_cgroup(char *path, int size);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * pacer.h: when an epoch is due.
 *
 * Slow paths count bytes against a trigger. When it is reached, what pools hold is added up
 * exactly, and epochs happen or the next trigger is set: here, or where the driver is, which is
 * told through a descriptor (wakeup.h).
 */
#ifndef TIDE_POOL_PACER_H
#define TIDE_POOL_PACER_H

#include <stdbool.h>
#include <stddef.h>

#include "tide_epoch.h"

/* A slow path has created objects, or has taken back some that may have grown. Outside of locks
 * and sections: epochs may happen inside. Async-signal-safe where another driver than slow paths
 * was chosen. */
void tide__pacer_created(size_t bytes);
void tide__pacer_taken_back(size_t bytes);

/* With the registry's lock: an epoch ends; fills in the goal, and learns. */
void tide__pacer_note(tide_epoch_report *report);

/* What the environment asks for, once. */
void tide__pacer_start_by_environment(void);

/* Runs what is due, in the driver's thread. Returns whether there was an epoch. */
bool tide__pacer_run(void);

/* What pools hold now, on loan and cached; and what was last asked for. */
struct pacer_sums {
    size_t held, cached;
};
struct pacer_sums tide__pacer_sums(void);
tide_epoch_config tide__pacer_config(void);

/* Settings and sums by name, for tide_ctl.h. False: with errno for a write, EPERM for a read. */
extern const char *const tide__pacer_names[];
extern const size_t tide__pacer_value_count;
bool tide__pacer_is_writable(size_t index);
bool tide__pacer_read(size_t index, uint64_t *value);
bool tide__pacer_write(size_t index, uint64_t value);

/* In a forked child, where there is no thread but the one that forked. */
void tide__pacer_after_fork(void);

#endif

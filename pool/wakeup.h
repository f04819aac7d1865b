/* SPDX-License-Identifier: MIT */
/*
 * wakeup.h: what tells the pacer's driver that there is something to do: a timer, an event that
 * slow paths raise, and memory pressure, behind one descriptor that polls readable.
 */
#ifndef TIDE_POOL_WAKEUP_H
#define TIDE_POOL_WAKEUP_H

#include <stdbool.h>
#include <stdint.h>

enum wakeup { WAKEUP_NONE = 0, WAKEUP_EVENT = 1, WAKEUP_TIMER = 2, WAKEUP_PRESSURE = 4 };

/* Makes the descriptors that are not there yet; -1 with errno if they cannot be had. */
int tide__wakeup_open(bool pressure);
int tide__wakeup_fd(void);

/* What has happened since the last call, of enum wakeup. */
unsigned tide__wakeup_take(void);

/* Returns when something has. */
void tide__wakeup_wait(void);

/* Async-signal-safe, both. A timer of 0 is off. */
void tide__wakeup_raise(void);
void tide__wakeup_set_timer(uint64_t ns);

/* In a forked child: the same numbers, but nothing shared with the parent. */
void tide__wakeup_after_fork(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * tide_ctl.h: settings and counters by name, for operators' pages and for tests.
 *
 *     uint64_t misses;
 *     if (tide_ctl_read("pool.buffers.misses", &misses)) ...
 *     tide_ctl_write("epoch.limit_bytes", 512 << 20);
 *
 * Names are those of the structs: `epoch.` and a field of tide_epoch_config, `pool.`, a pool's
 * name and a field of tide_pool_stats (pools of the same name count together), `arena.`, arenas'
 * name and a field of tide_arena_totals once there was an arena with a name, and a few that
 * tide_ctl_list shows. MT-safe, not for signal handlers or hooks, but for tide_trace_write.
 */
#ifndef TIDE_CTL_H
#define TIDE_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* False with errno ENOENT: there is no such name; EPERM: it can only be written; ENOMEM. */
bool tide_ctl_read(const char *name, uint64_t *value);

/* False with errno ENOENT; EPERM: it can only be read; EINVAL: not such a value; what
 * tide_epoch_start fails with. Settings of epochs start pacing, or stop it when none is left. */
bool tide_ctl_write(const char *name, uint64_t value);

/* Calls `visit` for each name until it returns false. */
void tide_ctl_list(bool (*visit)(const char *name, bool is_writable, void *context), void *context);

/* All that can be read, as one JSON object or as Prometheus text. As snprintf: writes at most
 * `size` bytes, the last one a null; returns the length of the whole, 0 without memory. */
size_t tide_ctl_json(char *text, size_t size);
size_t tide_ctl_prometheus(char *text, size_t size);

/* Writes the lines that TIDE=trace:ring has kept to a file descriptor, the oldest first.
 * Async-signal-safe, leaves errno alone. TIDE=signal:N has the library do it to stderr on signal N.
 */
void tide_trace_write(int file);

#ifdef __cplusplus
}
#endif

#endif

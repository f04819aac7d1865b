/* SPDX-License-Identifier: MIT */
/*
 * ctl.c: names of settings and counters, read and written.
 */
#include "tide_ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "pacer.h"

/* True, or false with errno. */
static bool result(bool found, int error)
{
    if (!found)
        errno = error;
    return found;
}

/* Of "pool.NAME.field", where NAME may have dots too. */
static bool read_pool(const char *name, uint64_t *value)
{
    const char *field = strrchr(name, '.') + 1;
    size_t length = (size_t)(field - 1 - name);
    struct metrics metrics;
    bool found = false;
    tide__metrics_take(&metrics);
    for (size_t i = 0; i < metrics.count && !found; i++) {
        const char *pool = metrics.pools[i].name;
        if (strlen(pool) != length || memcmp(pool, name, length) != 0)
            continue;
        for (size_t m = 0; m < tide__metric_count && !found; m++) {
            found = strcmp(tide__metrics[m].name, field) == 0;
            *value = metric_value(&metrics.pools[i], &tide__metrics[m]);
        }
    }
    bool failed = metrics.failed;
    tide__metrics_drop(&metrics);
    return result(found, failed ? ENOMEM : ENOENT);
}

static size_t find_setting(const char *name)
{
    size_t i = 0;
    while (i < tide__pacer_value_count && strcmp(tide__pacer_names[i], name) != 0)
        i++;
    return i;
}

bool tide_ctl_read(const char *name, uint64_t *value)
{
    size_t setting = find_setting(name);
    if (setting < tide__pacer_value_count)
        return result(tide__pacer_read(setting, value), EPERM);
    if (strncmp(name, "pool.", 5) == 0 && strchr(name + 5, '.'))
        return read_pool(name + 5, value);
    return result(false, ENOENT);
}

bool tide_ctl_write(const char *name, uint64_t value)
{
    uint64_t present;
    size_t setting = find_setting(name);
    if (setting < tide__pacer_value_count)
        return tide__pacer_write(setting, value);
    return result(false, tide_ctl_read(name, &present) ? EPERM : ENOENT);
}

static bool visit_field(bool (*visit)(const char *, bool, void *), void *context, const char *pool,
                        const char *field)
{
    char *name;
    if (asprintf(&name, "pool.%s.%s", pool, field) < 0)
        return false;
    bool wanted = visit(name, false, context);
    free(name);
    return wanted;
}

void tide_ctl_list(bool (*visit)(const char *, bool, void *), void *context)
{
    struct metrics metrics;
    bool wanted = true;
    for (size_t i = 0; i < tide__pacer_value_count && wanted; i++)
        wanted = visit(tide__pacer_names[i], tide__pacer_is_writable(i), context);
    tide__metrics_take(&metrics);
    for (size_t i = 0; i < metrics.count * tide__metric_count && wanted; i++)
        wanted = visit_field(visit, context, metrics.pools[i / tide__metric_count].name,
                             tide__metrics[i % tide__metric_count].name);
    tide__metrics_drop(&metrics);
}

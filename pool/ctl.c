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

static bool find_field(const struct metrics *metrics, const struct metrics_entry *entry,
                       const char *field, uint64_t *value)
{
    for (size_t i = 0; i < metrics->source->metric_count; i++) {
        if (strcmp(metrics->source->metrics[i].name, field) == 0) {
            *value = entry->values[i];
            return true;
        }
    }
    return false;
}

/* Of "NAME.field", where NAME may have dots too. */
static bool read_source(const struct source *source, const char *name, uint64_t *value)
{
    const char *field = strrchr(name, '.') + 1;
    size_t length = (size_t)(field - 1 - name);
    struct metrics metrics;
    bool found = false;
    tide__metrics_take(&metrics, source);
    for (size_t i = 0; i < metrics.count && !found; i++) {
        const char *entry = metrics.entries[i]->name;
        if (strlen(entry) == length && memcmp(entry, name, length) == 0)
            found = find_field(&metrics, metrics.entries[i], field, value);
    }
    bool failed = metrics.failed;
    tide__metrics_drop(&metrics);
    return result(found, failed ? ENOMEM : ENOENT);
}

/* Of "pool.NAME.field" the source; `*rest` is then "NAME.field". NULL: the name is not such. */
static const struct source *find_source(const char *name, const char **rest)
{
    const struct source *source = tide__source_first();
    for (; source; source = tide__source_next(source)) {
        size_t length = strlen(source->kind);
        if (strncmp(name, source->kind, length) != 0 || name[length] != '.')
            continue;
        *rest = name + length + 1;
        return strchr(*rest, '.') ? source : NULL;
    }
    return NULL;
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
    const char *rest;
    const struct source *source = find_source(name, &rest);
    return source ? read_source(source, rest, value) : result(false, ENOENT);
}

bool tide_ctl_write(const char *name, uint64_t value)
{
    uint64_t present;
    size_t setting = find_setting(name);
    if (setting < tide__pacer_value_count)
        return tide__pacer_write(setting, value);
    return result(false, tide_ctl_read(name, &present) ? EPERM : ENOENT);
}

static bool visit_field(bool (*visit)(const char *, bool, void *), void *context, const char *kind,
                        const char *entry, const char *field)
{
    char *name;
    if (asprintf(&name, "%s.%s.%s", kind, entry, field) < 0)
        return false;
    bool wanted = visit(name, false, context);
    free(name);
    return wanted;
}

static bool list_source(const struct source *source, bool (*visit)(const char *, bool, void *),
                        void *context)
{
    struct metrics metrics;
    bool wanted = true;
    size_t fields = source->metric_count;
    tide__metrics_take(&metrics, source);
    for (size_t i = 0; i < metrics.count * fields && wanted; i++)
        wanted = visit_field(visit, context, source->kind, metrics.entries[i / fields]->name,
                             source->metrics[i % fields].name);
    tide__metrics_drop(&metrics);
    return wanted;
}

void tide_ctl_list(bool (*visit)(const char *, bool, void *), void *context)
{
    bool wanted = true;
    for (size_t i = 0; i < tide__pacer_value_count && wanted; i++)
        wanted = visit(tide__pacer_names[i], tide__pacer_is_writable(i), context);
    const struct source *source = tide__source_first();
    for (; source && wanted; source = tide__source_next(source))
        wanted = list_source(source, visit, context);
}

/* SPDX-License-Identifier: MIT */
/*
 * pacer_names.c: the settings of epochs by name, as tide_ctl.h has them.
 */
#include <errno.h>
#include <limits.h>

#include "account.h"
#include "internal.h"
#include "pacer.h"

enum name { NUMBER, ADVANCE, GROWTH, LIMIT, AGE, PRESSURE, THREAD, TRIM, TRACE, HELD, CACHED };

const char *const tide__pacer_names[] = {
    [NUMBER] = "epoch.number",
    [ADVANCE] = "epoch.advance", /* written: that many epochs, now */
    [GROWTH] = "epoch.growth_percent",
    [LIMIT] = "epoch.limit_bytes",
    [AGE] = "epoch.age_ms_max",
    [PRESSURE] = "epoch.pressure",
    [THREAD] = "epoch.thread",
    [TRIM] = "epoch.trim_percent_max",
    [TRACE] = "trace.level",
    [HELD] = "bytes.held",
    [CACHED] = "bytes.cached",
};

const size_t tide__pacer_value_count = sizeof(tide__pacer_names) / sizeof(*tide__pacer_names);

bool tide__pacer_is_writable(size_t index)
{
    return index != NUMBER && index != HELD && index != CACHED;
}

static bool read_sum(size_t index, uint64_t *value)
{
    struct pacer_sums sums = tide__pacer_sums();
    *value = index == HELD ? sums.held : sums.cached;
    return true;
}

static uint64_t config_value(const tide_epoch_config *config, size_t index)
{
    switch (index) {
    case GROWTH:
        return config->growth_percent;
    case LIMIT:
        return config->limit_bytes;
    case AGE:
        return config->age_ms_max;
    case PRESSURE:
        return config->pressure;
    case THREAD:
        return config->thread;
    default:
        return config->trim_percent_max;
    }
}

bool tide__pacer_read(size_t index, uint64_t *value)
{
    if (index == ADVANCE)
        return false;
    if (index == HELD || index == CACHED)
        return read_sum(index, value);
    if (index == NUMBER || index == TRACE) {
        *value = index == NUMBER ? tide_epoch_current() : tide__trace_level();
        return true;
    }
    tide_epoch_config config = tide__pacer_config();
    *value = config_value(&config, index);
    return true;
}

static bool set_config_value(tide_epoch_config *config, size_t index, uint64_t value)
{
    uint64_t max = index == PRESSURE || index == THREAD ? 1 : index == LIMIT ? SIZE_MAX : UINT_MAX;
    if (value > max)
        return false;
    switch (index) {
    case GROWTH:
        config->growth_percent = (unsigned)value;
        break;
    case LIMIT:
        config->limit_bytes = value;
        break;
    case AGE:
        config->age_ms_max = (unsigned)value;
        break;
    case PRESSURE:
        config->pressure = value;
        break;
    case THREAD:
        config->thread = value;
        break;
    default:
        config->trim_percent_max = (unsigned)value;
        break;
    }
    return config->trim_percent_max <= 100;
}

static bool asks_for_nothing(const tide_epoch_config *config)
{
    return !config->growth_percent && !config->limit_bytes && !config->age_ms_max &&
           !config->pressure;
}

static bool write_config(size_t index, uint64_t value)
{
    tide_epoch_config config = tide__pacer_config();
    if (!set_config_value(&config, index, value)) {
        errno = EINVAL;
        return false;
    }
    if (value || !asks_for_nothing(&config)) /* a thread alone is refused, not forgotten */
        return tide_epoch_start(&config) == 0;
    tide_epoch_stop();
    return true;
}

bool tide__pacer_write(size_t index, uint64_t value)
{
    if (!tide__pacer_is_writable(index)) {
        errno = EPERM;
        return false;
    }
    if (index == TRACE)
        return tide__trace_set_level(value);
    if (index != ADVANCE)
        return write_config(index, value);
    for (; value > 0; value--)
        tide_epoch_advance();
    return true;
}

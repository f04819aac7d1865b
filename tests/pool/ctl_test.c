/* SPDX-License-Identifier: MIT */
/*
 * ctl_test.c: settings and counters by name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "tide_ctl.h"
#include "tide_epoch.h"
#include "tide_pool.h"

static tide_pool *open_pool(const char *name)
{
    return tide_pool_create(&(tide_pool_config){.name = name, .object_size = 64});
}

static uint64_t value_of(const char *name)
{
    uint64_t value = 0;
    check_that(tide_ctl_read(name, &value), "%s: %s", name, strerror(errno));
    return value;
}

static void check_read_fails(const char *name, int error)
{
    uint64_t value;
    errno = 0;
    check_that(!tide_ctl_read(name, &value), "%s can be read", name);
    check_that(errno == error, "%s: %s", name, strerror(errno));
}

static void check_write_fails(const char *name, uint64_t value, int error)
{
    errno = 0;
    check_that(!tide_ctl_write(name, value), "%s can be written", name);
    check_that(errno == error, "%s: %s", name, strerror(errno));
}

Test(pool, settings_by_name_are_those_of_pacing)
{
    static const struct {
        const char *name;
        uint64_t value;
    } settings[] = {{"epoch.growth_percent", 70},   {"epoch.limit_bytes", UINT64_C(5) << 30},
                    {"epoch.age_ms_max", 90000},    {"epoch.pressure", 1},
                    {"epoch.trim_percent_max", 30}, {"epoch.thread", 1}};
    enum { COUNT = sizeof(settings) / sizeof(*settings) };
    for (size_t i = 0; i < COUNT; i++) {
        check_count(value_of(settings[i].name), 0);
        check_that(tide_ctl_write(settings[i].name, settings[i].value));
        for (size_t n = 0; n <= i; n++)
            check_count(value_of(settings[n].name), settings[n].value);
    }
    for (size_t i = 0; i < 4; i++)
        check_that(tide_ctl_write(settings[i].name, 0));
    for (size_t i = 0; i < COUNT; i++)
        check_count(value_of(settings[i].name), 0); /* nothing is left: pacing has stopped */
}

Test(pool, a_setting_that_cannot_be_is_refused_and_changes_nothing)
{
    check_that(tide_ctl_write("epoch.growth_percent", 100));
    check_write_fails("epoch.trim_percent_max", 101, EINVAL);
    check_write_fails("epoch.growth_percent", UINT64_C(1) << 32, EINVAL);
    check_write_fails("epoch.pressure", 2, EINVAL);
    check_write_fails("epoch.thread", 2, EINVAL);
    check_write_fails("trace.level", 3, EINVAL);
    check_count(value_of("epoch.growth_percent"), 100);
    check_count(value_of("epoch.trim_percent_max"), 0);
    check_that(tide_ctl_write("epoch.growth_percent", 0));
    check_write_fails("epoch.thread", 1, EINVAL); /* nothing would drive it */
    check_count(value_of("epoch.thread"), 0);
}

Test(pool, names_that_are_none_are_refused)
{
    tide_pool *pool = open_pool("some");
    static const char *const names[] = {
        "",           "epoch",           "epoch.",       "pool.some",
        "pool.",      "pool.some.",      "pool..gets",   "pool.other.gets",
        "pool.some.", "pool.some.getss", "epoch.number "};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        check_read_fails(names[i], ENOENT);
        check_write_fails(names[i], 1, ENOENT);
    }
    check_read_fails("epoch.advance", EPERM);
    check_write_fails("epoch.number", 1, EPERM);
    check_write_fails("bytes.held", 1, EPERM);
    check_write_fails("bytes.cached", 1, EPERM);
    check_write_fails("pool.some.gets", 1, EPERM);
    tide_pool_destroy(pool);
}

Test(pool, epochs_are_advanced_by_name)
{
    uint64_t before = value_of("epoch.number");
    check_that(tide_ctl_write("epoch.advance", 3));
    check_count(value_of("epoch.number"), before + 3);
    check_count(tide_epoch_current(), before + 3);
}

Test(pool, counters_by_name_are_the_pools_statistics)
{
    void *held[30];
    tide_pool *pool = open_pool("a.b.c"), *same = open_pool("a.b.c"), *other = open_pool("a.b");
    check_count(tide_pool_get_bulk(pool, held, 30), 30);
    tide_pool_put_bulk(pool, held, 20);
    tide_pool_put(same, tide_pool_get(same));
    check_count(value_of("pool.a.b.c.gets"), 31);
    check_count(value_of("pool.a.b.c.misses"), 31);
    check_count(value_of("pool.a.b.c.puts"), 21);
    check_count(value_of("pool.a.b.c.cached"), 21);
    check_count(value_of("pool.a.b.c.cached_bytes"), 21 * 64);
    check_count(value_of("pool.a.b.gets"), 0);
    check_count(value_of("bytes.held"), 31 * 64);
    check_count(value_of("bytes.cached"), 21 * 64);
    tide_pool_put_bulk(pool, held + 20, 10);
    tide_pool_destroy(pool);
    tide_pool_destroy(same);
    tide_pool_destroy(other);
}

struct visit {
    size_t count, count_max, unread, wrong, long_names;
    const char *long_name;
};

/* Each name that is listed can be read, or written, or both, as the list says. */
static bool look_at(const char *name, bool is_writable, void *context)
{
    struct visit *visit = context;
    uint64_t value = 0;
    visit->count++;
    errno = 0;
    if (!tide_ctl_read(name, &value)) {
        visit->unread++;
        visit->wrong += errno != EPERM || !is_writable;
    } else if (!is_writable) {
        visit->wrong += tide_ctl_write(name, value) || errno != EPERM;
    }
    visit->long_names += !strncmp(name, "pool.", 5) &&
                         !strncmp(name + 5, visit->long_name, strlen(visit->long_name));
    return visit->count < visit->count_max;
}

Test(pool, each_name_that_is_listed_is_one)
{
    char name[400];
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    tide_pool *pool = open_pool(name), *other = open_pool("other.pool");
    struct visit visit = {.count_max = SIZE_MAX, .long_name = name};
    tide_ctl_list(look_at, &visit);
    check_count(visit.wrong, 0);
    check_count(visit.unread, 1); /* epoch.advance */
    check_that(visit.long_names >= 18, "%zu", visit.long_names);
    check_that(visit.count >= 11 + 2 * 18, "%zu", visit.count);
    visit = (struct visit){.count_max = 15, .long_name = name};
    tide_ctl_list(look_at, &visit);
    check_count(visit.count, 15);
    tide_pool_destroy(pool);
    tide_pool_destroy(other);
}

static void check_text(size_t (*print)(char *text, size_t size))
{
    size_t length = print(NULL, 0);
    char *whole = malloc(length + 1), *part = malloc(length + 1);
    check_count(print(whole, length + 1), length);
    check_count(strlen(whole), length);
    memset(part, 'x', length + 1);
    check_count(print(part, length), length);
    check_count(strlen(part), length - 1);
    check_count(part[length], 'x'); /* not a byte further */
    check_that(memcmp(part, whole, length - 1) == 0);
    free(whole);
    free(part);
}

Test(pool, texts_of_all_counters_fit_as_snprintfs_do)
{
    tide_pool *pool = open_pool("text");
    check_text(tide_ctl_json);
    check_text(tide_ctl_prometheus);
    tide_pool_destroy(pool);
}

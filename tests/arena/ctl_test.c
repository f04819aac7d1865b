/* SPDX-License-Identifier: MIT */
/*
 * ctl_test.c: arenas by name in the counters, in their texts and in the trace.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "source.h"
#include "tide_arena.h"
#include "tide_ctl.h"
#include "tide_epoch.h"

/* Arenas of a name are counted for as long as the process lives: each test has its own. */
static tide_arena *open_arena(const char *name)
{
    return tide_arena_create(&(tide_arena_config){.name = name, .chunk_size = 64 << 10});
}

static uint64_t value_of(const char *name)
{
    uint64_t value = 0;
    check_that(tide_ctl_read(name, &value), "%s: %s", name, strerror(errno));
    return value;
}

Test(arena, counters_by_name_are_the_totals_of_arenas)
{
    tide_arena *arena = open_arena("by.name"), *same = open_arena("by.name");
    tide_arena_alloc(arena, 1, 1);
    tide_arena_alloc(same, 1, 1);
    check_count(value_of("arena.by.name.held_bytes"), 128 << 10);
    tide_arena_reset(arena);
    tide_arena_reset(arena);
    tide_arena_reset(same);
    tide_arena_destroy(same);
    check_count(value_of("arena.by.name.created"), 2);
    check_count(value_of("arena.by.name.alive"), 1);
    check_count(value_of("arena.by.name.resets"), 3);
    check_count(value_of("arena.by.name.held_bytes_most"), 128 << 10);
    tide_arena_destroy(arena);
    check_count(value_of("arena.by.name.alive"), 0);
    check_count(value_of("arena.by.name.held_bytes"), 0);
}

static void check_read_fails(const char *name)
{
    uint64_t value;
    errno = 0;
    check_that(!tide_ctl_read(name, &value), "%s can be read", name);
    check_count(errno, ENOENT);
}

Test(arena, names_that_no_arena_has_are_refused)
{
    tide_arena_destroy(open_arena("some"));
    static const char *const names[] = {
        "arena",           "arena.",           "arena.some", "arena.some.gets", "arena.other.alive",
        "pool.some.alive", "arenas.some.alive"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        check_read_fails(names[i]);
    errno = 0;
    check_that(!tide_ctl_write("arena.some.alive", 1));
    check_count(errno, EPERM);
}

struct listed {
    size_t arenas, pools;
};

static bool count_name(const char *name, bool is_writable, void *context)
{
    struct listed *listed = context;
    uint64_t value;
    bool is_arena = !strncmp(name, "arena.listed.", 13);
    listed->arenas += is_arena && !is_writable && tide_ctl_read(name, &value);
    listed->pools += !strncmp(name, "pool.", 5);
    return true;
}

static bool stop_at_arena(const char *name, bool is_writable, void *context)
{
    size_t *count = context;
    *count += !strncmp(name, "arena.", 6);
    return !*count;
}

Test(arena, names_are_listed_behind_those_of_pools)
{
    struct listed listed = {0};
    size_t first = 0;
    tide_arena_destroy(open_arena("listed"));
    tide_ctl_list(count_name, &listed);
    check_count(listed.arenas, 6);
    check_that(listed.pools > 0);
    tide_ctl_list(stop_at_arena, &first);
    check_count(first, 1);
}

static char *text_of(size_t (*print)(char *text, size_t size))
{
    size_t length = print(NULL, 0);
    char *text = malloc(length + 1);
    check_count(print(text, length + 1), length);
    return text;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)); text++)
        count++;
    return count;
}

Test(arena, texts_of_all_counters_have_arenas_once)
{
    tide_arena *arena = open_arena("text \"1\"");
    tide_arena_alloc(arena, 1, 1);
    char *json = text_of(tide_ctl_json), *prometheus = text_of(tide_ctl_prometheus);
    check_count(count_of(json, "],\n\"arenas\": [\n{\"name\": "), 1);
    check_count(count_of(json,
                         "{\"name\": \"text \\\"1\\\"\", \"created\": 1, \"alive\": 1, "
                         "\"resets\": 0, \"chunks_taken\": 1, \"held_bytes\": 65536, "
                         "\"held_bytes_most\": 65536}"),
                1);
    check_that(strcmp(json + strlen(json) - 5, "}\n]}\n") == 0);
    check_count(count_of(prometheus, "\n# HELP tidepool_arena_held_bytes Bytes of "), 1);
    check_count(count_of(prometheus, "\n# TYPE tidepool_arena_held_bytes gauge\n"), 1);
    check_count(count_of(prometheus, "\n# TYPE tidepool_arena_resets_total counter\n"), 1);
    check_count(
        count_of(prometheus, "\ntidepool_arena_held_bytes{arena=\"text \\\"1\\\"\"} 65536\n"), 1);
    check_count(count_of(prometheus, "{pool=\"text"), 0);
    free(json);
    free(prometheus);
    tide_arena_destroy(arena);
}

/* What an epoch writes to stderr under trace:`level`; malloc'd. */
static char *trace_of(uint64_t level)
{
    int before = dup(STDERR_FILENO);
    FILE *file = tmpfile();
    dup2(fileno(file), STDERR_FILENO);
    check_that(tide_ctl_write("trace.level", level));
    tide_epoch_advance();
    check_that(tide_ctl_write("trace.level", 0));
    dup2(before, STDERR_FILENO);
    close(before);
    long length = lseek(fileno(file), 0, SEEK_CUR);
    char *text = calloc(1, (size_t)length + 1);
    check_count(pread(fileno(file), text, (size_t)length, 0), length);
    fclose(file);
    return text;
}

static void check_traced(uint64_t level, const char *part, size_t count)
{
    char *text = trace_of(level);
    check_that(count_of(text, part) == count, "%s", text);
    free(text);
}

Test(arena, an_epoch_traces_each_name_that_did_or_holds_something)
{
    static const char *const name = " arena \"traced\": ";
    tide_arena *arena = open_arena("traced"), *other = open_arena("traced");
    tide_arena_alloc(arena, 1, 1);
    tide_arena_reset(arena);
    tide_arena_destroy(other);
    check_traced(1, name, 0);
    check_traced(2,
                 " arena \"traced\": 1 alive, 2 created, 1 resets, 1 chunks, 0.06 MB held, 0.06 MB"
                 " most\n",
                 1);
    check_traced(2,
                 " arena \"traced\": 1 alive, 0 created, 0 resets, 0 chunks, 0.06 MB held, 0.06 MB"
                 " most\n",
                 1);
    tide_arena_destroy(arena);
    check_traced(2, name, 0); /* it holds nothing, and nothing was done */
    tide_arena_destroy(open_arena("traced"));
    check_traced(2, " arena \"traced\": 0 alive, 1 created, 0 resets, ", 1);
}

static struct source added[8];
static void walk_nothing(source_visit *visit, void *context)
{
}

static void add_all(unsigned index, void *context)
{
    for (size_t i = 0; i < 8; i++)
        tide__source_add(&added[(i + index) % 8]);
}

/* A fork may have one that is half done begin again. */
Test(arena, a_source_that_several_threads_add_is_there_once)
{
    size_t count[8] = {0}, others = 0;
    for (size_t i = 0; i < 8; i++)
        added[i] = (struct source){.kind = "none", .walk = walk_nothing};
    check_threads(4, add_all, NULL);
    struct source *source = tide__source_first();
    for (; source && others < 100; source = tide__source_next(source)) {
        bool mine = source >= added && source < added + 8;
        count[mine ? source - added : 0] += mine;
        others += !mine;
    }
    for (size_t i = 0; i < 8; i++)
        check_count(count[i], 1);
    check_that(others >= 1 && others <= 2, "%zu", others);
}

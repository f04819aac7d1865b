/* SPDX-License-Identifier: MIT */
/*
 * trace_log.c: collects the lines of a log.
 */
#include "trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more of an array whose number is `count`. False with no memory. */
static bool make_room(void **items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return true;
    size_t wanted = *room ? 2 * *room : 64;
    void *grown = reallocarray(*items, wanted, size);
    if (!grown)
        return false;
    *items = grown;
    *room = wanted;
    return true;
}

static bool add_epoch(struct trace *trace, const struct trace_epoch *epoch)
{
    void *epochs = trace->epochs;
    if (!make_room(&epochs, trace->count, &trace->room, sizeof(*epoch)))
        return false;
    trace->epochs = epochs;
    trace->epochs[trace->count++] = *epoch;
    return true;
}

static int compare_names(const struct trace_pool *a, const struct trace_pool *b)
{
    size_t shorter = a->name_length < b->name_length ? a->name_length : b->name_length;
    int order = memcmp(a->name, b->name, shorter);
    return order ? order : (a->name_length > b->name_length) - (a->name_length < b->name_length);
}

/* Where the one of that name is, or belongs. */
static size_t find_place(const struct trace_names *names, const struct trace_pool *pool)
{
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_names(&names->items[middle], pool) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct trace_pool *insert_name(struct trace_names *names, size_t place,
                                      const struct trace_pool *pool)
{
    void *items = names->items;
    char *name = malloc(pool->name_length + 1);
    if (!name || !make_room(&items, names->count, &names->room, sizeof(*pool))) {
        free(name);
        return NULL;
    }
    names->items = items;
    memcpy(name, pool->name, pool->name_length);
    name[pool->name_length] = '\0';
    struct trace_pool *at = &names->items[place];
    memmove(at + 1, at, (names->count - place) * sizeof(*at));
    *at = (struct trace_pool){.name = name, .name_length = pool->name_length};
    names->count++;
    return at;
}

static struct trace_pool *find_name(struct trace_names *names, const struct trace_pool *pool)
{
    size_t place = find_place(names, pool);
    bool is_known = place < names->count && !compare_names(&names->items[place], pool);
    return is_known ? &names->items[place] : insert_name(names, place, pool);
}

/* `busiest_percent` is a sum weighted by hits until the log is finished. */
static bool add_pool(struct trace *trace, const struct trace_pool *pool)
{
    struct trace_pool *sum = find_name(&trace->pools, pool);
    if (!sum)
        return false;
    for (size_t i = 0; i < TRACE_COUNT_COUNT; i++)
        sum->counts[i] += pool->counts[i];
    sum->busiest_percent += pool->busiest_percent * pool->counts[HITS_CPU];
    raise_to(&sum->before_mb, pool->before_mb);
    raise_to(&sum->after_mb, pool->after_mb);
    raise_to(&sum->kept_mb, pool->kept_mb);
    return true;
}

static bool add_arena(struct trace *trace, const struct trace_pool *line)
{
    struct trace_pool *sum = find_name(&trace->arenas, line);
    if (!sum)
        return false;
    raise_to(&sum->arena.alive, line->arena.alive);
    raise_to(&sum->arena.held_mb, line->arena.held_mb);
    raise_to(&sum->arena.most_mb, line->arena.most_mb);
    sum->arena.created += line->arena.created;
    sum->arena.resets += line->arena.resets;
    sum->arena.chunks += line->arena.chunks;
    return true;
}

void trace_log_add(struct trace_log *log, const char *text, size_t length, bool has_end)
{
    struct trace_epoch epoch;
    struct trace_pool pool;
    bool kept = true;
    enum trace_line line = trace_line_read(text, length, &epoch, &pool);
    if (!has_end && line < LINE_TIDE)
        log->cut = line == LINE_DAMAGED || trace_line_may_begin(text, length);
    if (line == LINE_DAMAGED)
        log->damaged++;
    else if (line == LINE_OTHER)
        log->skipped++;
    else if (line == LINE_POOL)
        kept = add_pool(&log->traces[TRACE_TIDE], &pool);
    else if (line == LINE_ARENA)
        kept = add_arena(&log->traces[TRACE_TIDE], &pool);
    else
        kept = add_epoch(&log->traces[line == LINE_GO ? TRACE_GO : TRACE_TIDE], &epoch);
    if (!kept)
        log->error = ENOMEM;
}

static unsigned hex_digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* In place, what read_escape has let pass. */
static void unescape(char *name)
{
    char *to = name;
    for (const char *from = name; *from; from++, to++) {
        *to = *from;
        if (*from != '\\')
            continue;
        *to = *++from == 'n' ? '\n' : *from;
        if (*from == 'u') {
            *to = (char)(16 * hex_digit(from[3]) + hex_digit(from[4]));
            from += 4;
        }
    }
    *to = '\0';
}

static int compare_use(const void *a, const void *b)
{
    const struct trace_pool *first = a, *second = b;
    double less = trace_gets(first->counts), more = trace_gets(second->counts);
    return less == more ? strcmp(first->name, second->name) : less < more ? 1 : -1;
}

static int compare_size(const void *a, const void *b)
{
    const struct trace_pool *first = a, *second = b;
    double less = first->arena.most_mb, more = second->arena.most_mb;
    return less == more ? strcmp(first->name, second->name) : less < more ? 1 : -1;
}

static void finish_names(struct trace_names *names, int (*compare)(const void *, const void *))
{
    for (size_t i = 0; i < names->count; i++) {
        struct trace_pool *pool = &names->items[i];
        if (pool->counts[HITS_CPU] > 0)
            pool->busiest_percent /= pool->counts[HITS_CPU];
        unescape(pool->name);
    }
    if (names->count)
        qsort(names->items, names->count, sizeof(*names->items), compare);
}

void trace_log_finish(struct trace_log *log)
{
    for (size_t i = 0; i < TRACE_KIND_COUNT; i++)
        log->traces[i].kind = (enum trace_kind)i;
    finish_names(&log->traces[TRACE_TIDE].pools, compare_use);
    finish_names(&log->traces[TRACE_TIDE].arenas, compare_size);
}

static void drop_names(struct trace_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i].name);
    free(names->items);
}

void trace_log_drop(struct trace_log *log)
{
    for (size_t i = 0; i < TRACE_KIND_COUNT; i++) {
        drop_names(&log->traces[i].pools);
        drop_names(&log->traces[i].arenas);
        free(log->traces[i].epochs);
    }
}

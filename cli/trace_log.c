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

/* Where the pool of that name is, or belongs. */
static size_t find_place(const struct trace *trace, const struct trace_pool *pool)
{
    size_t low = 0, high = trace->pool_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_names(&trace->pools[middle], pool) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct trace_pool *insert_pool(struct trace *trace, size_t place,
                                      const struct trace_pool *pool)
{
    void *pools = trace->pools;
    char *name = malloc(pool->name_length + 1);
    if (!name || !make_room(&pools, trace->pool_count, &trace->pool_room, sizeof(*pool))) {
        free(name);
        return NULL;
    }
    trace->pools = pools;
    memcpy(name, pool->name, pool->name_length);
    name[pool->name_length] = '\0';
    struct trace_pool *at = &trace->pools[place];
    memmove(at + 1, at, (trace->pool_count - place) * sizeof(*at));
    *at = (struct trace_pool){.name = name, .name_length = pool->name_length};
    trace->pool_count++;
    return at;
}

/* `busiest_percent` is a sum weighted by hits until the log is finished. */
static bool add_pool(struct trace *trace, const struct trace_pool *pool)
{
    size_t place = find_place(trace, pool);
    bool is_known = place < trace->pool_count && !compare_names(&trace->pools[place], pool);
    struct trace_pool *sum = is_known ? &trace->pools[place] : insert_pool(trace, place, pool);
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

void trace_log_finish(struct trace_log *log)
{
    struct trace *ours = &log->traces[TRACE_TIDE];
    for (size_t i = 0; i < TRACE_KIND_COUNT; i++)
        log->traces[i].kind = (enum trace_kind)i;
    for (size_t i = 0; i < ours->pool_count; i++) {
        struct trace_pool *pool = &ours->pools[i];
        if (pool->counts[HITS_CPU] > 0)
            pool->busiest_percent /= pool->counts[HITS_CPU];
        unescape(pool->name);
    }
    if (ours->pool_count)
        qsort(ours->pools, ours->pool_count, sizeof(*ours->pools), compare_use);
}

void trace_log_drop(struct trace_log *log)
{
    for (size_t i = 0; i < TRACE_KIND_COUNT; i++) {
        for (size_t pool = 0; pool < log->traces[i].pool_count; pool++)
            free(log->traces[i].pools[pool].name);
        free(log->traces[i].pools);
        free(log->traces[i].epochs);
    }
}

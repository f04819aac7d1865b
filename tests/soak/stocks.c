/* SPDX-License-Identifier: MIT */
/*
 * stocks.c: the pools of a phase, the hooks of their objects, and what must hold when all
 * threads are gone: the library's counts, the hooks' and the threads' are the same.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "heap_faults.h"
#include "soak.h"

enum { CHUNKS_MAX = 64 }; /* of batches: far more than objects here can fill */

struct stock stocks[STOCKS_MAX];
static struct slot arrays[STOCKS_MAX + 1][SLOTS_OF_STOCK];

static bool has_slots(const struct stock *stock)
{
    return stock->kind == PLAIN || stock->kind == WEIGHED;
}

bool stock_is_for_handlers(const struct stock *stock)
{
    return has_slots(stock);
}

static void seal(const struct stock *stock, struct slot *slot)
{
    for (unsigned i = 0; i < SLOT_WORDS; i++)
        slot->words[i] = pattern_of(stock, slot) + i;
}

static bool is_fresh(const struct slot *slot)
{
    static const uint64_t zeros[SLOT_WORDS];
    return !slot->stamp && !memcmp(slot->words, zeros, sizeof(zeros));
}

/* Right only for an object that the library has just made: it is zeroed. */
void stock_pattern_is_wrong(struct stock *stock, struct slot *slot)
{
    if (has_slots(stock) || !is_fresh(slot))
        report_wrong(CORRUPTED, 1, stock->name, "the pattern is broken");
    seal(stock, slot);
}

void stock_check_whole(struct stock *stock, const struct slot *slot)
{
    for (unsigned i = 0; i < SLOT_WORDS; i++)
        if (slot->words[i] != pattern_of(stock, slot) + i) {
            report_wrong(CORRUPTED, 1, stock->name, "the pattern is broken");
            return;
        }
}

static void *create(void *context)
{
    struct stock *stock = context;
    struct slot *slot = fault_is_due() ? NULL : slots_take(&stock->slots);
    if (!slot) {
        errno = EMFILE;
        return NULL;
    }
    seal(stock, slot);
    return slot;
}

static void destroy(void *object, void *context)
{
    struct stock *stock = context;
    struct slot *slot = object;
    if (has_slots(stock) || !is_fresh(slot))
        stock_check_whole(stock, slot);
    if (slot_pass(slot, SLOT_DEAD) != SLOT_CACHED)
        report_wrong(DUPLICATED, 1, stock->name, "destroyed while somebody has it");
    atomic_fetch_add_explicit(&stock->destroyed, 1, memory_order_relaxed);
    if (has_slots(stock))
        slots_give(&stock->slots, slot);
}

static void reset(void *object, void *context)
{
    stock_check_whole(context, object);
}

static size_t weigh(const void *object, void *context)
{
    const struct slot *slot = object;
    return atomic_load_explicit(&slot->weight, memory_order_relaxed);
}

static const tide_pool_config configs[KIND_COUNT] = {
    [PLAIN] = {.name = "plain", .create = create, .destroy = destroy},
    [WEIGHED] = {.name = "weighed",
                 .create = create,
                 .reset = reset,
                 .destroy = destroy,
                 .weigh = weigh,
                 .weight_max = 65536,
                 .cached_bytes_max = 4 << 20,
                 .keep_min = 20},
    [SIZED] = {.name = "sized", .destroy = destroy, .object_size = 128},
    [LIMITED] = {.name = "limited",
                 .destroy = destroy,
                 .object_size = 256,
                 .cached_bytes_max = 256 << 10,
                 .keep_min = 100},
    [LARGE] = {.name = "large",
               .destroy = destroy,
               .object_size = 40000,
               .cached_bytes_max = 8 << 20},
};

tide_pool *stock_create_pool(struct stock *stock)
{
    tide_pool_config config = configs[stock->kind];
    stock->name = config.name;
    config.context = stock;
    tide_pool *pool = tide_pool_create(&config);
    totals.pools += pool != NULL;
    return pool;
}

void stock_init(struct stock *stock, enum kind kind)
{
    unsigned index = stock >= stocks && stock < stocks + STOCKS_MAX ? stock - stocks : STOCKS_MAX;
    *stock = (struct stock){
        .kind = kind,
        .salt = plan.seed + plan.number * 8 + index,
        .slots = {.array = arrays[index], .count = SLOTS_OF_STOCK},
    };
}

/* Failures may be injected here too. */
void stocks_open(void)
{
    for (unsigned i = 0; i < plan.stocks; i++) {
        stock_init(&stocks[i], plan.kinds[i]);
        while (!(stocks[i].pool = stock_create_pool(&stocks[i])))
            continue;
    }
}

static void expect(const struct stock *stock, const char *what, uint64_t actual, uint64_t expected)
{
    char detail[128];
    if (actual == expected)
        return;
    snprintf(detail, sizeof(detail), "%s: %" PRIu64 ", not %" PRIu64, what, actual, expected);
    report_wrong(MISCOUNTED, 1, stock->name, detail);
}

static uint64_t gone(const tide_pool_stats *stats)
{
    return stats->destroyed_epoch + stats->destroyed_drain + stats->destroyed_put +
           stats->destroyed_heavy + stats->destroyed_full;
}

/* A prewarm that meets the limit destroys what it has made, and counts neither. */
bool stock_may_refuse(const struct stock *stock)
{
    return configs[stock->kind].cached_bytes_max;
}

/* The identities of stats.c, while nothing is on loan. */
static void check_counts(const struct stock *stock, const tide_pool_stats *stats)
{
    uint64_t made = stats->misses + stats->prewarmed, there = stats->cached + stats->victims;
    expect(stock, "gets", stats->gets, stock->gets);
    expect(stock, "failures", stats->failures, stock->failures);
    expect(stock, "puts", stats->puts, stock->puts);
    expect(stock, "on loan", stats->gets - stats->failures - stats->puts, 0);
    expect(stock, "cached", there, made - gone(stats));
    if (!stock_may_refuse(stock))
        expect(stock, "destroyed", stock->destroyed, gone(stats));
    if (has_slots(stock) && !stock_may_refuse(stock))
        expect(stock, "made", stock->slots.created, made);
    if (has_slots(stock))
        expect(stock, "made and not destroyed", stock->slots.created - stock->destroyed, there);
    else
        expect(stock, "bytes", stats->cached_bytes, there * configs[stock->kind].object_size);
}

static void check_drained(const struct stock *stock)
{
    tide_pool_stats stats;
    tide_pool_read_stats(stock->pool, &stats);
    expect(stock, "cached after a drain", stats.cached + stats.victims, 0);
    expect(stock, "bytes after a drain", stats.cached_bytes, 0);
}

void stock_check_end(struct stock *stock, uint64_t made)
{
    if (made > stock->destroyed)
        report_wrong(LOST, made - stock->destroyed, stock->name, "made and never destroyed");
    if (made < stock->destroyed)
        report_wrong(DUPLICATED, stock->destroyed - made, stock->name, "destroyed twice");
    atomic_fetch_add(&totals.created, made);
}

/* Of objects that the library allocates only it knows how many there were, less those that a
 * prewarm has given up; a loss of them is a leak as well. */
static void close_stock(struct stock *stock)
{
    tide_pool_stats stats;
    tide_pool_read_stats(stock->pool, &stats);
    uint64_t made = stats.misses + stats.prewarmed;
    check_counts(stock, &stats);
    tide_pool_drain(stock->pool);
    check_drained(stock);
    tide_pool_destroy(stock->pool);
    if (has_slots(stock))
        made = stock->slots.created;
    else if (stock_may_refuse(stock) && stock->destroyed > made)
        made = stock->destroyed;
    stock_check_end(stock, made);
}

/* The epoch lets generations go that a fence which failed has left waiting. */
void stocks_close(void)
{
    tide_epoch_advance();
    for (unsigned i = 0; i < plan.stocks; i++)
        close_stock(&stocks[i]);
    if (heap_live())
        report_wrong(LEAKED, heap_live(), "any", "blocks of the library's");
    if (heap_chunks() > CHUNKS_MAX)
        report_wrong(LEAKED, heap_chunks(), "any", "chunks of batches");
}

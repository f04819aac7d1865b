/* SPDX-License-Identifier: MIT */
/*
 * tokens.c: hooks that follow each object from its creation to its end.
 */
#include "tokens.h"

#include <errno.h>
#include <stdlib.h>

#include "check.h"

static void pass(struct tokens *tokens, struct token *token, unsigned from, unsigned to)
{
    /* Pairs with itself in the thread that has the token next. */
    if (!atomic_compare_exchange_strong_explicit(&token->state, &from, to, memory_order_acq_rel,
                                                 memory_order_relaxed))
        atomic_fetch_add(&tokens->wrong, 1);
}

static void *token_create(void *context)
{
    struct tokens *tokens = context;
    for (size_t tried = 0; tried < tokens->limit; tried++) {
        size_t index = atomic_fetch_add(&tokens->next, 1) % tokens->limit;
        unsigned expected = TOKEN_FREE;
        if (atomic_compare_exchange_strong(&tokens->array[index].state, &expected, TOKEN_POOLED)) {
            atomic_fetch_add(&tokens->made, 1);
            return &tokens->array[index];
        }
    }
    atomic_fetch_add(&tokens->failed, 1);
    errno = ENOSPC;
    return NULL;
}

static void token_reset(void *object, void *context)
{
    struct tokens *tokens = context;
    struct token *token = object;
    atomic_fetch_add(&tokens->reset, 1);
    if (atomic_load(&token->state) != TOKEN_POOLED)
        atomic_fetch_add(&tokens->wrong, 1);
}

static void token_destroy(void *object, void *context)
{
    struct tokens *tokens = context;
    atomic_fetch_add(&tokens->destroyed, 1);
    pass(tokens, object, TOKEN_POOLED, TOKEN_FREE);
}

void tokens_open(struct tokens *tokens, size_t limit)
{
    *tokens = (struct tokens){.limit = limit};
    tokens->array = calloc(limit, sizeof(*tokens->array));
    tokens->pool = tide_pool_create(&(tide_pool_config){.name = "tokens",
                                                        .create = token_create,
                                                        .reset = token_reset,
                                                        .destroy = token_destroy,
                                                        .context = tokens});
    check_that(tokens->array && tokens->pool);
}

void tokens_close(struct tokens *tokens)
{
    tide_pool_destroy(tokens->pool);
    check_count(tokens->destroyed, tokens->made);
    check_count(tokens->wrong, 0);
    free(tokens->array);
}

struct token *tokens_get(struct tokens *tokens)
{
    struct token *token = tide_pool_get(tokens->pool);
    if (token)
        pass(tokens, token, TOKEN_POOLED, TOKEN_HELD);
    return token;
}

void tokens_put(struct tokens *tokens, struct token *token)
{
    pass(tokens, token, TOKEN_HELD, TOKEN_POOLED);
    tide_pool_put(tokens->pool, token);
}

size_t tokens_get_bulk(struct tokens *tokens, struct token **taken, size_t count)
{
    size_t got = tide_pool_get_bulk(tokens->pool, (void **)taken, count);
    for (size_t i = 0; i < got; i++)
        pass(tokens, taken[i], TOKEN_POOLED, TOKEN_HELD);
    return got;
}

void tokens_put_bulk(struct tokens *tokens, struct token **taken, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pass(tokens, taken[i], TOKEN_HELD, TOKEN_POOLED);
    tide_pool_put_bulk(tokens->pool, (void *const *)taken, count);
}

static uint64_t destroyed(const tide_pool_stats *stats)
{
    return stats->destroyed_epoch + stats->destroyed_drain + stats->destroyed_put +
           stats->destroyed_random;
}

static uint64_t hits(const tide_pool_stats *stats)
{
    return stats->hits_cpu + stats->hits_batch + stats->hits_stolen + stats->hits_victim;
}

bool tokens_are_right(struct tokens *tokens, size_t held)
{
    tide_pool_stats stats;
    tide_pool_read_stats(tokens->pool, &stats);
    return stats.misses + stats.prewarmed == tokens->made &&
           destroyed(&stats) == tokens->destroyed &&
           hits(&stats) + stats.misses - stats.puts == held &&
           stats.cached + stats.victims + held + tokens->destroyed == tokens->made &&
           !tokens->wrong;
}

void tokens_check(struct tokens *tokens, size_t held)
{
    tide_pool_stats stats;
    tide_pool_read_stats(tokens->pool, &stats);
    check_count(tokens->wrong, 0);
    check_count(stats.gets, hits(&stats) + stats.misses + stats.failures);
    check_that(stats.failures <= tokens->failed); /* a prewarm may have failed, too */
    check_count(stats.misses + stats.prewarmed, tokens->made);
    check_count(stats.puts, tokens->reset);
    check_count(hits(&stats) + stats.misses - stats.puts, held);
    check_count(destroyed(&stats), tokens->destroyed);
    check_count(stats.cached + stats.victims + held + tokens->destroyed, tokens->made);
}

/* SPDX-License-Identifier: MIT */
/*
 * tokens.h: a pool of objects that know who owns them, for tests.
 *
 * A token is a slot of an array that stays mapped, so that a violation is counted and not a
 * crash. It is free, in the pool's hands, or held; each change is one exchange that fails if
 * the token was elsewhere. The hooks touch nothing but atomics: a signal handler may get.
 */
#ifndef TIDE_TESTS_TOKENS_H
#define TIDE_TESTS_TOKENS_H

#include <stdatomic.h>
#include <stddef.h>

#include "tide_epoch.h"
#include "tide_pool.h"

enum token_state { TOKEN_FREE, TOKEN_POOLED, TOKEN_HELD };

struct token {
    _Atomic unsigned state;
};

struct tokens {
    tide_pool *pool;
    struct token *array;
    size_t limit;
    _Atomic size_t next, made, failed, reset, destroyed;
    _Atomic size_t wrong; /* changes of state that should not have been possible */
};

/* Creates a pool that can have `limit` tokens at a time. */
void tokens_open(struct tokens *tokens, size_t limit);

/* Destroys the pool, then asserts that all tokens are destroyed and nothing went wrong. */
void tokens_close(struct tokens *tokens);

/* Get and put, with the change of owner; get returns NULL when the limit is reached. */
struct token *tokens_get(struct tokens *tokens);
void tokens_put(struct tokens *tokens, struct token *token);

/* The same for many: returns how many it got. */
size_t tokens_get_bulk(struct tokens *tokens, struct token **taken, size_t count);
void tokens_put_bulk(struct tokens *tokens, struct token **taken, size_t count);

/* What went wrong, for tests that forked and cannot assert: also that `held` tokens are held
 * and that the pool's own counts agree with the hooks'. */
bool tokens_are_right(struct tokens *tokens, size_t held);

/* Asserts the same, field by field. */
void tokens_check(struct tokens *tokens, size_t held);

#endif

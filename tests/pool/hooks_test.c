/* SPDX-License-Identifier: MIT */
/*
 * hooks_test.c: hooks that call the library back.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "tokens.h"

/* Objects of the outer pool borrow from the inner one while a hook runs. */
static struct tokens inner;

static void use_inner(void)
{
    struct token *token = tokens_get(&inner);
    if (token)
        tokens_put(&inner, token);
}

static void *create_with_inner(void *context)
{
    use_inner();
    return calloc(1, 16);
}

static void reset_with_inner(void *object, void *context)
{
    use_inner();
}

static void destroy_with_inner(void *object, void *context)
{
    use_inner();
    free(object);
}

static void get_all(tide_pool *pool, void **objects, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        objects[i] = tide_pool_get(pool);
        check_that(objects[i]);
    }
}

Test(pool, hooks_may_use_other_pools)
{
    void *objects[400];
    tokens_open(&inner, 16);
    tide_pool *pool = tide_pool_create(&(tide_pool_config){
        .create = create_with_inner, .reset = reset_with_inner, .destroy = destroy_with_inner});
    get_all(pool, objects, 400);
    tide_pool_put_bulk(pool, objects, 400);
    tide_epoch_advance();
    tide_epoch_advance();
    get_all(pool, objects, 400);
    tide_pool_put_bulk(pool, objects, 400);
    check_count(tide_pool_drain(pool), 400);
    tide_pool_destroy(pool);
    tokens_close(&inner);
}

/* A pool whose hooks get from and put to itself, a few levels deep. */
static struct {
    tide_pool *pool;
    int depth;
    size_t created, destroyed;
} own;

static void use_own(void)
{
    if (own.depth >= 3)
        return;
    own.depth++;
    void *object = tide_pool_get(own.pool);
    tide_pool_put(own.pool, object);
    own.depth--;
}

static void *create_with_own(void *context)
{
    own.created++;
    use_own();
    return malloc(16);
}

static void reset_with_own(void *object, void *context)
{
    use_own();
}

static void destroy_with_own(void *object, void *context)
{
    own.destroyed++;
    if (own.depth == 0 && context)
        use_own();
    free(object);
}

Test(pool, hooks_may_use_the_same_pool)
{
    void *objects[300];
    own.pool = tide_pool_create(&(tide_pool_config){.create = create_with_own,
                                                    .reset = reset_with_own,
                                                    .destroy = destroy_with_own,
                                                    .context = &own});
    get_all(own.pool, objects, 300);
    tide_pool_put_bulk(own.pool, objects, 300);
    for (int epoch = 0; epoch < 4; epoch++)
        tide_epoch_advance();
    own.depth = 3; /* not from hooks that tide_pool_destroy calls */
    tide_pool_destroy(own.pool);
    check_count(own.created, own.destroyed);
}

static int advances_left;

static void destroy_with_epoch(void *object, void *context)
{
    (*(size_t *)context)++;
    free(object);
    if (advances_left-- > 0)
        tide_epoch_advance();
}

static void *create_plain(void *context)
{
    return malloc(16);
}

Test(pool, destroy_hook_may_advance_epochs)
{
    void *objects[300];
    size_t destroyed = 0;
    tide_pool *pool = tide_pool_create(&(tide_pool_config){
        .create = create_plain, .destroy = destroy_with_epoch, .context = &destroyed});
    get_all(pool, objects, 300);
    tide_pool_put_bulk(pool, objects, 150);
    tide_epoch_advance();
    tide_pool_put_bulk(pool, objects + 150, 150);
    advances_left = 20;
    tide_epoch_advance();
    check_count(destroyed, 300); /* the first hook's epochs dropped the younger ones */
    get_all(pool, objects, 10);
    tide_pool_put_bulk(pool, objects, 10);
    advances_left = 0;
    tide_pool_destroy(pool);
    check_count(destroyed, 310);
}

static struct {
    size_t destroyed;
    int forks_left, failed_children;
    bool is_child;
} forking;

static void destroy_with_fork(void *object, void *context)
{
    int status;
    forking.destroyed++;
    free(object);
    if (forking.is_child || forking.forks_left-- <= 0)
        return;
    pid_t child = fork();
    forking.is_child = child == 0;
    if (child > 0 && (waitpid(child, &status, 0) != child || status))
        forking.failed_children++;
}

/* The child is inside the same hook: it goes on to the end of the epoch, and through more. */
static void end_in_child(tide_pool *pool)
{
    bool right = forking.destroyed == 300;
    void *object = tide_pool_get(pool);
    tide_pool_put(pool, object);
    tide_epoch_advance();
    right = right && tide_pool_drain(pool) == 1 && forking.destroyed == 301;
    tide_pool_destroy(pool);
    _exit(right ? 0 : 1);
}

Test(pool, destroy_hook_may_fork)
{
    void *objects[300];
    tide_pool *pool =
        tide_pool_create(&(tide_pool_config){.create = create_plain, .destroy = destroy_with_fork});
    get_all(pool, objects, 300);
    tide_pool_put_bulk(pool, objects, 300);
    forking.forks_left = 10;
    tide_epoch_advance();
    tide_epoch_advance();
    if (forking.is_child)
        end_in_child(pool);
    check_count(forking.destroyed, 300);
    check_count(forking.failed_children, 0);
    check_count(forking.forks_left, -290);
    tide_pool_destroy(pool);
}

/* Objects that are pools themselves, as of a connection that has buffers of its own. */
static void *create_inner_pool(void *context)
{
    return tide_pool_create(&(tide_pool_config){.object_size = 64});
}

static void destroy_inner_pool(void *object, void *context)
{
    tide_pool_destroy(object);
    *(size_t *)context += 1;
}

Test(pool, destroy_hook_may_destroy_a_pool)
{
    size_t destroyed = 0;
    tide_pool *outer = tide_pool_create(&(tide_pool_config){
        .create = create_inner_pool, .destroy = destroy_inner_pool, .context = &destroyed});
    tide_pool *object = tide_pool_get(outer);
    tide_pool_put(object, tide_pool_get(object));
    tide_pool_put(outer, object);
    tide_epoch_advance();
    tide_epoch_advance();
    check_count(destroyed, 1);
    tide_pool_destroy(outer);
}

/* SPDX-License-Identifier: MIT */
/*
 * registry.c: all pools of the process, the lock of epochs, and what a fork does to them.
 */
#include <pthread.h>
#include <signal.h>

#include <urcu/rculist.h>

#include "internal.h"
#include "pacer.h"

struct cds_list_head tide__registry = CDS_LIST_HEAD_INIT(tide__registry);
char tide__readers;

static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t readers_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t registry_changed = PTHREAD_COND_INITIALIZER;
static pthread_once_t registry_once = PTHREAD_ONCE_INIT;
static unsigned registry_forks;

void tide__registry_lock(void)
{
    pthread_mutex_lock(&registry_mutex);
}

void tide__registry_unlock(void)
{
    pthread_mutex_unlock(&registry_mutex);
}

void tide__registry_wait(void)
{
    pthread_cond_wait(&registry_changed, &registry_mutex);
}

void tide__registry_wake(void)
{
    pthread_cond_broadcast(&registry_changed);
}

unsigned tide__registry_forks(void)
{
    return registry_forks;
}

const void *tide__registry_mark(void)
{
    static _Thread_local char mark;
    return &mark;
}

/* Signals are blocked: a handler may be a reader's first call, too. */
void tide__reader_register(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_mutex_lock(&readers_mutex);
    urcu_bp_read_lock();
    urcu_bp_read_unlock();
    pthread_mutex_unlock(&readers_mutex);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* No epoch is half done in the child, and RCU's own state is whole. liburcu (0.13) has one more
 * lock than urcu_bp_before_fork takes, which it holds while a thread becomes known to it: none
 * does now, and this thread is. */
static void before_fork(void)
{
    tide__reader_register();
    tide__registry_lock();
    pthread_mutex_lock(&readers_mutex);
    urcu_bp_before_fork(); /* blocks signals */
    tide__ledger_before_fork();
}

static void after_fork_parent(void)
{
    tide__ledger_after_fork();
    urcu_bp_after_fork_parent();
    pthread_mutex_unlock(&readers_mutex);
    tide__registry_unlock();
}

/* What other threads have retired nobody will clear; it is cleared when its pool ends. */
static void forget_retired(tide_pool *pool)
{
    struct generation *generation = pool->generations;
    for (; generation; generation = generation->next_of_pool) {
        if (generation->retired_by != tide__registry_mark())
            generation->retired_by = NULL;
    }
}

static void unlock_stacks(struct generation *generation)
{
    tide__percpu_unlock(generation->stacks, tide__percpu_used(&generation->pool->percpu));
}

/* The other threads do not exist here: nobody is inside a stack, nobody destroys objects. */
static void after_fork_child(void)
{
    struct cds_list_head *node;
    tide__ledger_after_fork();
    urcu_bp_after_fork_child();
    pthread_mutex_unlock(&readers_mutex);
    tide__percpu_after_fork();
    registry_forks++;
    cds_list_for_each(node, &tide__registry)
    {
        tide_pool *pool = pool_of(node);
        pool->busy = 0;
        forget_retired(pool);
        unlock_stacks(young(pool));
        if (pool->leaving)
            unlock_stacks(pool->leaving);
    }
    pthread_cond_init(&registry_changed, NULL);
    tide__account_after_fork();
    tide__trace_after_fork();
    tide__pacer_after_fork();
    tide__registry_unlock();
}

static void start(void)
{
    tide__trace_start();
    tide__pacer_start_by_environment();
    pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

void tide__registry_add(tide_pool *pool)
{
    pthread_once(&registry_once, start);
    tide__registry_lock();
    annotate_before(&tide__registry);
    cds_list_add_tail_rcu(&pool->link, &tide__registry);
    tide__registry_unlock();
}

/* Takes back what epochs have retired and not begun to clear: their threads may be waiting for
 * the caller, which may be one of them, in a hook of another pool. */
static void reclaim_retired(tide_pool *pool)
{
    struct generation *generation = pool->generations;
    for (; generation; generation = generation->next_of_pool) {
        if (generation->retired_by)
            cds_list_del(&generation->retired_link);
        generation->retired_by = NULL;
    }
}

/* Returns when no epoch and no walk can meet the pool any more. */
void tide__registry_remove(tide_pool *pool)
{
    tide__registry_lock();
    tide__account_leave(pool);
    cds_list_del_rcu(&pool->link);
    reclaim_retired(pool);
    while (pool->busy)
        tide__registry_wait();
    tide__registry_unlock();
    readers_wait();
}

/* Pairs with the publication in cds_list_add_tail_rcu. */
static not_checked_for_races struct cds_list_head *next_node(struct cds_list_head *node)
{
    return rcu_dereference(node->next);
}

void tide_pool_walk(bool (*visit)(const tide_pool *pool, void *context), void *context)
{
    struct cds_list_head *node = &tide__registry;
    reader_enter();
    while ((node = next_node(node)) != &tide__registry) {
        annotate_after(&tide__registry);
        if (!visit(pool_of(node), context))
            break;
    }
    reader_leave();
}

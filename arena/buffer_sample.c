/* SPDX-License-Identifier: MIT */
/*
 * buffer_sample.c: some blocks are remembered, with who made them, until their last reference
 * goes; those that are there at the end have leaked.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdio.h>
#include <unistd.h>
#include <urcu/list.h>

#include "buffer.h"
#include "heap.h"
#include "settings.h"

enum { CHECKED_INTERVAL = 16 };

struct sample {
    struct cds_list_head link;
    const tide_block *block;
    const void *site;
};

_Atomic unsigned tide__sample_interval;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static CDS_LIST_HEAD(samples); /* under the mutex */
static _Thread_local unsigned skipped;

static void lock(void)
{
    pthread_mutex_lock(&mutex);
}

static void unlock(void)
{
    pthread_mutex_unlock(&mutex);
}

void tide__sample_add(tide_block *block, const void *site)
{
    if (++skipped < atomic_load_explicit(&tide__sample_interval, memory_order_relaxed))
        return;
    skipped = 0;
    struct sample *sample = tide__heap_alloc(sizeof(*sample), alignof(struct sample));
    if (!sample)
        return; /* this one is not remembered */
    sample->block = block;
    sample->site = site;
    block->sample = sample;
    lock();
    cds_list_add_tail(&sample->link, &samples);
    unlock();
}

void tide__sample_remove(tide_block *block)
{
    lock();
    cds_list_del(&block->sample->link);
    unlock();
    tide__heap_free(block->sample);
    block->sample = NULL;
}

/* So that a child of fork finds the list as it was and the lock open. */
static void follow_forks(void)
{
    pthread_atfork(lock, unlock, unlock);
}

void tide_buffer_sample(unsigned interval)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, follow_forks);
    atomic_store_explicit(&tide__sample_interval, interval, memory_order_relaxed);
}

void tide_buffer_walk(bool (*visit)(const tide_buffer_sampled *, void *), void *context)
{
    struct cds_list_head *node;
    bool wanted = true;
    lock();
    for (node = samples.next; node != &samples && wanted; node = node->next) {
        const struct sample *sample = cds_list_entry(node, struct sample, link);
        tide_buffer_sampled sampled = {sample->site, sample->block->capacity, 0};
        sampled.references = atomic_load_explicit(&sample->block->references, memory_order_relaxed);
        wanted = visit(&sampled, context);
    }
    unlock();
}

struct report {
    int file;
    size_t count;
};

/* Names the function as far as the dynamic linker knows it; addr2line knows the rest from the
 * address within the object. */
static bool write_leak(const tide_buffer_sampled *block, void *context)
{
    struct report *report = context;
    Dl_info info = {0};
    dladdr(block->site, &info);
    dprintf(report->file,
            "tide: buffer of %zu bytes with %u references, made by %s+0x%" PRIxPTR " %s\n",
            block->size, block->references, info.dli_fname ? info.dli_fname : "?",
            (uintptr_t)block->site - (uintptr_t)info.dli_fbase,
            info.dli_sname ? info.dli_sname : "");
    report->count++;
    return true;
}

size_t tide_buffer_write_leaks(int file)
{
    struct report report = {file, 0};
    tide_buffer_walk(write_leak, &report);
    return report.count;
}

static void start(void)
{
    if (tide__setting_or(TIDE__CHECK, 0))
        tide_buffer_sample(CHECKED_INTERVAL);
}

void tide__sample_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
}

__attribute__((destructor)) static void stop(void)
{
    if (!cds_list_empty(&samples) && tide__setting_or(TIDE__CHECK, 0))
        tide_buffer_write_leaks(STDERR_FILENO);
}

/* SPDX-License-Identifier: MIT */
/*
 * guard.c: TIDE=arena-guard:1. Chunks that an arena has given back cannot be touched for a while,
 * and the message of a fault names the arena.
 *
 * The newest spans given back are in quarantine, without access, up to a number and to a sum of
 * bytes; an older one returns to the range. The handler of SIGSEGV looks the address up among
 * them, prints one line, and lets the program fail as it would have.
 */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arena.h"
#include "settings.h"

enum { QUARANTINE_COUNT = 4096, NAME_SIZE = 48, LINE_SIZE = 256 };
static const size_t quarantine_bytes_max = (size_t)1 << 30;

static struct quarantined {
    char name[NAME_SIZE];
    char *span;
    uint64_t resets;
    unsigned class;
} quarantine[QUARANTINE_COUNT];

static pthread_mutex_t quarantine_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t guard_once = PTHREAD_ONCE_INIT;
static size_t quarantine_first, quarantine_count, quarantine_bytes;
static struct sigaction action_before;
static bool guard_on;

/* Without the lock, which the thread that faults may hold: an entry that changes meanwhile
 * spoils a message at worst. */
static const struct quarantined *find(const char *address)
{
    for (size_t i = 0; i < QUARANTINE_COUNT; i++) {
        const struct quarantined *entry = &quarantine[i];
        if (entry->span && (size_t)(address - entry->span) < tide__span_size(entry->class))
            return entry;
    }
    return NULL;
}

/* snprintf of integers and strings takes no lock and no memory in glibc. */
static void report(const char *address)
{
    char line[LINE_SIZE];
    const struct quarantined *entry = find(address);
    int length = 0;
    if (entry)
        length = snprintf(line, sizeof(line),
                          "tide: arena '%s': use of %p, which it gave back at reset %" PRIu64
                          " or in the cycle after it\n",
                          entry->name, (const void *)address, entry->resets);
    if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0)
        return;
}

/* Whoever handled faults before handles this one: a handler is called, and may return or jump;
 * otherwise the instruction faults again without us. */
static void handle_fault(int signal, siginfo_t *info, void *context)
{
    report(info->si_addr);
    if (action_before.sa_flags & SA_SIGINFO)
        action_before.sa_sigaction(signal, info, context);
    else if (action_before.sa_handler != SIG_DFL && action_before.sa_handler != SIG_IGN)
        action_before.sa_handler(signal);
    else
        sigaction(signal, &action_before, NULL);
}

static void lock_quarantine(void)
{
    pthread_mutex_lock(&quarantine_mutex);
}

static void unlock_quarantine(void)
{
    pthread_mutex_unlock(&quarantine_mutex);
}

static void start_guard(void)
{
    struct sigaction action = {.sa_sigaction = handle_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    guard_on = tide__setting_or(TIDE__GUARD, 0) != 0;
    if (!guard_on)
        return;
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &action_before);
    pthread_atfork(lock_quarantine, unlock_quarantine, unlock_quarantine);
}

bool tide__guard_is_on(void)
{
    pthread_once(&guard_once, start_guard);
    return guard_on;
}

static void release_oldest(void)
{
    struct quarantined *entry = &quarantine[quarantine_first];
    size_t size = tide__span_size(entry->class);
    mprotect(entry->span, size, PROT_READ | PROT_WRITE);
    tide__span_free(entry->span, entry->class);
    entry->span = NULL;
    quarantine_bytes -= size;
    quarantine_first = (quarantine_first + 1) % QUARANTINE_COUNT;
    quarantine_count--;
}

/* The memory behind the addresses is the kernel's again. */
static void add_newest(const struct arena *arena, void *span, unsigned class)
{
    size_t index = (quarantine_first + quarantine_count++) % QUARANTINE_COUNT;
    struct quarantined *entry = &quarantine[index];
    strncpy(entry->name, arena->name, NAME_SIZE - 1);
    entry->resets = arena->resets;
    entry->class = class;
    entry->span = span;
    quarantine_bytes += tide__span_size(class);
}

void tide__guard_retire(const struct arena *arena, void *span, unsigned class)
{
    size_t size = tide__span_size(class);
    madvise(span, size, MADV_DONTNEED);
    mprotect(span, size, PROT_NONE);
    lock_quarantine();
    add_newest(arena, span, class);
    while (quarantine_bytes > quarantine_bytes_max || quarantine_count == QUARANTINE_COUNT)
        release_oldest();
    unlock_quarantine();
}

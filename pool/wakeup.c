/* SPDX-License-Identifier: MIT */
/*
 * wakeup.c: the descriptors of wakeup.h.
 *
 * One epoll instance holds the others, so that a user's event loop watches one number. A child
 * shares a parent's descriptions: each would take the other's events. So a child makes new ones
 * and gives them the old numbers.
 */
#include "wakeup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "pressure.h"

enum part { EVENT, TIMER, MACHINE, CGROUP, PART_COUNT };

static int epoll = -1;
static int parts[PART_COUNT] = {-1, -1, -1, -1};

static const unsigned meanings[PART_COUNT] = {WAKEUP_EVENT, WAKEUP_TIMER, WAKEUP_PRESSURE,
                                              WAKEUP_PRESSURE};

static int open_part(enum part part)
{
    switch (part) {
    case EVENT:
        return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    case TIMER:
        return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    case MACHINE:
        return tide__pressure_open_machine();
    default:
        return tide__pressure_open_cgroup();
    }
}

static bool is_pressure(enum part part)
{
    return meanings[part] == WAKEUP_PRESSURE;
}

static bool add_part(enum part part)
{
    struct epoll_event event = {.events = is_pressure(part) ? EPOLLPRI : EPOLLIN, .data.u32 = part};
    if (parts[part] < 0)
        parts[part] = open_part(part);
    return parts[part] >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, parts[part], &event) == 0;
}

int tide__wakeup_open(bool pressure)
{
    if (epoll < 0)
        epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        return -1;
    for (enum part part = 0; part < PART_COUNT; part++) {
        bool missing = parts[part] < 0 && (pressure || !is_pressure(part));
        if (missing && !add_part(part) && !is_pressure(part))
            return -1;
    }
    return 0;
}

int tide__wakeup_fd(void)
{
    return epoll;
}

/* An event or a timer polls readable until it is read. */
static void clear(enum part part)
{
    uint64_t count;
    if (!is_pressure(part))
        while (read(parts[part], &count, sizeof(count)) < 0 && errno == EINTR)
            ;
}

void tide__wakeup_wait(void)
{
    struct pollfd wanted = {.fd = epoll, .events = POLLIN};
    poll(&wanted, 1, -1);
}

unsigned tide__wakeup_take(void)
{
    struct epoll_event events[PART_COUNT];
    unsigned happened = 0;
    int count = epoll_wait(epoll, events, PART_COUNT, 0);
    for (int i = 0; i < count; i++) {
        clear((enum part)events[i].data.u32);
        happened |= meanings[events[i].data.u32];
    }
    return happened;
}

void tide__wakeup_raise(void)
{
    int before = errno;
    uint64_t one = 1;
    while (write(parts[EVENT], &one, sizeof(one)) < 0 && errno == EINTR)
        ;
    errno = before;
}

void tide__wakeup_set_timer(uint64_t ns)
{
    struct itimerspec when = {.it_value = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)}};
    int before = errno;
    timerfd_settime(parts[TIMER], 0, &when, NULL);
    errno = before;
}

/* Gives `number` to the description of `fresh`. */
static void rename_to(int fresh, int number)
{
    if (fresh < 0)
        return;
    dup3(fresh, number, O_CLOEXEC);
    close(fresh);
}

void tide__wakeup_after_fork(void)
{
    if (epoll < 0)
        return;
    rename_to(epoll_create1(EPOLL_CLOEXEC), epoll);
    for (enum part part = 0; part < PART_COUNT; part++) {
        if (parts[part] < 0)
            continue;
        rename_to(open_part(part), parts[part]);
        add_part(part);
    }
}

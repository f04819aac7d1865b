/* SPDX-License-Identifier: MIT */
/*
 * proxy.c: a TCP proxy, or an echo server, on one thread and epoll.
 *
 *     proxy --listen PORT [--connect PORT]
 *
 * Listens on the loopback address (port 0: any; it prints which). What a client sends goes to the
 * port to connect to, and back; without one the client gets it back itself. On SIGTERM or SIGINT
 * it ends and prints what it has done, as one JSON object.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay.h"

enum { EVENTS = 64, BACKLOG = 512 };

static struct relay relay;
static int listener, signals;
static bool is_listening;

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int fail(const char *what)
{
    fprintf(stderr, "proxy: %s: %s\n", what, strerror(errno));
    return 3;
}

static bool open_listener(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    socklen_t size = sizeof(address);
    int on = 1;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
        bind(listener, (const struct sockaddr *)&address, sizeof(address)) ||
        listen(listener, BACKLOG) || getsockname(listener, (struct sockaddr *)&address, &size))
        return false;
    printf("proxy: %s, listening on %u\n", RELAY_NAME, ntohs(address.sin_port));
    return fflush(stdout) == 0;
}

/* SIGTERM and SIGINT arrive by epoll; a peer that has gone is an error of write. */
static bool open_signals(void)
{
    sigset_t set;
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return signals >= 0;
}

static bool watch(int *file)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = file};
    return epoll_ctl(relay.epoll, EPOLL_CTL_ADD, *file, &event) == 0;
}

/* Out of descriptors, it stops to listen until a connection has ended. */
static void accept_all(void)
{
    int file;
    while ((file = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        relay_accept(&relay, file);
    if ((errno == EMFILE || errno == ENFILE) && relay.open > 0) {
        epoll_ctl(relay.epoll, EPOLL_CTL_DEL, listener, NULL);
        is_listening = false;
    }
}

/* False: a signal to end. */
static bool serve_events(void)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(relay.epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == &signals)
            return false;
        if (events[i].data.ptr == &listener)
            accept_all();
        else
            relay_event(&relay, events[i].data.ptr, events[i].events);
    }
    if (relay.closed && !is_listening)
        is_listening = watch(&listener);
    relay_sweep(&relay);
    return count >= 0 || errno == EINTR;
}

static void report(void)
{
    uint64_t copied = 0;
    printf("{\"buffers\": \"%s\", \"connections\": %" PRIu64 ", \"open\": %" PRIu64
           ", \"errors\": %" PRIu64 ", \"received\": %" PRIu64 ", \"sent\": %" PRIu64 ", ",
           RELAY_NAME, relay.connections, relay.open, relay.errors, relay.received, relay.sent);
    if (relay_copied(&copied))
        printf("\"copied\": %" PRIu64 "}\n", copied);
    else
        printf("\"copied\": null}\n");
}

static bool parse_port(const char *text, uint16_t *port)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    *port = (uint16_t)number;
    return !errno && *text && !*end && number >= 0 && number <= UINT16_MAX;
}

static bool parse(int argc, char **argv, uint16_t *listen_port, uint16_t *connect_port)
{
    static const struct option names[] = {
        {"listen", 1, 0, 'l'}, {"connect", 1, 0, 'c'}, {0, 0, 0, 0}};
    bool is_right = true, is_complete = false;
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'l')
            is_right &= is_complete = parse_port(optarg, listen_port);
        else if (option == 'c')
            is_right &= parse_port(optarg, connect_port) && *connect_port > 0;
        else
            is_right = false;
    }
    return is_right && is_complete && optind == argc;
}

int main(int argc, char **argv)
{
    uint16_t listen_port = 0, connect_port = 0;
    if (!parse(argc, argv, &listen_port, &connect_port)) {
        fprintf(stderr, "usage: proxy --listen PORT [--connect PORT]\n");
        return 2;
    }
    if (connect_port)
        relay.upstream = loopback(connect_port);
    relay.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (relay.epoll < 0 || !open_signals() || !watch(&signals))
        return fail("epoll");
    if (!open_listener(listen_port) || !watch(&listener))
        return fail("cannot listen");
    is_listening = true;
    while (serve_events())
        continue;
    report();
    return 0;
}

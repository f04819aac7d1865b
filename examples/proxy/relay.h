/* SPDX-License-Identifier: MIT */
/*
 * relay.h: connections of a proxy or an echo server, and what moves their bytes.
 *
 * A connection has one or two ends (sockets) and a flow of bytes from each: to the other end, or,
 * in an echo server, back. A flow whose source has ended is shut down when it is empty, so that a
 * half-closed connection carries the other half on; the connection ends with its flows, or with
 * the first error.
 */
#ifndef PROXY_RELAY_H
#define PROXY_RELAY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include PROXY_BUFFER

struct connection;

struct end {
    struct connection *connection;
    int file;          /* -1: none */
    uint32_t interest; /* what epoll is asked for; 0: it is not asked */
    bool is_connecting;
};

struct flow {
    relay_buffer buffer;
    struct end *from, *to;
    bool has_ended; /* the source has no more */
    bool is_done;   /* and all of it is written */
};

struct connection {
    struct end ends[2];
    struct flow flows[2];
    unsigned count; /* of ends and of flows */
    bool is_closed; /* freed after the events that epoll has told us of */
    struct connection *next_closed;
};

struct relay {
    int epoll;
    struct sockaddr_in upstream; /* port 0: an echo server */
    struct connection *closed;
    uint64_t connections, open, received, sent, errors;
};

/* Takes over an accepted socket. False: closed at once, for lack of memory or of upstream. */
bool relay_accept(struct relay *relay, int file);

/* What epoll said of an end. */
void relay_event(struct relay *relay, struct end *end, uint32_t events);

/* Frees the connections that were closed since. */
void relay_sweep(struct relay *relay);

#endif

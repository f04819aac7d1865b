/* SPDX-License-Identifier: MIT */
/*
 * relay.c: moves bytes between sockets as they can be read and written.
 */
#include "relay.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes of one read, and those a flow holds before its source has to wait. */
enum { READ_MAX = 256 * 1024, PENDING_MAX = 1024 * 1024 };

static void set_interest(const struct relay *relay, struct end *end, uint32_t interest)
{
    struct epoll_event event = {.events = interest, .data.ptr = end};
    if (end->interest == interest)
        return;
    int operation = !interest ? EPOLL_CTL_DEL : end->interest ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(relay->epoll, operation, end->file, &event) == 0)
        end->interest = interest;
}

static bool can_read(const struct flow *flow)
{
    return !flow->has_ended && relay_size(&flow->buffer) < PENDING_MAX;
}

/* An end that nobody waits for leaves epoll, which would tell of its hang-up again and again. */
static void update_interest(const struct relay *relay, struct connection *connection)
{
    uint32_t interest[2] = {0, 0};
    for (unsigned i = 0; i < connection->count; i++) {
        const struct flow *flow = &connection->flows[i];
        if (can_read(flow) && !flow->from->is_connecting)
            interest[flow->from - connection->ends] |= EPOLLIN;
        if (relay_size(&flow->buffer) > 0 || flow->to->is_connecting)
            interest[flow->to - connection->ends] |= EPOLLOUT;
    }
    for (unsigned i = 0; i < connection->count; i++)
        set_interest(relay, &connection->ends[i], interest[i]);
}

static void close_connection(struct relay *relay, struct connection *connection)
{
    if (connection->is_closed)
        return;
    for (unsigned i = 0; i < connection->count; i++) {
        if (connection->ends[i].file >= 0)
            close(connection->ends[i].file);
        relay_fini(&connection->flows[i].buffer);
    }
    connection->is_closed = true;
    connection->next_closed = relay->closed;
    relay->closed = connection;
    relay->open--;
}

static bool is_wait(int error)
{
    return error == EAGAIN || error == EINTR;
}

/* False: an error that ends the connection. */
static bool receive(struct relay *relay, struct flow *flow)
{
    ssize_t size = relay_read(&flow->buffer, flow->from->file, READ_MAX);
    if (size > 0)
        relay->received += (uint64_t)size;
    flow->has_ended = size == 0;
    return size >= 0 || is_wait(errno);
}

static bool transmit(struct relay *relay, struct flow *flow)
{
    if (relay_size(&flow->buffer) > 0 && !flow->to->is_connecting) {
        ssize_t size = relay_write(&flow->buffer, flow->to->file);
        if (size > 0)
            relay->sent += (uint64_t)size;
        else if (size < 0 && !is_wait(errno))
            return false;
    }
    if (flow->has_ended && !flow->is_done && relay_size(&flow->buffer) == 0 &&
        !flow->to->is_connecting) {
        flow->is_done = true;
        return shutdown(flow->to->file, SHUT_WR) == 0;
    }
    return true;
}

static bool finish_connecting(struct end *end)
{
    int error = 0;
    socklen_t size = sizeof(error);
    end->is_connecting = false;
    return getsockopt(end->file, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

/* What the events of an end allow; false: the connection is over, by an error. */
static bool serve(struct relay *relay, struct end *end, uint32_t events)
{
    struct connection *connection = end->connection;
    if (end->is_connecting && !finish_connecting(end))
        return false;
    for (unsigned i = 0; i < connection->count; i++) {
        struct flow *flow = &connection->flows[i];
        bool reads = flow->from == end && events & (EPOLLIN | EPOLLHUP | EPOLLERR);
        if (reads && can_read(flow) && !receive(relay, flow))
            return false;
        if (!transmit(relay, flow))
            return false;
    }
    return true;
}

static bool is_done(const struct connection *connection)
{
    for (unsigned i = 0; i < connection->count; i++)
        if (!connection->flows[i].is_done)
            return false;
    return true;
}

void relay_event(struct relay *relay, struct end *end, uint32_t events)
{
    struct connection *connection = end->connection;
    if (connection->is_closed)
        return;
    bool is_alive = serve(relay, end, events);
    relay->errors += !is_alive;
    if (!is_alive || is_done(connection))
        close_connection(relay, connection);
    else
        update_interest(relay, connection);
}

void relay_sweep(struct relay *relay)
{
    while (relay->closed) {
        struct connection *connection = relay->closed;
        relay->closed = connection->next_closed;
        free(connection);
    }
}

static int connect_upstream(const struct relay *relay)
{
    int file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (file < 0)
        return -1;
    if (connect(file, (const struct sockaddr *)&relay->upstream, sizeof(relay->upstream)) &&
        errno != EINPROGRESS) {
        close(file);
        return -1;
    }
    return file;
}

static void start_end(struct connection *connection, unsigned index, int file)
{
    int on = 1;
    connection->ends[index].connection = connection;
    connection->ends[index].file = file;
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Its ends are there; each one's bytes go to the other, or back to it. */
static bool start_flows(struct connection *connection)
{
    bool made = true;
    for (unsigned i = 0; i < connection->count; i++) {
        connection->flows[i].from = &connection->ends[i];
        connection->flows[i].to = &connection->ends[connection->count - 1 - i];
        made &= relay_init(&connection->flows[i].buffer);
    }
    return made;
}

bool relay_accept(struct relay *relay, int file)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    if (!connection) {
        close(file);
        return false;
    }
    relay->connections++;
    relay->open++;
    connection->count = relay->upstream.sin_port ? 2 : 1;
    connection->ends[1].file = -1;
    start_end(connection, 0, file);
    if (connection->count == 2)
        start_end(connection, 1, connect_upstream(relay));
    connection->ends[1].is_connecting = connection->count == 2;
    if (!start_flows(connection) || connection->ends[connection->count - 1].file < 0) {
        relay->errors++;
        close_connection(relay, connection);
        return false;
    }
    update_interest(relay, connection);
    return true;
}

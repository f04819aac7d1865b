/* SPDX-License-Identifier: MIT */
/*
 * load.c: sends bytes to an echo server, checks what comes back, and says how fast that was.
 *
 *     load --port PORT [--connections N] [--seconds S] [--window BYTES]
 *
 * Each connection has at most `window` bytes on their way. Bytes are a function of their place, so
 * that one that is lost, doubled or moved is noticed. Prints megabytes a second (of what came
 * back); exits 1 on a wrong byte, 3 on an error.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATTERN = 1 << 20, PERIOD = 251 * 256, CONNECTIONS_MAX = 256, STEP = 256 * 1024 };

static unsigned char pattern[PATTERN + PERIOD], received[STEP];

static struct {
    unsigned port, connections;
    double seconds;
    size_t window;
} options = {.connections = 8, .seconds = 1, .window = 1 << 18};

struct client {
    int file;
    uint64_t sent, got;
    bool has_shut;
};

static int fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(3);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void open_client(struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)options.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    client->file = socket(AF_INET, SOCK_STREAM, 0);
    if (client->file < 0 ||
        connect(client->file, (const struct sockaddr *)&address, sizeof(address)))
        fail("cannot connect");
}

static void send_some(struct client *client)
{
    size_t place = client->sent % PERIOD;
    size_t size = options.window - (size_t)(client->sent - client->got);
    if (size > STEP)
        size = STEP;
    ssize_t sent = send(client->file, pattern + place, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        fail("send");
    client->sent += sent > 0 ? (uint64_t)sent : 0;
}

/* False: the server has closed. */
static bool receive_some(struct client *client)
{
    ssize_t got = recv(client->file, received, STEP, MSG_DONTWAIT);
    if (got < 0 && errno != EAGAIN)
        fail("receive");
    if (got > 0 && memcmp(received, pattern + client->got % PERIOD, (size_t)got) != 0) {
        fprintf(stderr, "load: wrong bytes after %llu\n", (unsigned long long)client->got);
        exit(1);
    }
    client->got += got > 0 ? (uint64_t)got : 0;
    return got != 0;
}

/* Waits for what any of them can do, and does it; returns how many are still open. */
static unsigned serve(struct client *clients, bool is_over)
{
    struct pollfd files[CONNECTIONS_MAX];
    unsigned open = 0;
    for (unsigned i = 0; i < options.connections; i++) {
        struct client *client = &clients[i];
        bool sends = !is_over && client->sent - client->got < options.window;
        if (is_over && !client->has_shut && client->file >= 0)
            client->has_shut = shutdown(client->file, SHUT_WR) == 0;
        files[i] = (struct pollfd){client->file, (short)(POLLIN | (sends ? POLLOUT : 0)), 0};
        open += client->file >= 0;
    }
    if (open && poll(files, options.connections, 10000) <= 0)
        fail("the server does not answer");
    for (unsigned i = 0; i < options.connections; i++) {
        if (files[i].revents & POLLOUT)
            send_some(&clients[i]);
        if (files[i].revents & ~POLLOUT && !receive_some(&clients[i])) {
            close(clients[i].file);
            clients[i].file = -1;
        }
    }
    return open;
}

static void parse(int argc, char **argv)
{
    static const struct option names[] = {{"port", 1, 0, 'p'},
                                          {"connections", 1, 0, 'c'},
                                          {"seconds", 1, 0, 's'},
                                          {"window", 1, 0, 'w'},
                                          {0, 0, 0, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'p')
            options.port = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'c')
            options.connections = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 's')
            options.seconds = strtod(optarg, NULL);
        else if (option == 'w')
            options.window = strtoul(optarg, NULL, 10);
        else
            exit(2);
    }
    if (!options.port || !options.connections || options.connections > CONNECTIONS_MAX ||
        !options.window) {
        fprintf(stderr,
                "usage: load --port PORT [--connections N] [--seconds S]"
                " [--window BYTES]\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct client clients[CONNECTIONS_MAX] = {0};
    uint64_t got = 0, sent = 0;
    parse(argc, argv);
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (unsigned char)(i % PERIOD * 7 + i % PERIOD / 251);
    for (unsigned i = 0; i < options.connections; i++)
        open_client(&clients[i]);
    double start = now(), end = start + options.seconds;
    while (serve(clients, now() >= end) > 0)
        continue;
    double seconds = now() - start;
    for (unsigned i = 0; i < options.connections; i++) {
        got += clients[i].got;
        sent += clients[i].sent;
    }
    if (got != sent) {
        fprintf(stderr, "load: sent %llu bytes and got %llu back\n", (unsigned long long)sent,
                (unsigned long long)got);
        return 1;
    }
    printf("%.1f\n", (double)got / seconds / 1e6);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * main.c: the command line of the service, its start and its end.
 */
#include <getopt.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data.h"
#include "memory.h"
#include "server.h"
#include "stats.h"

static const char help[] =
    "Usage: json_service [OPTION]...\n"
    "Answers queries over the iso-codes data sets, as JSON over HTTP, on the loopback address.\n"
    "\n"
    "  --memory=KIND       where the memory of a request comes from: heap, pool or tide (heap)\n"
    "  --port=PORT         port to listen on; 0: any free one (0)\n"
    "  --threads=COUNT     threads that serve (one per processor)\n"
    "  --data=DIR          folder of the data sets (/usr/share/iso-codes/json)\n"
    "  --help              print this and exit\n"
    "\n"
    "Prints `listening on 127.0.0.1:PORT` when it is ready; SIGTERM or SIGINT end it.\n"
    "\n"
    "  GET  /countries                      GET  /languages?prefix=TEXT&limit=COUNT\n"
    "  GET  /countries/CODE                 GET  /languages/CODE\n"
    "  GET  /countries/CODE/subdivisions    GET  /search?q=TEXT&limit=COUNT\n"
    "  POST /lookup  [\"CODE\", ...]          GET  /stats\n";

struct options {
    const struct memory *memory;
    const char *data;
    uint16_t port;
    unsigned threads;
};

enum { EXIT_USAGE = 2, EXIT_FAILED = 3, THREADS_MAX = 256 };

static void usage_error(const char *what, const char *value)
{
    fprintf(stderr, "json_service: %s: %s (see --help)\n", what, value);
    exit(EXIT_USAGE);
}

static unsigned parse_number(const char *text, unsigned min, unsigned max, const char *what)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (end == text || *end || number < min || number > max)
        usage_error(what, text);
    return (unsigned)number;
}

static const struct memory *parse_memory(const char *name)
{
    static const struct memory *const kinds[] = {&memory_heap, &memory_pool, &memory_tide};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(name, kinds[i]->name))
            return kinds[i];
    usage_error("not a kind of memory", name);
    return NULL;
}

static void parse_option(struct options *options, int option)
{
    switch (option) {
    case 'm':
        options->memory = parse_memory(optarg);
        break;
    case 'p':
        options->port = (uint16_t)parse_number(optarg, 0, UINT16_MAX, "not a port");
        break;
    case 't':
        options->threads = parse_number(optarg, 1, THREADS_MAX, "not a number of threads");
        break;
    case 'd':
        options->data = optarg;
        break;
    case 'h':
        fputs(help, stdout);
        exit(EXIT_SUCCESS);
    default:
        exit(EXIT_USAGE); /* getopt has said why */
    }
}

static struct options parse_options(int count, char **arguments)
{
    static const struct option known[] = {
        {"memory", required_argument, NULL, 'm'},  {"port", required_argument, NULL, 'p'},
        {"threads", required_argument, NULL, 't'}, {"data", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct options options = {.memory = &memory_heap,
                              .data = "/usr/share/iso-codes/json",
                              .threads = processors > 0 ? (unsigned)processors : 1};
    for (int option; (option = getopt_long(count, arguments, "", known, NULL)) != -1;)
        parse_option(&options, option);
    if (optind < count)
        usage_error("unexpected argument", arguments[optind]);
    return options;
}

/* Blocks the signals that end the service, in this thread and those it starts: only
 * sigwait gets them, so the end happens between requests and not inside of one. */
static sigset_t block_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signals;
}

static int serve(struct service *service, const struct options *options)
{
    sigset_t signals = block_signals();
    struct MHD_Daemon *daemon = server_start(service, options->port, options->threads);
    int received;
    if (!daemon) {
        fprintf(stderr, "json_service: port %u: cannot listen\n", options->port);
        return EXIT_FAILED;
    }
    printf("listening on 127.0.0.1:%u\n", server_port(daemon));
    fflush(stdout);
    sigwait(&signals, &received);
    MHD_stop_daemon(daemon);
    printf("served %llu requests\n", (unsigned long long)stats_requests());
    return EXIT_SUCCESS;
}

static int start_and_serve(const struct data *data, const struct options *options)
{
    struct service service = {.data = data, .memory = options->memory};
    int status = EXIT_FAILED;
    if (options->memory->start())
        status = serve(&service, options);
    else
        perror("json_service: memory");
    options->memory->stop();
    return status;
}

int main(int count, char **arguments)
{
    struct options options = parse_options(count, arguments);
    struct data data;
    options.memory->prepare();
    json_object_seed(0); /* now, and not by whichever thread makes the first object */
    int status = EXIT_FAILED;
    if (data_load(&data, options.data))
        status = start_and_serve(&data, &options);
    data_unload(&data);
    return status;
}

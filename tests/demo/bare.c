/* SPDX-License-Identifier: MIT */
/*
 * bare.c: an HTTP service of libmicrohttpd alone, that answers everything with the same constant,
 * so that what the library allocates for a request can be counted. Its command line and /stats
 * are those of json_service, as far as service.py asks for them.
 */
#include <alloc_count.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

extern __attribute__((weak)) void tide_alloc_count_read(struct alloc_count *count);

static const char answer[4096] = "{}";
static char stats[256];
static unsigned requests;

static void sent(void *unused)
{
}

static struct MHD_Response *respond(const void *bytes, size_t size)
{
    struct MHD_IoVec part = {bytes, size};
    return MHD_create_response_from_iovec(&part, 1, sent, NULL);
}

static struct MHD_Response *respond_stats(void)
{
    struct alloc_count count = {0};
    if (tide_alloc_count_read)
        tide_alloc_count_read(&count);
    int length = snprintf(stats, sizeof stats,
                          "{\"requests\": %u, \"heap\": {\"allocations\": %" PRIu64
                          ", \"bytes\": %" PRIu64 "}, \"pools\": []}",
                          requests, count.allocations, count.bytes);
    return respond(stats, (size_t)length);
}

static enum MHD_Result handle(void *unused, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    if (!*state) {
        *state = &requests;
        return MHD_YES;
    }
    if (*upload_size) {
        *upload_size = 0;
        return MHD_YES;
    }
    requests++;
    struct MHD_Response *response =
        strcmp(url, "/stats") ? respond(answer, sizeof answer) : respond_stats();
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    enum MHD_Result queued = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return queued;
}

int main(void)
{
    struct sockaddr_in loopback = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    sigset_t signals;
    int received;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TURBO, 0, NULL, NULL, handle, NULL,
                         MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&loopback, MHD_OPTION_END);
    if (!daemon)
        return 3;
    printf("listening on 127.0.0.1:%u\n",
           MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    sigwait(&signals, &received);
    MHD_stop_daemon(daemon);
    return 0;
}

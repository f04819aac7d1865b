/* SPDX-License-Identifier: MIT */
/*
 * unanswered.c: an answer for connections that would be closed without one.
 */
#include "unanswered.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#define REPLY_BODY "{\"status\":400,\"error\":\"malformed request\"}"

static const char reply[] =
    "HTTP/1.1 400 Bad Request\r\n"
    "Connection: close\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 42\r\n"
    "\r\n" REPLY_BODY;
_Static_assert(sizeof REPLY_BODY - 1 == 42, "the reply states its length");

/* The kernel knows, for the whole life of the connection, what the server does not tell. */
static bool is_unanswered(int socket)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    return !getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) && info.tcpi_bytes_received &&
           !info.tcpi_bytes_sent;
}

void unanswered_notice(void *argument, struct MHD_Connection *connection, void **state,
                       enum MHD_ConnectionNotificationCode code)
{
    if (code != MHD_CONNECTION_NOTIFY_CLOSED)
        return;
    int socket = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    if (is_unanswered(socket)) /* fits the empty send buffer; is lost when the client is gone */
        send(socket, reply, sizeof reply - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* SPDX-License-Identifier: MIT */
/*
 * unanswered.h: an answer for connections that would be closed without one.
 */
#ifndef JSON_SERVICE_UNANSWERED_H
#define JSON_SERVICE_UNANSWERED_H

#include <microhttpd.h>

/* libmicrohttpd drops a connection without a word when what came is no request line, or when it
 * ended before the request did. To be set as MHD_OPTION_NOTIFY_CONNECTION: sends a 400 to a
 * client that has sent something and got nothing. Needs MHD_USE_TURBO, without which the server
 * shuts the socket down first. */
void unanswered_notice(void *argument, struct MHD_Connection *connection, void **state,
                       enum MHD_ConnectionNotificationCode code);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * server.h: the HTTP side of the service.
 */
#ifndef JSON_SERVICE_SERVER_H
#define JSON_SERVICE_SERVER_H

#include <microhttpd.h>
#include <stdint.h>

#include "request.h"

/* Listens on the loopback address with `threads` threads; port 0 lets the system choose.
 * NULL when it cannot. `service` is borrowed until MHD_stop_daemon. */
struct MHD_Daemon *server_start(struct service *service, uint16_t port, unsigned threads);

/* The port that it listens on. */
uint16_t server_port(struct MHD_Daemon *daemon);

#endif

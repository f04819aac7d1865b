/* SPDX-License-Identifier: MIT */
/*
 * complain.h: messages of checked pools, on stderr.
 */
#ifndef TIDE_POOL_COMPLAIN_H
#define TIDE_POOL_COMPLAIN_H

/* A call site as "function+0x12 (program+0x1a2b)", or what is known of that. Points into the
 * call, so that a debugger's and addr2line's line is that of the call. */
struct site_text {
    char text[256];
};

struct site_text tide__complain_site(const void *site);

/* One line, "tide: ...", in one write. */
__attribute__((format(printf, 1, 2))) void tide__complain(const char *format, ...);

#endif

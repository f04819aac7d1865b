/* SPDX-License-Identifier: MIT */
/*
 * tide_ambient_openssl.h: OpenSSL on the entered arena.
 *
 * OpenSSL fetches algorithms, makes each thread's random generator and error queue at first use,
 * and keeps them. Fetch what a request needs (EVP_MD_fetch) and use it once before, outside of an
 * arena; then contexts, big numbers and encodings may be of an arena. An SSL connection that
 * outlives the request may not.
 */
#ifndef TIDE_AMBIENT_OPENSSL_H
#define TIDE_AMBIENT_OPENSSL_H

#include <openssl/crypto.h>
#include <stddef.h>

#include "tide_ambient.h"

#ifdef __cplusplus
extern "C" {
#endif

static inline void *tide__openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size ? tide_ambient_malloc(size) : NULL;
}

static inline void tide__openssl_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    tide_ambient_free(block);
}

static inline void *tide__openssl_realloc(void *block, size_t size, const char *file, int line)
{
    if (size)
        return tide_ambient_realloc(block, size);
    tide__openssl_free(block, file, line);
    return NULL;
}

/* For all threads; before any other call of OpenSSL. Starts the library. 0, or -1: it has
 * allocated already. */
static inline int tide_ambient_openssl_install(void)
{
    if (!CRYPTO_set_mem_functions(tide__openssl_malloc, tide__openssl_realloc, tide__openssl_free))
        return -1;
    tide_arena *before = tide_ambient_enter(NULL);
    int started = OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
    tide_ambient_enter(before);
    return started ? 0 : -1;
}

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * url.h: percent-encoding and path patterns.
 *
 * The server hands over paths and arguments as the client wrote them, so that a bad or a
 * misleading encoding (%zz, %00, %2F inside a segment) is seen and not silently repaired.
 */
#ifndef JSON_SERVICE_URL_H
#define JSON_SERVICE_URL_H

#include <stdbool.h>
#include <stddef.h>

/* Decodes `size` bytes of `text` into `decoded`, with a NUL. False for an incomplete or a wrong
 * escape, for an encoded NUL, and for what does not fit `capacity`. */
bool url_decode(char *decoded, size_t capacity, const char *text, size_t size);

/* Whether `path` has the shape of `pattern`, where a segment `*` stands for any segment that is
 * not empty. `*part` and `*part_size` are set to that segment. */
bool url_match(const char *pattern, const char *path, const char **part, size_t *part_size);

#endif

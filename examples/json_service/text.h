/* SPDX-License-Identifier: MIT */
/*
 * text.h: a growing run of bytes, for request bodies and rendered documents.
 */
#ifndef JSON_SERVICE_TEXT_H
#define JSON_SERVICE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is an empty text. */
struct text {
    char *bytes;
    size_t size, capacity;
};

/* Both return false when memory is out; the text is then as it was. */
bool text_reserve(struct text *text, size_t capacity);
bool text_append(struct text *text, const char *bytes, size_t size);

/* Empties the text and keeps its memory, unless that is over `capacity_max`. */
void text_reset(struct text *text, size_t capacity_max);
void text_fini(struct text *text);

#endif

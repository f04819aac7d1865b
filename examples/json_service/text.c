/* SPDX-License-Identifier: MIT */
/*
 * text.c: a growing run of bytes, in the entered arena or, where none is, from malloc.
 */
#include "text.h"

#include <string.h>
#include <tide_ambient.h>

bool text_reserve(struct text *text, size_t capacity)
{
    if (capacity <= text->capacity)
        return true;
    char *bytes = tide_ambient_realloc(text->bytes, capacity);
    if (!bytes)
        return false;
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

static bool grow(struct text *text, size_t size)
{
    size_t needed = text->size + size;
    return text_reserve(text, needed > 2 * text->capacity ? needed : 2 * text->capacity);
}

bool text_append(struct text *text, const char *bytes, size_t size)
{
    if (size > text->capacity - text->size && !grow(text, size))
        return false;
    if (size)
        memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    return true;
}

void text_reset(struct text *text, size_t capacity_max)
{
    text->size = 0;
    if (text->capacity > capacity_max)
        text_fini(text);
}

void text_fini(struct text *text)
{
    tide_ambient_free(text->bytes);
    *text = (struct text){0};
}

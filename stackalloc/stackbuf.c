/* SPDX-License-Identifier: MIT */
/*
 * stackbuf.c: strings that grow on the stack and then out of it.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "compiler.h"
#include "spill.h"
#include "tide_stackalloc.h"

static bool fails(tide_stackbuf *buffer, int error)
{
    buffer->failed = true;
    errno = error;
    return false;
}

/* Room for `room` bytes, more than there is; twice as much as before at least. */
static bool enlarge(tide_stackbuf *buffer, size_t room)
{
    if (room > PTRDIFF_MAX)
        return fails(buffer, ENOMEM);
    if (room < 2 * buffer->room)
        room = 2 * buffer->room;
    char *memory =
        buffer->spill ? tide__spill_realloc(buffer->spill, room) : tide__spill_alloc(room);
    if (!memory)
        return fails(buffer, ENOMEM);
    if (!buffer->spill)
        memcpy(memory, buffer->data, buffer->size + 1);
    buffer->data = buffer->spill = memory;
    buffer->room = room;
    return true;
}

/* Room for `size` bytes behind the end, and the null. */
static bool make_room(tide_stackbuf *buffer, size_t size)
{
    size_t needed;
    if (unlikely(buffer->failed))
        return fails(buffer, ENOMEM);
    if (likely(size < buffer->room - buffer->size))
        return true;
    if (__builtin_add_overflow(buffer->size + 1, size, &needed))
        return fails(buffer, ENOMEM);
    return enlarge(buffer, needed);
}

bool tide_stackbuf_append(tide_stackbuf *buffer, const void *data, size_t size)
{
    uintptr_t offset = (uintptr_t)data - (uintptr_t)buffer->data;
    bool is_own = offset <= buffer->size;
    if (!make_room(buffer, size))
        return false;
    if (size)
        memmove(buffer->data + buffer->size, is_own ? buffer->data + offset : data, size);
    tide_stackbuf_commit(buffer, size);
    return true;
}

bool tide_stackbuf_puts(tide_stackbuf *buffer, const char *text)
{
    return tide_stackbuf_append(buffer, text, strlen(text));
}

/* How long the text is to be; it and its null are there if they fit. */
static int print(const tide_stackbuf *buffer, const char *format, va_list values)
{
    va_list again;
    va_copy(again, values);
    int length = vsnprintf(buffer->data + buffer->size, buffer->room - buffer->size, format, again);
    va_end(again);
    return length;
}

bool tide_stackbuf_vprintf(tide_stackbuf *buffer, const char *format, va_list values)
{
    if (buffer->failed)
        return fails(buffer, ENOMEM);
    int length = print(buffer, format, values);
    bool fits = length >= 0 && (size_t)length < buffer->room - buffer->size;
    if (!fits) {
        buffer->data[buffer->size] = 0;
        if (length < 0)
            return fails(buffer, errno);
        if (!make_room(buffer, (size_t)length))
            return false;
        print(buffer, format, values);
    }
    buffer->size += (size_t)length;
    return true;
}

bool tide_stackbuf_printf(tide_stackbuf *buffer, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    bool printed = tide_stackbuf_vprintf(buffer, format, values);
    va_end(values);
    return printed;
}

void *tide_stackbuf_reserve(tide_stackbuf *buffer, size_t size)
{
    return make_room(buffer, size) ? buffer->data + buffer->size : NULL;
}

void tide_stackbuf_commit(tide_stackbuf *buffer, size_t size)
{
    buffer->size += size;
    buffer->data[buffer->size] = 0;
}

void tide_stackbuf_truncate(tide_stackbuf *buffer, size_t size)
{
    if (size < buffer->size) {
        buffer->size = size;
        buffer->data[size] = 0;
    }
}

void tide_stackbuf_clear(tide_stackbuf *buffer)
{
    tide_stackbuf_truncate(buffer, 0);
    buffer->failed = false;
}

/* SPDX-License-Identifier: MIT */
/*
 * text.c: strings in an arena.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arena.h"

char *tide_arena_strndup(tide_arena *arena, const char *text, size_t length_max)
{
    if (!text) {
        errno = EINVAL;
        return NULL;
    }
    size_t length = strnlen(text, length_max);
    char *copy = tide_arena_alloc(arena, length + 1, 1);
    if (!copy)
        return NULL;
    copy[length] = '\0';
    return memcpy(copy, text, length);
}

char *tide_arena_strdup(tide_arena *arena, const char *text)
{
    return tide_arena_strndup(arena, text, SIZE_MAX);
}

/* Formats into what the window has left, which is enough most times. A checked arena's window,
 * shut as it is, has none. */
char *tide_arena_vprintf(tide_arena *arena, const char *format, va_list arguments)
{
    char *text = (char *)arena->tide__next;
    size_t left = arena->tide__end - arena->tide__next;
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(left ? text : NULL, left, format, arguments);
    if (length >= 0 && (size_t)length < left)
        arena->tide__next += (size_t)length + 1;
    else if (length < 0)
        text = NULL;
    else if ((text = tide_arena_alloc(arena, (size_t)length + 1, 1)))
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *tide_arena_printf(tide_arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = tide_arena_vprintf(arena, format, arguments);
    va_end(arguments);
    return text;
}

/* SPDX-License-Identifier: MIT */
/*
 * url.c: percent-encoding and path patterns.
 */
#include "url.h"

#include <string.h>

static int hex_value(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = digit ? strchr(digits, digit) : NULL;
    return at ? (int)(at - digits) % 16 : -1;
}

/* The byte that `%xy` stands for, or -1. */
static int unescape(const char *text, size_t size)
{
    if (size < 3)
        return -1;
    int high = hex_value(text[1]), low = hex_value(text[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool url_decode(char *decoded, size_t capacity, const char *text, size_t size)
{
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        int byte = (unsigned char)text[i];
        if (byte == '%') {
            byte = unescape(text + i, size - i);
            i += 2;
        }
        if (byte <= 0 || length + 1 >= capacity)
            return false;
        decoded[length++] = (char)byte;
    }
    decoded[length] = '\0';
    return true;
}

bool url_match(const char *pattern, const char *path, const char **part, size_t *part_size)
{
    for (; *pattern; pattern++) {
        if (*pattern != '*') {
            if (*pattern != *path++)
                return false;
            continue;
        }
        *part = path;
        *part_size = strcspn(path, "/");
        path += *part_size;
        if (!*part_size)
            return false;
    }
    return !*path;
}

/* SPDX-License-Identifier: MIT */
/*
 * text.c: prints names in quotation marks.
 */
#include "text.h"

#include <stdbool.h>
#include <stddef.h>

static bool is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Bytes of the character that the text begins with, 0 if they are no UTF-8: cut off, too long for
 * what they say, a surrogate, or beyond Unicode. */
static int character_length(const unsigned char *text)
{
    unsigned char first = text[0], second = first ? text[1] : 0;
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4 || !is_continuation(second))
        return 0;
    if (first < 0xe0)
        return 2;
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f) ||
        !is_continuation(text[2]))
        return 0;
    if (first < 0xf0)
        return 3;
    return is_continuation(text[3]) ? 4 : 0;
}

static void print_escaped(FILE *stream, unsigned char c, bool json)
{
    if (c == '"' || c == '\\')
        fprintf(stream, "\\%c", c);
    else if (c == '\n')
        fputs("\\n", stream);
    else if (json && (c < 0x20 || c == 0x7f))
        fprintf(stream, "\\u%04x", c);
    else
        fputc(c, stream);
}

static void print_quoted(FILE *stream, const char *text, bool json)
{
    const unsigned char *at = (const unsigned char *)text;
    fputc('"', stream);
    while (*at) {
        int length = character_length(at);
        if (length == 0)
            fputs("\xef\xbf\xbd", stream);
        else if (length == 1)
            print_escaped(stream, *at, json);
        else
            fwrite(at, 1, (size_t)length, stream);
        at += length ? length : 1;
    }
    fputc('"', stream);
}

void tide__text_json(FILE *stream, const char *text)
{
    print_quoted(stream, text, true);
}

void tide__text_label(FILE *stream, const char *text)
{
    print_quoted(stream, text, false);
}

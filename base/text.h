/* SPDX-License-Identifier: MIT */
/*
 * text.h: names in quotation marks, so that whatever is in them stays one field of one line.
 */
#ifndef TIDE_BASE_TEXT_H
#define TIDE_BASE_TEXT_H

#include <stdio.h>

/* A JSON string. What is no UTF-8 becomes U+FFFD, byte by byte. */
void tide__text_json(FILE *stream, const char *text);

/* A label's value of Prometheus, which escapes less. */
void tide__text_label(FILE *stream, const char *text);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * fuzz.c: libFuzzer's entry to the models. The first byte of an input chooses one of them.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "model.h"
#include "plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What plain.c has for a program of tests. */
void plain_add(struct plain_test *test)
{
}

void plain_fail(const char *file, int line, const char *condition, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "%s:%d: failed: %s\n", file, line, condition);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size && bytes[0] % 2)
        model_run_chosen(bytes + 1, size - 1);
    else if (size)
        ambient_model_run_chosen(bytes + 1, size - 1);
    return 0;
}

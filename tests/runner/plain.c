/* SPDX-License-Identifier: MIT */
/*
 * plain.c: a main that runs the tests in its own process, all of them or those it is told.
 *
 *     program [NAME...]
 *
 * Exits 1 at the first assertion that fails, 2 if a name is of no test.
 */
#include "plain.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct plain_test *tests, **tests_end = &tests;
static const struct plain_test *running;

void plain_add(struct plain_test *test)
{
    *tests_end = test;
    tests_end = &test->next;
}

void plain_fail(const char *file, int line, const char *condition, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "%s:%d: %s.%s: failed: %s\n  ", file, line, running->suite, running->name,
            condition);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    _Exit(1);
}

static bool is_wanted(const struct plain_test *test, int count, char **names)
{
    for (int i = 0; i < count; i++) {
        if (!strcmp(names[i], test->name))
            return true;
    }
    return count == 0;
}

static int run_wanted(int count, char **names)
{
    int ran = 0;
    for (running = tests; running; running = running->next) {
        if (!is_wanted(running, count, names))
            continue;
        fprintf(stderr, "%s.%s\n", running->suite, running->name);
        running->run();
        ran++;
    }
    return ran;
}

int main(int argc, char **argv)
{
    int ran = run_wanted(argc - 1, argv + 1);
    fprintf(stderr, "%d passed\n", ran);
    return ran && ran >= argc - 1 ? 0 : 2;
}

/* SPDX-License-Identifier: MIT */
/*
 * print.c: what commands share in their printing.
 */
#include "command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* https://no-color.org: any value but none and the empty one. */
bool colour_wanted(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

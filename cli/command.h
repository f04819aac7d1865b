/* SPDX-License-Identifier: MIT */
/*
 * command.h: a command of `tide`, and what commands share.
 *
 * A command is a constant in a source of its own and a line of the table in main.c.
 */
#ifndef TIDE_CLI_COMMAND_H
#define TIDE_CLI_COMMAND_H

#include <stdbool.h>

enum { STATUS_OK, STATUS_FINDINGS, STATUS_USAGE, STATUS_FAILURE };

struct command {
    const char *name;
    const char *summary;               /* a few words, for the list of commands */
    const char *help;                  /* what `tide help NAME` prints */
    int (*run)(int argc, char **argv); /* argv[0] is the command; returns a status */
};

extern const struct command doctor_command;
extern const struct command help_command;
extern const struct command trace_command;

/* Ends with a command without a name. */
extern const struct command *const commands[];

/* NULL when there is none of that name. */
const struct command *command_find(const char *name);

/* Prints `tide: what 'word': why` on stderr and returns STATUS_USAGE. */
int usage_error(const char *what, const char *word, const char *why);

/* Whether standard output is a terminal whose user wants colours. */
bool colour_wanted(void);

/* The text of `tide help`. */
void print_overview(void);

#endif

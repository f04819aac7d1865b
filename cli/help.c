/* SPDX-License-Identifier: MIT */
/*
 * help.c: `tide help`, the list of commands or the help of one.
 */
#include "command.h"

#include <stdio.h>

static int help_run(int argc, char **argv)
{
    if (argc == 1) {
        print_overview();
        return STATUS_OK;
    }
    if (argc > 2)
        return usage_error("unexpected argument", argv[2], "help takes one command");
    const struct command *command = command_find(argv[1]);
    if (!command)
        return usage_error("unknown command", argv[1], "'tide help' lists the commands");
    fputs(command->help, stdout);
    return STATUS_OK;
}

const struct command help_command = {
    .name = "help",
    .summary = "explains the commands",
    .help =
        "usage: tide help [COMMAND]\n"
        "\n"
        "Lists the commands, or explains one.\n",
    .run = help_run,
};

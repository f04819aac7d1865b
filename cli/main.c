/* SPDX-License-Identifier: MIT */
/*
 * main.c: finds the command that was asked for and runs it.
 */
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct command *const commands[] = {&doctor_command, &trace_command, &help_command, NULL};

const struct command *command_find(const char *name)
{
    for (const struct command *const *command = commands; *command; command++)
        if (strcmp((*command)->name, name) == 0)
            return *command;
    return NULL;
}

int usage_error(const char *what, const char *word, const char *why)
{
    fprintf(stderr, "tide: %s '%s': %s\n", what, word, why);
    return STATUS_USAGE;
}

void print_overview(void)
{
    puts("usage: tide COMMAND [OPTION...]\n");
    for (const struct command *const *command = commands; *command; command++)
        printf("  %-8s %s\n", (*command)->name, (*command)->summary);
    puts(
        "\n"
        "  --version, --help\n"
        "\n"
        "Exit status: 0 success, 1 findings, 2 usage, 3 failure. See tide(1).");
}

static int run_version(void)
{
    puts("tide " TIDE_VERSION);
    return STATUS_OK;
}

static int run_nothing(void)
{
    fputs("tide: no command: 'tide help' lists them\n", stderr);
    return STATUS_USAGE;
}

static int run_overview(void)
{
    print_overview();
    return STATUS_OK;
}

static int run(int argc, char **argv)
{
    if (argc < 2)
        return run_nothing();
    if (strcmp(argv[1], "--version") == 0)
        return run_version();
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return run_overview();
    const struct command *command = command_find(argv[1]);
    if (!command)
        return usage_error("unknown command", argv[1], "'tide help' lists the commands");
    return command->run(argc - 1, argv + 1);
}

/* A full disk or a closed pipe shows only when the buffer is written. */
int main(int argc, char **argv)
{
    int status = run(argc, argv);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "tide: standard output: %s\n", strerror(errno));
    return STATUS_FAILURE;
}

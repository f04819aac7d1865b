/* SPDX-License-Identifier: MIT */
/*
 * trace.c: `tide trace`, what a log of epochs, or of Go's collections, says.
 */
#include "trace.h"
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *file; /* NULL or "-": standard input */
    bool json, error;
};

static bool reads_stdin(const struct options *options)
{
    return !options->file || strcmp(options->file, "-") == 0;
}

static int failure(const struct options *options, const char *why)
{
    const char *name = reads_stdin(options) ? "standard input" : options->file;
    fflush(stdout);
    fprintf(stderr, "tide: trace: %s: %s\n", name, why);
    return STATUS_FAILURE;
}

/* A line is as long as it is. */
static void read_lines(FILE *file, struct trace_log *log)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    while (!log->error && (errno = 0, length = getline(&line, &size, file)) >= 0) {
        bool has_end = line[length - 1] == '\n';
        size_t used = (size_t)length - has_end;
        used -= used && has_end && line[used - 1] == '\r';
        trace_log_add(log, line, used, has_end);
    }
    if (!log->error && (ferror(file) || !feof(file)))
        log->error = errno ? errno : EIO;
    free(line);
    trace_log_finish(log);
}

/* False with log->error. */
static bool read_log(const struct options *options, struct trace_log *log)
{
    FILE *file = reads_stdin(options) ? stdin : fopen(options->file, "re");
    if (file)
        read_lines(file, log);
    else
        log->error = errno;
    if (file && file != stdin)
        fclose(file);
    return !log->error;
}

/* What there is to say of a log without an epoch. */
static const char *why_nothing(const struct trace_log *log)
{
    if (log->cut || log->damaged)
        return "no line of a trace is whole";
    if (log->traces[TRACE_TIDE].pools.count || log->traces[TRACE_TIDE].arenas.count)
        return "lines of pools, but no line of an epoch";
    return log->skipped ? "no trace: no line of TIDE=trace or GODEBUG=gctrace=1" : "empty";
}

static int report(const struct options *options, const struct trace_log *log)
{
    struct trace_sum sums[TRACE_KIND_COUNT];
    size_t epochs = 0;
    for (size_t i = 0; i < TRACE_KIND_COUNT; i++) {
        epochs += log->traces[i].count;
        if (!trace_sum_make(&log->traces[i], &sums[i]))
            return failure(options, strerror(ENOMEM));
    }
    if (!epochs)
        return failure(options, why_nothing(log));
    size_t found = options->json ? trace_print_json(options->file ? options->file : "-", log, sums)
                                 : trace_print(log, sums);
    if (log->cut)
        return failure(options, "the last line is cut off");
    return options->error && found ? STATUS_FINDINGS : STATUS_OK;
}

static int analyse(const struct options *options)
{
    struct trace_log log = {0};
    int status =
        read_log(options, &log) ? report(options, &log) : failure(options, strerror(log.error));
    trace_log_drop(&log);
    return status;
}

/* STATUS_OK, or after a message STATUS_USAGE. */
static int take_argument(struct options *options, const char *word)
{
    bool is_option = word[0] == '-' && word[1];
    if (!is_option && options->file)
        return usage_error("trace: unexpected argument", word, "trace takes one file");
    if (!is_option)
        options->file = word;
    else if (strcmp(word, "--json") == 0)
        options->json = true;
    else if (strcmp(word, "--error") == 0)
        options->error = true;
    else
        return usage_error("trace: unknown option", word, "'tide help trace' lists them");
    return STATUS_OK;
}

static int trace_run(int argc, char **argv)
{
    struct options options = {NULL, false, false};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            return fputs(trace_command.help, stdout) < 0 ? STATUS_FAILURE : STATUS_OK;
        int status = take_argument(&options, argv[i]);
        if (status != STATUS_OK)
            return status;
    }
    return analyse(&options);
}

const struct command trace_command = {
    .name = "trace",
    .summary = "what a log of epochs says: a table, times, and patterns with what to change",
    .help =
        "usage: tide trace [--json] [--error] [FILE]\n"
        "\n"
        "Summarises the epochs of a log, which a program writes to stderr under TIDE=trace:1,\n"
        "by pool and arena under TIDE=trace:2; or the collections that a Go program writes under\n"
        "GODEBUG=gctrace=1. Lines of others are passed over. Without FILE, or with '-', it\n"
        "reads standard input.\n"
        "\n"
        "Names what stands out, each with what to change: thrash, limit-too-low,\n"
        "one-sided-producers, imbalance, never-hits.\n"
        "\n"
        "  --json    one JSON object\n"
        "  --error   exit status 1 if a pattern is found\n",
    .run = trace_run,
};

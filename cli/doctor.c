/* SPDX-License-Identifier: MIT */
/*
 * doctor.c: `tide doctor`, what this machine offers to the library and what it lacks.
 */
#include "check.h"
#include "command.h"
#include "percpu.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct finding {
    const struct check *check;
    bool found;
    char detail[CHECK_DETAIL_SIZE];
};

static void examine(const struct check *check, struct finding *finding)
{
    finding->check = check;
    finding->detail[0] = '\0';
    finding->found = check->find(finding->detail);
}

static const char *body_name(void)
{
    return tide__percpu_body() == TIDE__PERCPU_RSEQ ? "rseq" : "portable";
}

static void print_line(const struct finding *finding, bool colour)
{
    const char *word = finding->found ? "found" : "absent";
    const char *tint = finding->found ? "\033[32m" : "\033[33m";
    printf("%-11s %s%-6s%s  %s\n", finding->check->name, colour ? tint : "", word,
           colour ? "\033[0m" : "", finding->detail);
    if (!finding->found)
        printf("%-11s         costs: %s\n", "", finding->check->cost);
}

static void print_text(const struct finding *findings)
{
    bool colour = colour_wanted();
    for (size_t i = 0; i < check_count; i++)
        print_line(&findings[i], colour);
    printf("\npools use the %s body here\n", body_name());
}

static void print_json_member(const char *name, const char *text)
{
    printf("\"%s\": ", name);
    tide__text_json(stdout, text);
    fputs(", ", stdout);
}

static void print_json_finding(const struct finding *finding)
{
    fputs("{", stdout);
    print_json_member("name", finding->check->name);
    print_json_member("detail", finding->detail);
    print_json_member("cost", finding->check->cost);
    printf("\"found\": %s}", finding->found ? "true" : "false");
}

static void print_json(const struct finding *findings)
{
    printf("{\"version\": \"%s\", \"body\": \"%s\", \"checks\": [\n", TIDE_VERSION, body_name());
    for (size_t i = 0; i < check_count; i++) {
        print_json_finding(&findings[i]);
        puts(i + 1 < check_count ? "," : "");
    }
    puts("]}");
}

static bool examine_all(struct finding *findings)
{
    bool all = true;
    for (size_t i = 0; i < check_count; i++) {
        examine(&checks[i], &findings[i]);
        all = all && findings[i].found;
    }
    return all;
}

static int report(bool json, bool error)
{
    struct finding *findings = calloc(check_count, sizeof *findings);
    if (!findings) {
        perror("tide: doctor");
        return STATUS_FAILURE;
    }
    bool all = examine_all(findings);
    (json ? print_json : print_text)(findings);
    free(findings);
    return error && !all ? STATUS_FINDINGS : STATUS_OK;
}

static int doctor_run(int argc, char **argv)
{
    bool json = false, error = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            return fputs(doctor_command.help, stdout) < 0 ? STATUS_FAILURE : STATUS_OK;
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (strcmp(argv[i], "--error") == 0)
            error = true;
        else
            return usage_error("doctor: unknown option", argv[i], "'tide help doctor' lists them");
    }
    return report(json, error);
}

const struct command doctor_command = {
    .name = "doctor",
    .summary = "what this machine offers to the library, and what an absence costs",
    .help =
        "usage: tide doctor [--json] [--error]\n"
        "\n"
        "Looks for what the library can use: restartable sequences, compact CPU numbers,\n"
        "membarrier, huge pages, pressure figures, cgroup v2, compilers. For each it says\n"
        "whether it was found and what its absence costs.\n"
        "\n"
        "  --json    one JSON object\n"
        "  --error   exit status 1 if anything is absent\n",
    .run = doctor_run,
};

/* SPDX-License-Identifier: MIT */
/*
 * check.c: the list of checks in the order of their printing, and how they read text.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

const struct check checks[] = {
    {"rseq", find_rseq, "get and put of a pool take turns by atomic instructions: slower"},
    {"mm_cid", find_mm_cid, "objects spread over all CPUs visited, not over as many as run"},
    {"membarrier", find_membarrier, "an epoch cannot restart sequences: pools go without rseq"},
    {"huge pages", find_huge_pages, "large objects stay on small pages: more TLB misses"},
    {"PSI", find_psi, "epochs for pressure (TIDE=pressure:1) do not follow the machine's"},
    {"cgroup v2", find_cgroup, "epochs for pressure do not follow the container's"},
    {"gcc", find_gcc, "one compiler less to build and test with"},
    {"clang", find_clang, "no second compiler, and no plugin for it"},
};

const size_t check_count = sizeof checks / sizeof *checks;

static bool take_line(FILE *stream, char *line, size_t size)
{
    *line = '\0';
    if (!fgets(line, (int)size, stream))
        return false;
    line[strcspn(line, "\n")] = '\0';
    return *line != '\0';
}

bool read_line(const char *path, char *line, size_t size)
{
    *line = '\0';
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool found = take_line(file, line, size);
    fclose(file);
    return found;
}

bool read_command(const char *command, char *line, size_t size)
{
    *line = '\0';
    FILE *output = popen(command, "re");
    if (!output)
        return false;
    bool found = take_line(output, line, size);
    return pclose(output) == 0 && found;
}

/* SPDX-License-Identifier: MIT */
/*
 * check_memory.c: what the kernel offers for large memory and tells about scarce memory.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

/* The kernel prints the modes in a row, the one in force in brackets. */
bool find_huge_pages(char *detail)
{
    char modes[64];
    if (!read_line("/sys/kernel/mm/transparent_hugepage/enabled", modes, sizeof modes)) {
        snprintf(detail, CHECK_DETAIL_SIZE, "the kernel has none");
        return false;
    }
    const char *mode = strchr(modes, '[');
    mode = mode ? mode + 1 : modes;
    snprintf(detail, CHECK_DETAIL_SIZE, "mode %.*s", (int)strcspn(mode, "]"), mode);
    return strncmp(mode, "never", 5) != 0;
}

/* "some avg10=0.00 avg60=...": the share of the last ten seconds in which someone waited. */
bool find_psi(char *detail)
{
    char line[128];
    float percent;
    bool found = read_line("/proc/pressure/memory", line, sizeof line) &&
                 sscanf(line, "some avg10=%f", &percent) == 1;
    if (found)
        snprintf(detail, CHECK_DETAIL_SIZE, "memory waited for %.2f %% of the time", percent);
    else
        snprintf(detail, CHECK_DETAIL_SIZE, "no /proc/pressure/memory");
    return found;
}

/* "0::/user.slice" of /proc/self/cgroup is the version 2 hierarchy's line, and its only one
 * where version 1 is not mounted as well. */
static bool own_cgroup(char *path, size_t size)
{
    char line[512];
    FILE *file = fopen("/proc/self/cgroup", "re");
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file))
        found = strncmp(line, "0::/", 4) == 0;
    if (file)
        fclose(file);
    if (found)
        snprintf(path, size, "/sys/fs/cgroup%.*s", (int)strcspn(line + 3, "\n"), line + 3);
    return found;
}

bool find_cgroup(char *detail)
{
    char path[600], file[640], limit[64];
    char controllers[CHECK_DETAIL_SIZE];
    if (!read_line("/sys/fs/cgroup/cgroup.controllers", controllers, sizeof controllers) ||
        !own_cgroup(path, sizeof path)) {
        snprintf(detail, CHECK_DETAIL_SIZE, "not mounted at /sys/fs/cgroup");
        return false;
    }
    snprintf(file, sizeof file, "%s/memory.max", path);
    if (read_line(file, limit, sizeof limit))
        snprintf(detail, CHECK_DETAIL_SIZE, "memory.max is %s", limit);
    else
        snprintf(detail, CHECK_DETAIL_SIZE, "no limit of its own");
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * check_memory.c: what the kernel offers for large memory and tells about scarce memory.
 */
#include "check.h"
#include "pressure.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* Whether the kernel lets us be told of pressure; pacing asks the same. */
static bool may_follow(int trigger)
{
    if (trigger >= 0)
        close(trigger);
    return trigger >= 0;
}

/* "some avg10=0.00 avg60=...": the share of the last ten seconds in which someone waited. */
bool find_psi(char *detail)
{
    char line[128];
    float percent;
    bool told = may_follow(tide__pressure_open_machine());
    if (read_line("/proc/pressure/memory", line, sizeof line) &&
        sscanf(line, "some avg10=%f", &percent) == 1)
        snprintf(detail, CHECK_DETAIL_SIZE, "memory waited for %.2f %% of the time%s", percent,
                 told ? "" : ", but the kernel refuses a trigger");
    else
        snprintf(detail, CHECK_DETAIL_SIZE, "no /proc/pressure/memory");
    return told;
}

static void describe_cgroup(const char *folder, bool told, char *detail)
{
    char file[640], limit[64];
    snprintf(file, sizeof file, "%s/memory.max", folder);
    const char *but = told ? "" : ", but its memory.pressure takes no trigger";
    if (read_line(file, limit, sizeof limit))
        snprintf(detail, CHECK_DETAIL_SIZE, "memory.max is %s%s", limit, but);
    else
        snprintf(detail, CHECK_DETAIL_SIZE, "no limit of its own%s", but);
}

bool find_cgroup(char *detail)
{
    char folder[600], controllers[CHECK_DETAIL_SIZE];
    if (!read_line("/sys/fs/cgroup/cgroup.controllers", controllers, sizeof controllers) ||
        !tide__pressure_cgroup(folder, sizeof folder)) {
        snprintf(detail, CHECK_DETAIL_SIZE, "not mounted at /sys/fs/cgroup");
        return false;
    }
    bool told = may_follow(tide__pressure_open_cgroup());
    describe_cgroup(folder, told, detail);
    return told;
}

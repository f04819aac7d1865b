/* SPDX-License-Identifier: MIT */
/*
 * resident.h: how much memory the kernel counts for this process, from /proc/self/status.
 */
#ifndef TIDE_EXAMPLES_RESIDENT_H
#define TIDE_EXAMPLES_RESIDENT_H

#include <stddef.h>
#include <stdio.h>

/* The bytes of a field, "VmRSS" or "VmHWM"; 0 where there is none. */
static inline size_t resident_field(const char *field)
{
    char format[32], line[128];
    size_t kib = 0;
    FILE *status = fopen("/proc/self/status", "re");
    snprintf(format, sizeof(format), "%s: %%zu kB", field);
    while (status && fgets(line, sizeof(line), status))
        if (sscanf(line, format, &kib) == 1)
            break;
    if (status)
        fclose(status);
    return kib << 10;
}

static inline size_t resident_now(void)
{
    return resident_field("VmRSS");
}

static inline size_t resident_most(void)
{
    return resident_field("VmHWM");
}

#endif

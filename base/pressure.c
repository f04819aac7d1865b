/* SPDX-License-Identifier: MIT */
/*
 * pressure.c: PSI of the machine and of the control group.
 */
#include "pressure.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int open_trigger(const char *path)
{
    static const char trigger[] = "some 100000 2000000";
    int file = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (file >= 0 && write(file, trigger, sizeof(trigger)) != sizeof(trigger)) {
        close(file);
        file = -1;
    }
    return file;
}

int tide__pressure_open_machine(void)
{
    return open_trigger("/proc/pressure/memory");
}

/* "0::/user.slice" of /proc/self/cgroup is the version 2 hierarchy's line, and its only one
 * where version 1 is not mounted as well. */
bool tide__pressure_cgroup(char *path, int size)
{
    char line[512];
    FILE *file = fopen("/proc/self/cgroup", "re");
    bool found = false;
    while (file && !found && fgets(line, sizeof(line), file))
        found = strncmp(line, "0::/", 4) == 0;
    if (file)
        fclose(file);
    return found && snprintf(path, (size_t)size, "/sys/fs/cgroup%.*s", (int)strcspn(line + 3, "\n"),
                             line + 3) < size;
}

int tide__pressure_open_cgroup(void)
{
    char folder[600], path[640];
    if (!tide__pressure_cgroup(folder, sizeof(folder)))
        return -1;
    snprintf(path, sizeof(path), "%s/memory.pressure", folder);
    return open_trigger(path);
}

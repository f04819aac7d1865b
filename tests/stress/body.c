/* SPDX-License-Identifier: MIT */
/*
 * body.c: chooses a body by its name.
 */
#include "body.h"

#include <stddef.h>
#include <string.h>

#include "percpu.h"

const char *body_choose(const char *name)
{
    if (!strcmp(name, "portable"))
        tide__percpu_use_portable();
    else if (!strcmp(name, "cpu_id"))
        tide__percpu_use_cpu_id();
    else if (strcmp(name, "rseq") != 0)
        return NULL;
    return tide__percpu_body() == TIDE__PERCPU_PORTABLE ? "portable" : name;
}

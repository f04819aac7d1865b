/* SPDX-License-Identifier: MIT */
/*
 * check_compiler.c: which compilers there are on the search path.
 */
#include "check.h"

#include <stdio.h>

static const char *const gccs[] = {"gcc", NULL};
static const char *const clangs[] = {"clang", "clang-14", "clang-16", "clang-19", NULL};

static bool compiler_version(const char *compiler, char *version, size_t size)
{
    char command[128];
    snprintf(command, sizeof command, "%s -dumpfullversion 2>&- || %s -dumpversion 2>&-", compiler,
             compiler);
    return read_command(command, version, size);
}

/* Lists those that answer. */
static bool find_compilers(const char *const *names, char *detail)
{
    char version[32];
    size_t used = 0;
    for (; *names; names++)
        if (compiler_version(*names, version, sizeof version))
            used += (size_t)snprintf(detail + used, CHECK_DETAIL_SIZE - used, "%s%s %s",
                                     used ? ", " : "", *names, version);
    if (used == 0)
        snprintf(detail, CHECK_DETAIL_SIZE, "none on the search path");
    return used > 0;
}

bool find_gcc(char *detail)
{
    return find_compilers(gccs, detail);
}

bool find_clang(char *detail)
{
    return find_compilers(clangs, detail);
}

/* SPDX-License-Identifier: MIT */
/*
 * complain.c: names call sites, and writes what checked pools have to say.
 */
#include "complain.h"

#include <dlfcn.h>
#include <link.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 4096 };

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

struct site_text tide__complain_site(const void *site)
{
    struct site_text text;
    Dl_info info;
    struct link_map *map;
    uintptr_t address = (uintptr_t)site - 1;
    if (!site) {
        snprintf(text.text, sizeof(text.text), "an unknown place");
        return text;
    }
    if (!dladdr1((void *)address, &info, (void **)&map, RTLD_DL_LINKMAP) || !info.dli_fname) {
        snprintf(text.text, sizeof(text.text), "0x%zx", (size_t)address);
        return text;
    }
    const char *file = base_name(info.dli_fname);
    size_t offset = address - map->l_addr; /* as the file's symbols count, wherever it is loaded */
    if (info.dli_sname)
        snprintf(text.text, sizeof(text.text), "%s+0x%zx (%s+0x%zx)", info.dli_sname,
                 (size_t)(address - (uintptr_t)info.dli_saddr), file, offset);
    else
        snprintf(text.text, sizeof(text.text), "%s+0x%zx", file, offset);
    return text;
}

void tide__complain(const char *format, ...)
{
    char line[LINE_SIZE] = "tide: ";
    va_list arguments;
    va_start(arguments, format);
    size_t start = strlen(line);
    int length = vsnprintf(line + start, sizeof(line) - start - 1, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    size_t end = strlen(line);
    line[end++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, end);
    (void)written; /* there is nobody else to tell */
}

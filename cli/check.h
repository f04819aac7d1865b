/* SPDX-License-Identifier: MIT */
/*
 * check.h: what `tide doctor` looks for on this machine.
 */
#ifndef TIDE_CLI_CHECK_H
#define TIDE_CLI_CHECK_H

#include <stdbool.h>
#include <stddef.h>

enum { CHECK_DETAIL_SIZE = 256 };

struct check {
    const char *name;
    bool (*find)(char *detail); /* fills CHECK_DETAIL_SIZE bytes, whatever it returns */
    const char *cost;           /* of its absence */
};

extern const struct check checks[];
extern const size_t check_count;

/* The finders: the CPU and its kernel (check_cpu.c), its memory (check_memory.c), the
 * compilers (check_compiler.c). */
bool find_rseq(char *detail);
bool find_mm_cid(char *detail);
bool find_membarrier(char *detail);
bool find_huge_pages(char *detail);
bool find_psi(char *detail);
bool find_cgroup(char *detail);
bool find_gcc(char *detail);
bool find_clang(char *detail);

/* The first line of a file or of a command's output without its end; "" and false if none. */
bool read_line(const char *path, char *line, size_t size);
bool read_command(const char *command, char *line, size_t size);

#endif

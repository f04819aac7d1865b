/* SPDX-License-Identifier: MIT */
/*
 * cpu_test.c: CPU lists as the kernel writes them, and as it should not.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "cpu.h"
#include "heap.h"

struct visits {
    unsigned cpus[64];
    size_t count;
};

static void visit(unsigned cpu, void *context)
{
    struct visits *visits = context;
    if (visits->count < 64)
        visits->cpus[visits->count] = cpu;
    visits->count++;
}

/* Asserts that the list has these CPUs, in this order; `expected` ends with a negative one. */
static void check_list(const char *text, const int *expected)
{
    struct visits visits = {.count = 0};
    unsigned end = 0;
    size_t count = 0;
    unsigned result = tide__cpu_list_parse(text, visit, &visits);
    for (; expected[count] >= 0; count++) {
        check_that(count < visits.count && visits.cpus[count] == (unsigned)expected[count]);
        if (visits.cpus[count] >= end)
            end = visits.cpus[count] + 1;
    }
    check_count(visits.count, count);
    check_count(result, end);
    check_count(tide__cpu_list_parse(text, NULL, NULL), end);
}

Test(base, cpu_list_has_numbers_and_ranges)
{
    check_list("0", (int[]){0, -1});
    check_list("0\n", (int[]){0, -1});
    check_list("0-3\n", (int[]){0, 1, 2, 3, -1});
    check_list("0-1,4,6-7\n", (int[]){0, 1, 4, 6, 7, -1});
    check_list("5-5\n", (int[]){5, -1});
    check_list("8,0-1", (int[]){8, 0, 1, -1});
}

static void check_malformed(const char *text)
{
    unsigned result = tide__cpu_list_parse(text, NULL, NULL);
    check_that(result == 0, "'%.40s' gives %u", text, result);
}

Test(base, cpu_list_that_is_malformed_is_none)
{
    const char *const lists[] = {"",      "\n",   "a",     "-1",  "0-",   "0-a", "3-1", ",",
                                 "0,",    "0,,1", "0 1",   " 0",  "0x1",  "+1",  "0;1", "0-1-2",
                                 "0-3,a", "--",   "1-\n2", "0\t", "0-3x", "0 \n"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
        check_malformed(lists[i]);
}

Test(base, cpu_list_that_is_huge_is_none)
{
    char digits[5000];
    memset(digits, '9', sizeof(digits) - 1);
    digits[sizeof(digits) - 1] = '\0';
    check_malformed(digits);
    check_malformed("4294967296");
    check_malformed("18446744073709551616");
    check_malformed("0-4294967295");
    check_malformed("8192");
    check_count(tide__cpu_list_parse("8191", NULL, NULL), 8192);
    check_count(tide__cpu_list_parse("0-8191", NULL, NULL), 8192);
}

/* Text cut off or changed anywhere never goes wrong, whatever it means then. */
Test(base, cpu_list_may_be_any_text)
{
    uint64_t random = check_seed();
    static const char letters[] = "0123456789,-\n \t\xff";
    size_t rounds = check_scaled(100000);
    for (size_t i = 0; i < rounds; i++) {
        char text[24];
        size_t length = check_random(&random) % sizeof(text);
        for (size_t k = 0; k < length; k++)
            text[k] = letters[check_random(&random) % (sizeof(letters) - 1)];
        text[length] = '\0';
        check_that(tide__cpu_list_parse(text, NULL, NULL) <= 8192);
    }
}

Test(base, cpu_count_covers_the_cpus_there_are)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    check_that(tide__cpu_count() >= 1);
    check_that((long)tide__cpu_count() >= online);
    check_count(tide__cpu_node(~0u), 0);
}

Test(base, heap_gives_zeroed_aligned_memory_or_enomem)
{
    for (size_t align = 1; align <= 4096; align *= 2) {
        unsigned char *memory = tide__heap_alloc(100, align);
        check_that(memory && (uintptr_t)memory % align == 0);
        for (size_t i = 0; i < 100; i++)
            check_count(memory[i], 0);
        tide__heap_free(memory);
    }
    check_that(!tide__heap_alloc(SIZE_MAX, 64));
    check_that(!tide__heap_alloc(PTRDIFF_MAX, 4096));
    tide__heap_free(NULL);
}

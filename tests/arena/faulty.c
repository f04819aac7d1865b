/* SPDX-License-Identifier: MIT */
/*
 * faulty.c: programs that use memory of an arena when they must not. Each prints "survived" if
 * nothing stops it.
 *
 *     faulty NAME
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tide_ambient.h"
#include "tide_arena.h"

static tide_arena *arena;

/* Not known to the compiler. */
static char read_byte(const char *memory)
{
    return *(const volatile char *)memory;
}

static void after_reset(void)
{
    char *text = tide_arena_strdup(arena, "text");
    tide_arena_reset(arena);
    read_byte(text);
}

static void write_after_reset(void)
{
    char *text = tide_arena_strdup(arena, "text");
    tide_arena_reset(arena);
    *(volatile char *)text = 'x';
}

static void large_after_reset(void)
{
    char *large = tide_arena_alloc(arena, 10 << 20, 16);
    tide_arena_reset(arena);
    read_byte(large + (5 << 20));
}

static void after_rewind(void)
{
    tide_arena_mark mark = tide_arena_save(arena);
    for (int i = 0; i < 100; i++)
        tide_arena_alloc(arena, 1000, 1);
    char *text = tide_arena_strdup(arena, "text");
    tide_arena_rewind(arena, mark);
    read_byte(text);
}

static void after_destroy(void)
{
    char *text = tide_arena_strdup(arena, "text");
    tide_arena_destroy(arena);
    arena = NULL;
    read_byte(text);
}

static void past_the_end(void)
{
    char *bytes = tide_arena_alloc(arena, 13, 1);
    tide_arena_alloc(arena, 13, 1);
    read_byte(bytes + 13);
}

static void before_the_start(void)
{
    tide_arena_alloc(arena, 13, 1);
    char *bytes = tide_arena_alloc(arena, 13, 1);
    read_byte(bytes - 1);
}

/* A library that keeps what it allocated for one request and uses it in the next. */
static char *cached;

static const char *library_call(void)
{
    if (!cached)
        cached = tide_ambient_strdup("made once");
    return cached;
}

static void cached_across_requests(void)
{
    for (int request = 0; request < 2; request++) {
        tide_ambient_enter(arena);
        read_byte(library_call());
        tide_ambient_enter(NULL);
        tide_arena_reset(arena);
    }
}

static void freed_twice(void)
{
    tide_ambient_enter(arena);
    char *block = tide_ambient_strdup("text");
    tide_ambient_strdup("another");
    tide_ambient_free(block);
    tide_ambient_free(block);
    tide_ambient_enter(NULL);
}

static void uninitialised(void)
{
    char *bytes = tide_arena_alloc(arena, 16, 1);
    if (read_byte(bytes + 3) == 'x')
        puts("x");
}

/* What free could not tell from the heap's is not handed out. */
static void without_addresses(void)
{
    tide_ambient_enter(arena);
    void *block = tide_ambient_malloc(10);
    tide_ambient_enter(NULL);
    puts(block || !tide_arena_alloc(arena, 10, 1) ? "wrong" : "refused");
}

static sigjmp_buf back;

static void recover(int number)
{
    siglongjmp(back, 1);
}

/* The program's own handler, installed before the library's, is still called. */
static void handled(void)
{
    if (sigsetjmp(back, 1) == 0)
        after_reset();
    else
        puts("handled");
}

static const struct {
    const char *name;
    void (*run)(void);
} programs[] = {
    {"after_reset", after_reset},
    {"write_after_reset", write_after_reset},
    {"large_after_reset", large_after_reset},
    {"after_rewind", after_rewind},
    {"after_destroy", after_destroy},
    {"past_the_end", past_the_end},
    {"before_the_start", before_the_start},
    {"cached_across_requests", cached_across_requests},
    {"freed_twice", freed_twice},
    {"uninitialised", uninitialised},
    {"without_addresses", without_addresses},
    {"handled", handled},
};

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (!strcmp(name, "handled"))
        signal(SIGSEGV, recover);
    arena = tide_arena_create(&(tide_arena_config){.name = "request"});
    for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
        if (strcmp(name, programs[i].name))
            continue;
        programs[i].run();
        tide_arena_destroy(arena);
        puts("survived");
        return 0;
    }
    return 2;
}

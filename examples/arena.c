/* SPDX-License-Identifier: MIT */
/*
 * arena.c: requests whose memory is given back at once, with something to close among it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <tide_arena.h>

struct word {
    const char *text;
    struct word *next;
};

static void close_file(void *file)
{
    fclose(file);
}

/* Returns from the middle without a thought of what has been allocated. */
static void answer(tide_arena *arena, unsigned number)
{
    struct word *words = NULL;
    FILE *file = tmpfile();
    if (!file || tide_arena_defer(arena, close_file, file))
        return;
    for (unsigned i = 0; i < number; i++) {
        struct word *word = tide_arena_new(arena, struct word);
        if (!word)
            return;
        word->text = tide_arena_printf(arena, "word %u of %u", i + 1, number);
        word->next = words;
        words = word;
    }
    fprintf(file, "%s\n", words->text);
}

int main(void)
{
    tide_arena_stats stats;
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.name = "request"});
    if (!arena)
        return EXIT_FAILURE;
    for (unsigned number = 1; number < 1000; number++) {
        answer(arena, number);
        tide_arena_reset(arena);
    }
    tide_arena_read_stats(arena, &stats);
    printf("%llu resets, %llu chunks taken, %zu bytes held\n", (unsigned long long)stats.resets,
           (unsigned long long)stats.chunks_taken, stats.held_bytes);
    tide_arena_destroy(arena);
    return EXIT_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/*
 * json.c: jansson and cJSON with their memory from malloc, and from an arena that is reset after
 * each operation, in turn.
 *
 *     tide_bench_json LIBRARY/OPERATION FILE ROUNDS SECONDS
 *
 * Prints a line for each round with the CPU's nanoseconds of an operation on the heap and in the
 * arena, then one with the heap's allocations of an operation in each (with liballoc_count.so
 * preloaded; else 0), and last whether both have the same result, byte for byte.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tide_ambient_cjson.h>
#include <tide_ambient_jansson.h>

#include "alloc_count.h"

extern __attribute__((weak)) void tide_alloc_count_read(struct alloc_count *count);

enum { WARM_OPERATIONS = 5, COUNTED_OPERATIONS = 20 };

/* What is measured: `run` is one operation, which frees what it made if told to. */
struct operation {
    const char *name;
    void *(*prepare)(const char *text, size_t length);
    void (*run)(const void *prepared, bool frees);
    char *(*result)(const void *prepared); /* of the operation, as text */
};

struct source {
    const char *text;
    size_t length;
};

static void *keep_text(const char *text, size_t length)
{
    struct source *source = malloc(sizeof *source);
    *source = (struct source){text, length};
    return source;
}

static void *jansson_load(const char *text, size_t length)
{
    return json_loadb(text, length, 0, NULL);
}

static char *jansson_text(const void *document)
{
    return json_dumps(document, JSON_COMPACT);
}

static void jansson_dump(const void *document, bool frees)
{
    char *text = jansson_text(document);
    if (frees)
        tide_ambient_free(text);
}

static void jansson_parse(const void *prepared, bool frees)
{
    const struct source *source = prepared;
    json_t *document = jansson_load(source->text, source->length);
    if (frees)
        json_decref(document);
}

static char *jansson_parsed(const void *prepared)
{
    const struct source *source = prepared;
    return jansson_text(jansson_load(source->text, source->length));
}

static void *cjson_load(const char *text, size_t length)
{
    return cJSON_ParseWithLength(text, length);
}

static char *cjson_text(const void *tree)
{
    return cJSON_PrintUnformatted(tree);
}

static void cjson_print(const void *tree, bool frees)
{
    char *text = cjson_text(tree);
    if (frees)
        tide_ambient_free(text);
}

static void cjson_parse(const void *prepared, bool frees)
{
    const struct source *source = prepared;
    cJSON *tree = cjson_load(source->text, source->length);
    if (frees)
        cJSON_Delete(tree);
}

static char *cjson_parsed(const void *prepared)
{
    const struct source *source = prepared;
    return cjson_text(cjson_load(source->text, source->length));
}

static const struct operation operations[] = {
    {"jansson/dump", jansson_load, jansson_dump, jansson_text},
    {"jansson/parse", keep_text, jansson_parse, jansson_parsed},
    {"cJSON/print", cjson_load, cjson_print, cjson_text},
    {"cJSON/parse", keep_text, cjson_parse, cjson_parsed},
};

static tide_arena *arena;

static void run_once(const struct operation *operation, const void *prepared, bool in_arena)
{
    tide_ambient_enter(in_arena ? arena : NULL);
    operation->run(prepared, !in_arena);
    tide_ambient_enter(NULL);
    if (in_arena)
        tide_arena_reset(arena);
}

/* Of the CPU, user's and kernel's: there is one thread, and it waits for nothing. */
static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double measure_ns(const struct operation *operation, const void *prepared, bool in_arena,
                         double seconds)
{
    double start = seconds_now(), end;
    size_t count = 0;
    do {
        run_once(operation, prepared, in_arena);
        count++;
        end = seconds_now();
    } while (end - start < seconds);
    return (end - start) * 1e9 / (double)count;
}

static double count_allocations(const struct operation *operation, const void *prepared,
                                bool in_arena)
{
    struct alloc_count before = {0}, after = {0};
    for (int i = 0; i < WARM_OPERATIONS; i++)
        run_once(operation, prepared, in_arena);
    if (tide_alloc_count_read)
        tide_alloc_count_read(&before);
    for (int i = 0; i < COUNTED_OPERATIONS; i++)
        run_once(operation, prepared, in_arena);
    if (tide_alloc_count_read)
        tide_alloc_count_read(&after);
    return (double)(after.allocations - before.allocations) / COUNTED_OPERATIONS;
}

static bool is_identical(const struct operation *operation, const void *prepared)
{
    char *on_heap = operation->result(prepared);
    tide_ambient_enter(arena);
    char *in_arena = operation->result(prepared);
    tide_ambient_enter(NULL);
    bool identical = on_heap && in_arena && !strcmp(on_heap, in_arena) &&
                     tide_ambient_is_arena(in_arena) && !tide_ambient_is_arena(on_heap);
    tide_arena_reset(arena);
    return identical;
}

static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t room = 0;
    ssize_t got = file ? getdelim(&text, &room, '\0', file) : -1;
    if (file)
        fclose(file);
    *length = got > 0 ? (size_t)got : 0;
    return got > 0 ? text : NULL;
}

static const struct operation *find(const char *name)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (!strcmp(operations[i].name, name))
            return &operations[i];
    return NULL;
}

static int measure(const struct operation *operation, const char *path, int rounds, double seconds)
{
    size_t length;
    char *text = read_file(path, &length);
    void *prepared = text ? operation->prepare(text, length) : NULL;
    if (!prepared) {
        fprintf(stderr, "tide_bench_json: %s: no JSON text there\n", path);
        return 3;
    }
    for (int round = 0; round < rounds; round++) {
        double heap = measure_ns(operation, prepared, false, seconds);
        double in_arena = measure_ns(operation, prepared, true, seconds);
        printf("%.0f %.0f\n", heap, in_arena);
    }
    printf("%g %g\n", count_allocations(operation, prepared, false),
           count_allocations(operation, prepared, true));
    puts(is_identical(operation, prepared) ? "identical" : "different");
    return 0;
}

int main(int argc, char **argv)
{
    const struct operation *operation = argc == 5 ? find(argv[1]) : NULL;
    if (!operation) {
        fputs("usage: tide_bench_json LIBRARY/OPERATION FILE ROUNDS SECONDS\n", stderr);
        return 2;
    }
    tide_ambient_jansson_install();
    tide_ambient_cjson_install();
    json_object_seed(1);
    arena = tide_arena_create(&(tide_arena_config){.name = "json"});
    return arena ? measure(operation, argv[2], atoi(argv[3]), atof(argv[4])) : 3;
}

/* SPDX-License-Identifier: MIT */
/*
 * jansson.c: documents that end with the request.
 */
#include <stdio.h>
#include <tide_ambient_jansson.h>

static void answer(const char *text)
{
    json_error_t error;
    json_t *document = json_loads(text, 0, &error);
    if (document && json_object_set_new(document, "seen", json_true()) == 0)
        puts(json_dumps(document, JSON_COMPACT)); /* nothing is freed */
    else
        printf("line %d: %s\n", error.line, error.text);
}

int main(void)
{
    static const char *const requests[] = {"{\"a\":[1,2]}", "{\"a\":", "{}"};
    tide_ambient_jansson_install();
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.name = "request"});
    if (!arena)
        return 1;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        tide_arena *before = tide_ambient_enter(arena);
        answer(requests[i]);
        tide_ambient_enter(before);
        tide_arena_reset(arena);
    }
    tide_arena_destroy(arena);
    return 0;
}

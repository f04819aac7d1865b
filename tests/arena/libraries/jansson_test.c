/* SPDX-License-Identifier: MIT */
/*
 * jansson_test.c: documents of jansson in an arena.
 */
#include "tide_ambient_jansson.h"

#include <string.h>

#include "requests.h"

static const char text[] = "{\"a\": [1, 2.5, true, null], \"b\": {\"c\": \"\xc3\xa4\"}}";

static void request(void)
{
    json_error_t error;
    json_t *document = json_loads(text, 0, &error);
    check_that(document && tide_ambient_is_arena(document));
    json_object_set_new(document, "d", json_integer(4));
    char *dump = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
    check_that(tide_ambient_is_arena(dump));
    check_that(!strcmp(dump, "{\"a\":[1,2.5,true,null],\"b\":{\"c\":\"\xc3\xa4\"},\"d\":4}"));
    tide_ambient_free(dump);
    check_that(!json_loads("{\"broken\"", 0, &error));
}

Test(ambient, jansson_needs_no_decref_in_an_arena)
{
    tide_ambient_jansson_install();
    check_requests(request);
}

Test(ambient, jansson_works_on_the_heap_where_no_arena_is_entered)
{
    tide_ambient_jansson_install();
    tide_arena *arena = tide_arena_create(NULL);
    json_t *kept = json_loads(text, 0, NULL);
    check_that(!tide_ambient_is_arena(kept));
    tide_ambient_enter(arena);
    json_object_del(kept, "a"); /* frees what is of the heap */
    tide_ambient_enter(NULL);
    tide_arena_destroy(arena);
    json_decref(kept);
}

/* SPDX-License-Identifier: MIT */
/*
 * cjson_test.c: trees of cJSON in an arena.
 */
#include "tide_ambient_cjson.h"

#include <string.h>

#include "requests.h"

static void request(void)
{
    cJSON *tree = cJSON_Parse("{\"a\":[1,2.5,true,null],\"b\":{\"c\":\"d\"}}");
    check_that(tree && tide_ambient_is_arena(tree));
    cJSON_AddNumberToObject(tree, "e", 4);
    char *text = cJSON_PrintUnformatted(tree);
    check_that(tide_ambient_is_arena(text));
    check_that(!strcmp(text, "{\"a\":[1,2.5,true,null],\"b\":{\"c\":\"d\"},\"e\":4}"));
    check_that(!cJSON_Parse("{\"broken\""));
}

Test(ambient, cjson_needs_no_delete_in_an_arena)
{
    tide_ambient_cjson_install();
    check_requests(request);
}

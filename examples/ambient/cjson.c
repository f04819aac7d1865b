/* SPDX-License-Identifier: MIT */
/*
 * cjson.c: a tree that is made, printed and never deleted.
 */
#include <stdio.h>
#include <tide_ambient_cjson.h>

int main(void)
{
    tide_ambient_cjson_install();
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.name = "request"});
    tide_ambient_enter(arena);
    cJSON *tree = cJSON_Parse("{\"a\":[1,2]}");
    cJSON_AddStringToObject(tree, "b", "c");
    char *text = cJSON_PrintUnformatted(tree);
    if (text)
        puts(text);
    tide_ambient_enter(NULL);
    tide_arena_destroy(arena);
    return text ? 0 : 1;
}

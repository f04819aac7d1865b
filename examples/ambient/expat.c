/* SPDX-License-Identifier: MIT */
/*
 * expat.c: a parser that is never freed.
 */
#include <stdio.h>
#include <string.h>
#include <tide_ambient_expat.h>

static void start(void *data, const XML_Char *name, const XML_Char **attributes)
{
    puts(name);
}

int main(void)
{
    static const char text[] = "<greeting><to>world</to></greeting>";
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.name = "request"});
    tide_ambient_enter(arena);
    XML_Parser parser = tide_ambient_expat_create(NULL);
    XML_SetStartElementHandler(parser, start);
    enum XML_Status status = XML_Parse(parser, text, (int)strlen(text), 1);
    tide_ambient_enter(NULL);
    tide_arena_destroy(arena);
    return status == XML_STATUS_OK ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
/*
 * libxml2.c: a document that is read and never freed; the library is started outside of the arena.
 */
#include <stdio.h>
#include <string.h>
#include <tide_ambient_libxml2.h>

int main(void)
{
    static const char text[] = "<greeting><to>world</to></greeting>";
    if (tide_ambient_libxml2_install())
        return 1;
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.name = "request"});
    tide_ambient_enter(arena);
    xmlDocPtr document = xmlReadMemory(text, (int)strlen(text), "greeting.xml", NULL, 0);
    if (document)
        printf("hello, %s\n", (char *)xmlNodeGetContent(xmlDocGetRootElement(document)));
    xmlResetLastError();
    tide_ambient_enter(NULL);
    tide_arena_destroy(arena);
    xmlCleanupParser();
    return document ? 0 : 1;
}

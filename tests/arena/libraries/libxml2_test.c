/* SPDX-License-Identifier: MIT */
/*
 * libxml2_test.c: documents of libxml2 in an arena.
 */
#include "tide_ambient_libxml2.h"

#include <string.h>

#include "requests.h"

static const char text[] = "<a b=\"1\"><c>text</c><!-- note --></a>";

static void request(void)
{
    xmlDocPtr document = xmlReadMemory(text, (int)strlen(text), "a.xml", NULL, 0);
    check_that(document && tide_ambient_is_arena(document));
    xmlNodePtr root = xmlDocGetRootElement(document);
    check_that(!strcmp((const char *)root->name, "a"));
    xmlNewProp(root, (const xmlChar *)"d", (const xmlChar *)"2");
    xmlChar *dump;
    int length;
    xmlDocDumpMemory(document, &dump, &length);
    check_that(tide_ambient_is_arena(dump) && strstr((const char *)dump, "d=\"2\""));
    check_that(!xmlReadMemory("<a", 2, "b.xml", NULL, XML_PARSE_NOERROR));
    xmlResetLastError(); /* it is remembered for the thread */
}

Test(ambient, libxml2_needs_no_free_in_an_arena)
{
    check_count(tide_ambient_libxml2_install(), 0);
    check_requests(request);
    xmlCleanupParser();
}

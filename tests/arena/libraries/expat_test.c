/* SPDX-License-Identifier: MIT */
/*
 * expat_test.c: a parser of expat in an arena.
 */
#include "tide_ambient_expat.h"

#include <string.h>

#include "requests.h"

static int depth, elements;

static void start(void *data, const XML_Char *name, const XML_Char **attributes)
{
    depth++;
    elements++;
    check_that(tide_ambient_is_arena(data));
}

static void end(void *data, const XML_Char *name)
{
    depth--;
}

static void request(void)
{
    static const char text[] = "<a b='1'><c>text</c><d e='2'/></a>";
    XML_Parser parser = tide_ambient_expat_create(NULL);
    check_that(parser && tide_ambient_is_arena(parser));
    XML_SetUserData(parser, tide_ambient_strdup("data"));
    XML_SetElementHandler(parser, start, end);
    elements = 0;
    for (size_t i = 0; i < strlen(text); i++)
        check_that(XML_Parse(parser, text + i, 1, 0) == XML_STATUS_OK);
    check_that(XML_Parse(parser, "", 0, 1) == XML_STATUS_OK);
    check_count(depth, 0);
    check_count(elements, 3);
}

Test(ambient, expat_needs_no_free_in_an_arena)
{
    check_requests(request);
}

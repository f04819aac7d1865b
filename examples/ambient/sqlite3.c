/* SPDX-License-Identifier: MIT */
/*
 * sqlite3.c: a database in memory that lives for one request.
 */
#include <stdio.h>
#include <tide_ambient_sqlite3.h>

static int print_row(void *context, int count, char **values, char **names)
{
    printf("%s is %s\n", names[0], values[0]);
    return 0;
}

int main(void)
{
    sqlite3 *database;
    if (tide_ambient_sqlite3_install())
        return 1;
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.name = "request"});
    tide_ambient_enter(arena); /* from open to close */
    int error = sqlite3_open(":memory:", &database);
    if (!error)
        error = sqlite3_exec(database,
                             "CREATE TABLE t(a); INSERT INTO t VALUES (1), (2), (3);"
                             "SELECT sum(a) AS sum FROM t",
                             print_row, NULL, NULL);
    sqlite3_close(database);
    tide_ambient_enter(NULL);
    tide_arena_destroy(arena);
    return error;
}

/* SPDX-License-Identifier: MIT */
/*
 * sqlite3_test.c: a database that lives for one request, in its arena.
 */
#include "tide_ambient_sqlite3.h"

#include <string.h>

#include "requests.h"

static int sum_row(void *sum, int count, char **values, char **names)
{
    *(int *)sum += (int)strlen(values[0]);
    return 0;
}

static void request(void)
{
    sqlite3 *database;
    int sum = 0;
    check_count(sqlite3_open(":memory:", &database), SQLITE_OK);
    check_that(tide_ambient_is_arena(database));
    check_count(sqlite3_exec(database,
                             "CREATE TABLE t(a TEXT); CREATE INDEX i ON t(a);"
                             "INSERT INTO t VALUES ('one'), ('three');"
                             "INSERT INTO t SELECT a || a FROM t, (SELECT 1 UNION SELECT 2)",
                             NULL, NULL, NULL),
                SQLITE_OK);
    check_count(sqlite3_exec(database, "SELECT a FROM t ORDER BY a", sum_row, &sum, NULL),
                SQLITE_OK);
    check_count(sum, 8 + 2 * 16);
    check_that(sqlite3_exec(database, "SELECT nothing", NULL, NULL, NULL) != SQLITE_OK);
    check_count(sqlite3_close(database), SQLITE_OK);
}

Test(ambient, sqlite3_has_a_database_in_an_arena)
{
    check_count(tide_ambient_sqlite3_install(), SQLITE_OK);
    check_requests(request);
    sqlite3_shutdown();
}

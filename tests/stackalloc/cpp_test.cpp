// SPDX-License-Identifier: MIT
// cpp_test.cpp: the same macros in C++: exceptions, destructors, types.
#include <cstring>

#include "check.h"
#include "spills.h"
#include "tide_stackalloc.h"

namespace
{

constexpr size_t spilled_count = 1000;

struct point {
    double x, y;
};

// Without std::string: valgrind takes over malloc but not all of mimalloc's operators.
struct failure {
    char text[32];

    explicit failure(const char *what)
    {
        std::strncpy(text, what, sizeof text - 1);
        text[sizeof text - 1] = 0;
    }
};

__attribute__((noinline)) void throw_with(size_t count, bool throws)
{
    TIDE_STACKALLOC(point, points, count, 4);
    TIDE_STACKBUF(text, 9);
    for (size_t i = 0; i < count; i++)
        points[i] = {1, 2};
    tide_stackbuf_printf(&text, "%zu points", count);
    if (throws)
        throw failure(text.data);
}

bool throws_text(size_t count, const char *text)
{
    try {
        throw_with(count, true);
    } catch (const failure &thrown) {
        return std::strcmp(thrown.text, text) == 0;
    }
    return false;
}

} // namespace

Test(stackalloc, an_exception_releases)
{
    spills_start(0);
    check_that(throws_text(spilled_count, "1000 points"));
    check_count(spills, 2);
    check_count(spills_live, 0);
    check_that(throws_text(4, "4 points"));
    check_count(spills, 2); // neither: the text fits with its null
    throw_with(5, false);
    check_count(spills, 3);
    check_count(spills_live, 0);
}

namespace
{

int rethrown;

void throw_from_within(int depth)
{
    TIDE_STACKALLOC(char, bytes, depth % 2 ? spilled_count : 1, 4);
    bytes[0] = static_cast<char>(depth);
    try {
        if (depth == 0)
            throw depth;
        throw_from_within(depth - 1);
    } catch (...) {
        rethrown++;
        throw;
    }
}

} // namespace

Test(stackalloc, an_exception_that_is_thrown_again_releases_on_its_way)
{
    spills_start(0);
    rethrown = 0;
    try {
        throw_from_within(9);
    } catch (int) {
        rethrown += 100;
    }
    check_count(rethrown, 110);
    check_count(spills, 5);
    check_count(spills_live, 0);
}

namespace
{

void throw_number()
{
    throw 1;
}

} // namespace

Test(stackalloc, an_exception_through_c_releases_with_fexceptions_alone)
{
    int caught = 0;
    spills_start(0);
    try {
        spills_call(throw_number);
    } catch (int number) {
        caught = number;
    }
    check_count(caught, 1);
    spills_check_unwound();
}

// SPDX-License-Identifier: MIT
// cpp_test.cpp: the same macros in C++: exceptions, destructors, types.
#include <stdexcept>
#include <string>

#include "check.h"
#include "spills.h"
#include "tide_stackalloc.h"

namespace
{

constexpr size_t spilled_count = 1000;

struct point {
    double x, y;
};

__attribute__((noinline)) void throw_with(size_t count, bool throws)
{
    TIDE_STACKALLOC(point, points, count, 4);
    TIDE_STACKBUF(text, 9);
    for (size_t i = 0; i < count; i++)
        points[i] = {1, 2};
    tide_stackbuf_printf(&text, "%zu points", count);
    if (throws)
        throw std::runtime_error(text.data);
}

std::string thrown_by(size_t count)
{
    try {
        throw_with(count, true);
    } catch (const std::exception &error) {
        return error.what();
    }
    return "";
}

} // namespace

Test(stackalloc, an_exception_releases)
{
    spills_start(0);
    check_that(thrown_by(spilled_count) == "1000 points");
    check_count(spills, 2);
    check_count(spills_live, 0);
    check_that(thrown_by(4) == "4 points");
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

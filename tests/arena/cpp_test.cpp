// SPDX-License-Identifier: MIT
// cpp_test.cpp: the public headers in C++17.
#include "check.h"
#include "tide_ambient.h"
#include "tide_arena.h"

#include <new>
#include <string>

namespace
{
struct alignas(64) wide {
    int value;
};

void end_string(void *argument)
{
    static_cast<std::string *>(argument)->~basic_string();
}
} // namespace

Test(arena, cpp_objects_are_typed_and_aligned)
{
    tide_arena *arena = tide_arena_create(nullptr);
    tide_arena_alloc(arena, 1, 1);
    wide *object = tide_arena_new(arena, wide);
    check_that(reinterpret_cast<uintptr_t>(object) % 64 == 0 && object->value == 0);
    tide_arena_destroy(arena);
}

Test(arena, cpp_destructors_are_cleanups)
{
    tide_arena *arena = tide_arena_create(nullptr);
    void *place = tide_arena_alloc(arena, sizeof(std::string), alignof(std::string));
    auto *text = new (place) std::string(1000, 'x'); // the leak checkers see whether it ends
    check_count(tide_arena_defer(arena, end_string, text), 0);
    tide_arena_destroy(arena);
}

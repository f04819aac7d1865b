/* SPDX-License-Identifier: MIT */
/*
 * cpp_test.cpp: the public headers in C++17.
 */
#include <string>
#include <type_traits>

#include "check.h"
#include "tide_epoch.h"
#include "tide_pool.h"

namespace
{
int alive;

void *create_string(void *context)
{
    alive++;
    return new std::string(static_cast<const char *>(context));
}

void clear_string(void *object, void *context)
{
    static_cast<std::string *>(object)->clear();
}

void destroy_string(void *object, void *context)
{
    alive--;
    delete static_cast<std::string *>(object);
}

TIDE_POOL_TYPE(strings, std::string);

tide_pool *create_pool()
{
    static char text[] = "tide";
    tide_pool_config config = {};
    config.create = create_string;
    config.reset = clear_string;
    config.destroy = destroy_string;
    config.context = text;
    return tide_pool_create(&config);
}
} // namespace

Test(pool, cpp_typed_wrappers_hold_objects)
{
    static_assert(std::is_same<decltype(strings_get(nullptr)), std::string *>::value, "typed");
    static_assert(std::is_same<strings_pooled, std::string>::value, "named");
    tide_pool *pool = create_pool();
    check_pin(check_cpu(0));
    std::string *string = strings_get(pool);
    check_that(*string == "tide");
    strings_put(pool, string);
    std::string *same = strings_get(pool);
    check_that(same == string && same->empty());
    strings_put(pool, same);
    tide_pool_destroy(pool);
    check_count(alive, 0);
}

Test(pool, cpp_epochs_destroy_objects)
{
    tide_pool *pool = create_pool();
    check_count(tide_pool_prewarm(pool, 10), 10);
    check_count(alive, 10);
    tide_epoch_advance();
    tide_epoch_advance();
    check_count(alive, 0);
    tide_pool_destroy(pool);
}

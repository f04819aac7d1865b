/* SPDX-License-Identifier: MIT */
/*
 * plain.h: the part of Criterion that check.h's users write in, for the runner in plain.c.
 */
#ifndef TIDE_TESTS_PLAIN_H
#define TIDE_TESTS_PLAIN_H

struct plain_test {
    const char *suite, *name;
    void (*run)(void);
    struct plain_test *next;
};

#ifdef __cplusplus
extern "C" {
#endif

void plain_add(struct plain_test *test);

/* Prints where and what, and ends the process: no test goes on after a failed assertion. */
__attribute__((noreturn, format(printf, 4, 5))) void
plain_fail(const char *file, int line, const char *condition, const char *format, ...);

#ifdef __cplusplus
}
#endif

#define Test(suite, name)                                                                          \
    static void suite##_##name##_test(void);                                                       \
    __attribute__((constructor)) static void suite##_##name##_add(void)                            \
    {                                                                                              \
        static struct plain_test test = {#suite, #name, suite##_##name##_test, 0};                 \
        plain_add(&test);                                                                          \
    }                                                                                              \
    static void suite##_##name##_test(void)

#define cr_assert(condition, ...)                                                                  \
    ((condition) ? (void)0 : plain_fail(__FILE__, __LINE__, #condition, " " __VA_ARGS__))

#endif

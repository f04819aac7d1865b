/* SPDX-License-Identifier: MIT */
/*
 * tide_stackalloc.h: buffers that are on the stack when they fit and elsewhere when they do not,
 * with nothing to free.
 *
 *     TIDE_STACKALLOC(char, line, length + 1, 256);
 *     if (!line)
 *         return -ENOMEM;
 *     memcpy(line, text, length + 1);
 *
 *     TIDE_STACKBUF(path, 128);
 *     tide_stackbuf_printf(&path, "%s/%s", folder, name);
 *     if (path.failed)
 *         return -ENOMEM;
 *     open(path.data, O_RDONLY);
 *
 * The part on the stack is an array of constant size, as large as a local variable of that size
 * and as cheap; it is never alloca. What does not fit is spilled: to the arena that the thread
 * has entered, else to the heap. It is released where the scope of the declaration ends, however
 * it ends: by its brace, return, break, continue or goto, and in C++ by an exception. An arena
 * that was entered at the declaration must last as long as the scope.
 *
 * It is not released when the scope is left by longjmp, nor, in C, by pthread_exit, by a
 * cancelled thread or by an exception of C++ that passes through it, unless the C code is
 * compiled with -fexceptions. The part on the stack is gone then as all of the stack is; a spill
 * to the heap leaks; a spill to an arena stays until the arena is reset.
 *
 * In C a goto or a case must not jump into the scope past the declaration; C++ refuses that.
 *
 * Who may call what at the same time: a buffer belongs to the thread whose stack it is on; threads
 * to which it lends the buffer must be done with it before the scope ends. What does not spill
 * is safe in a signal handler. tide_stack_remaining: see there.
 *
 * glibc's scratch_buffer and git's strbuf are the models.
 */
#ifndef TIDE_STACKALLOC_H
#define TIDE_STACKALLOC_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
#include <cstddef>
#include <type_traits>
extern "C" {
#endif

/* Bytes that one declaration may have on the stack. */
#define TIDE_STACKALLOC_MAX 32768

/* TIDE_STACKALLOC(T, name, count, on_stack_count) declares `T *name`, which points to `count`
 * uninitialised objects of type T: on the stack if they are no more than `on_stack_count`, a
 * constant, else spilled. NULL with errno ENOMEM when that fails or when the size of `count`
 * objects cannot be; a negative count is such a one. With `count` 0 it points to no object, and is
 * not NULL. `count` is evaluated once. It is a declaration: it stands where one may stand, and at
 * the end of the scope its storage goes. T has no more than the usual alignment, and in C++ is
 * trivial. */
#define TIDE_STACKALLOC(T, name, count, on_stack_count)                                            \
    TIDE__STACK_ASSERT((on_stack_count) > 0 &&                                                     \
                           (on_stack_count) * sizeof(T) <= TIDE_STACKALLOC_MAX,                    \
                       "on_stack_count is a constant and no more than TIDE_STACKALLOC_MAX bytes"); \
    TIDE__STACK_ASSERT_TYPE(T);                                                                    \
    const size_t name##_count = TIDE__STACK_CAST(size_t, count);                                   \
    T name##_on_stack[on_stack_count];                                                             \
    TIDE__STACK_SPILL(name##_spill);                                                               \
    T *const name =                                                                                \
        name##_count <= (on_stack_count)                                                           \
            ? name##_on_stack                                                                      \
            : TIDE__STACK_CAST(T *, tide_stackalloc_spill(&name##_spill, name##_count, sizeof(T)))

/* A string of bytes that grows, on the stack while it fits. There is always a null behind it, so
 * that `data` is a C string. Fields are for reading. */
typedef struct tide_stackbuf {
    char *data;  /* moves when something is added */
    size_t size; /* bytes, without the null */
    size_t room; /* bytes that `data` has room for, with the null */
    bool failed; /* something could not be added, and nothing was since: what is there is the
                  * beginning of what should be. Only tide_stackbuf_clear makes it false */
    void *spill; /* where data is, or NULL: on the stack */
} tide_stackbuf;

/* Declares an empty `tide_stackbuf name` with `on_stack_bytes`, a constant, on the stack, of which
 * the null takes one. */
#define TIDE_STACKBUF(name, on_stack_bytes)                                                        \
    TIDE__STACK_ASSERT((on_stack_bytes) > 0 && (on_stack_bytes) <= TIDE_STACKALLOC_MAX,            \
                       "on_stack_bytes is a constant and no more than TIDE_STACKALLOC_MAX");       \
    char name##_on_stack[on_stack_bytes];                                                          \
    TIDE__STACK_BUF name = TIDE__STACK_BUF_INIT(name##_on_stack, sizeof(name##_on_stack))

/* Each adds to the end and returns true; or adds nothing, sets `failed` and returns false: with
 * errno ENOMEM, or what vsnprintf fails with. While `failed` is set they do nothing but return
 * false, so it is enough to look at it at the end. */

/* `data` may be a part of the buffer itself. */
bool tide_stackbuf_append(tide_stackbuf *buffer, const void *data, size_t size);
bool tide_stackbuf_puts(tide_stackbuf *buffer, const char *text);
/* Arguments must not point into the buffer. */
__attribute__((format(printf, 2, 3))) bool tide_stackbuf_printf(tide_stackbuf *buffer,
                                                                const char *format, ...);
__attribute__((format(printf, 2, 0))) bool
tide_stackbuf_vprintf(tide_stackbuf *buffer, const char *format, va_list values);

/* Returns room for at least `size` bytes behind the end, for recv and the like; NULL as above. */
void *tide_stackbuf_reserve(tide_stackbuf *buffer, size_t size);

/* Adds the first `size` bytes of the room, at most what was reserved. */
void tide_stackbuf_commit(tide_stackbuf *buffer, size_t size);

/* Cuts it to `size` bytes, if it is longer. */
void tide_stackbuf_truncate(tide_stackbuf *buffer, size_t size);

/* Makes it empty and not failed. A spill is kept for what comes next. */
void tide_stackbuf_clear(tide_stackbuf *buffer);

/* The bytes of stack that are left below the caller's frame, without the guard: on the thread's
 * stack or, in a handler, on the alternate signal stack, if that is no part of the thread's. 0
 * where the stack is neither, as in a coroutine: then ask whoever made it.
 *
 * The bounds are read once a thread, which takes microseconds and is not safe in a signal handler
 * on the thread's own stack; later calls take a few nanoseconds and are. The main thread's are
 * those of the limit (RLIMIT_STACK) at that time; a limit that is lowered later is not seen.
 *
 *     if (tide_stack_remaining() < 16384)
 *         return parse_iteratively(text);
 */
size_t tide_stack_remaining(void);

/* ---- Private below: what the macros are made of ---- */

typedef struct tide_stackalloc_spilled {
    void *memory;
} tide_stackalloc_spilled;

/* Stores where `count` objects of `size` bytes are, and returns it. */
void *tide_stackalloc_spill(tide_stackalloc_spilled *spilled, size_t count, size_t size);
void tide_stackalloc_release(void *memory);

static inline void tide_stackalloc_end(tide_stackalloc_spilled *spilled)
{
    if (__builtin_expect(!!spilled->memory, 0))
        tide_stackalloc_release(spilled->memory);
}

static inline void tide_stackbuf_end(tide_stackbuf *buffer)
{
    if (__builtin_expect(!!buffer->spill, 0))
        tide_stackalloc_release(buffer->spill);
}

#ifdef __cplusplus
}

#define TIDE__STACK_CAST(type, value) static_cast<type>(value)
#define TIDE__STACK_ASSERT(condition, message) static_assert(condition, message)
#define TIDE__STACK_ASSERT_TYPE(T)                                                                 \
    static_assert(std::is_trivial<T>::value && alignof(T) <= alignof(std::max_align_t),            \
                  "T is trivial, of the usual alignment")
#define TIDE__STACK_SPILL(name) tide_stackalloc_owner name
#define TIDE__STACK_BUF tide_stackbuf_owner
#define TIDE__STACK_BUF_INIT(array, size) tide_stackbuf_owner(array, size)

struct tide_stackalloc_owner : tide_stackalloc_spilled {
    tide_stackalloc_owner() : tide_stackalloc_spilled()
    {
    }
    ~tide_stackalloc_owner()
    {
        tide_stackalloc_end(this);
    }
    tide_stackalloc_owner(const tide_stackalloc_owner &) = delete;
    tide_stackalloc_owner &operator=(const tide_stackalloc_owner &) = delete;
};

struct tide_stackbuf_owner : tide_stackbuf {
    tide_stackbuf_owner(char *array, size_t array_size) : tide_stackbuf()
    {
        data = array;
        room = array_size;
        data[0] = 0;
    }
    ~tide_stackbuf_owner()
    {
        tide_stackbuf_end(this);
    }
    tide_stackbuf_owner(const tide_stackbuf_owner &) = delete;
    tide_stackbuf_owner &operator=(const tide_stackbuf_owner &) = delete;
};
#else
#define TIDE__STACK_CAST(type, value) ((type)(value))
#define TIDE__STACK_ASSERT(condition, message) _Static_assert(condition, message)
#define TIDE__STACK_ASSERT_TYPE(T)                                                                 \
    _Static_assert(_Alignof(T) <= _Alignof(max_align_t), "T is of the usual alignment")
#define TIDE__STACK_SPILL(name)                                                                    \
    __attribute__((cleanup(tide_stackalloc_end))) tide_stackalloc_spilled name = {NULL}
#define TIDE__STACK_BUF __attribute__((cleanup(tide_stackbuf_end))) tide_stackbuf
#define TIDE__STACK_BUF_INIT(array, size) tide_stackbuf_of(array, size)

static inline tide_stackbuf tide_stackbuf_of(char *array, size_t array_size)
{
    tide_stackbuf buffer = {array, 0, array_size, false, NULL};
    array[0] = 0;
    return buffer;
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * poison.c: saves the contents of cached objects and fills them with poison.
 */
#include "poison.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "annotate.h"

enum { POISON = 0xd5 };

/* Hidden while the object is on loan. A leak checker finds the pointers in `contents`, which are
 * aligned as they are in the object. */
struct cover {
    alignas(max_align_t) size_t weight;
    bool is_on;
    alignas(max_align_t) unsigned char contents[];
};

static size_t cover_offset(size_t object_size)
{
    return (object_size + alignof(struct cover) - 1) & ~(alignof(struct cover) - 1);
}

static struct cover *cover_of(const void *object, size_t object_size)
{
    return (struct cover *)((uintptr_t)object + cover_offset(object_size));
}

static size_t cover_size(size_t object_size)
{
    return offsetof(struct cover, contents) + object_size;
}

size_t tide__poison_room(size_t object_size)
{
    if (object_size > PTRDIFF_MAX / 2 - sizeof(struct cover))
        return 0;
    return cover_offset(object_size) + cover_size(object_size);
}

/* The bytes between the object and its cover stay hidden for good. */
void tide__poison_begin(void *object, size_t object_size)
{
    hide_memory((char *)object + object_size, tide__poison_room(object_size) - object_size);
}

void tide__poison_cover(void *object, size_t object_size, size_t weight)
{
    struct cover *cover = cover_of(object, object_size);
    show_memory(cover, cover_size(object_size));
    cover->weight = weight;
    cover->is_on = true;
    memcpy(cover->contents, object, object_size);
    memset(object, POISON, object_size);
    hide_memory(object, object_size);
}

static struct poison_damage find_damage(const unsigned char *bytes, size_t size)
{
    struct poison_damage damage = {0};
    if (bytes[0] == POISON && memcmp(bytes, bytes + 1, size - 1) == 0)
        return damage;
    for (size_t i = size; i-- > 0;) {
        if (bytes[i] == POISON)
            continue;
        damage.offset = i;
        damage.count++;
    }
    return damage;
}

struct poison_damage tide__poison_lift(void *object, size_t object_size)
{
    struct cover *cover = cover_of(object, object_size);
    show_memory(cover, sizeof(*cover));
    struct poison_damage damage = {0};
    if (cover->is_on) {
        show_memory(object, object_size);
        damage = find_damage(object, object_size);
        memcpy(object, cover->contents, object_size);
        cover->is_on = false;
    }
    hide_memory(cover, cover_size(object_size));
    return damage;
}

size_t tide__poison_weight(const void *object, size_t object_size)
{
    return cover_of(object, object_size)->weight;
}

/* SPDX-License-Identifier: MIT */
/*
 * model.c: the naive model of chains, and its steps.
 */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

static void expect_at(struct model *model, bool holds, int line)
{
    if (holds)
        return;
    fprintf(stderr, "model.c:%d: chains differ from strings at step %zu\n", line, model->steps);
    abort();
}

#define EXPECT(condition) expect_at(model, condition, __LINE__)

/* ---- Strings ---- */

static void insert(struct model_string *string, size_t at, const void *bytes, size_t size)
{
    memmove(string->bytes + at + size, string->bytes + at, string->size - at);
    memcpy(string->bytes + at, bytes, size);
    string->size += size;
}

static void erase(struct model_string *string, size_t size)
{
    memmove(string->bytes, string->bytes + size, string->size - size);
    string->size -= size;
}

static size_t left_in(const struct model_string *string)
{
    return MODEL_BYTES - string->size;
}

static size_t at_most(size_t number, size_t most)
{
    return number <= most ? number : most ? number % (most + 1) : 0;
}

/* New bytes, at most as many as there is place for. */
static const unsigned char *new_bytes(struct model *model, size_t size)
{
    static unsigned char bytes[MODEL_BYTES];
    for (size_t i = 0; i < size; i++)
        bytes[i] = model->next++;
    return bytes;
}

/* ---- Steps: a chain, another one, a slice, and two numbers ---- */

struct step {
    tide_chain *chain, *other;
    struct model_string *string, *other_string;
    tide_slice *slice;
    struct model_string *slice_string;
    size_t number, offset;
};

static void step_append(struct model *model, struct step *step)
{
    size_t size = at_most(step->number, left_in(step->string));
    const unsigned char *bytes = new_bytes(model, size);
    EXPECT(tide_chain_append(step->chain, bytes, size));
    insert(step->string, step->string->size, bytes, size);
}

static void step_append_few(struct model *model, struct step *step)
{
    step->number %= 16;
    step_append(model, step);
}

static void step_prepend(struct model *model, struct step *step)
{
    size_t size = at_most(step->number % 200, left_in(step->string));
    const unsigned char *bytes = new_bytes(model, size);
    EXPECT(tide_chain_prepend(step->chain, bytes, size));
    insert(step->string, 0, bytes, size);
}

static void step_print(struct model *model, struct step *step)
{
    char text[64];
    int size = snprintf(text, sizeof(text), "%0*zu", (int)(step->offset % 40), step->number);
    if ((size_t)size > left_in(step->string))
        return;
    EXPECT(tide_chain_printf(step->chain, "%0*zu", (int)(step->offset % 40), step->number));
    insert(step->string, step->string->size, text, (size_t)size);
}

static void step_reserve(struct model *model, struct step *step)
{
    size_t room = 0, size = at_most(step->number, left_in(step->string));
    char *end = tide_chain_reserve(step->chain, size, &room);
    EXPECT(end && room >= size && room > 0);
    memset(end, 0xee, room);
    size_t used = step->offset % 4 ? at_most(step->offset, size) : 0;
    memcpy(end, new_bytes(model, used), used);
    insert(step->string, step->string->size, end, used);
    tide_chain_commit(step->chain, used);
}

static void step_drop(struct model *model, struct step *step)
{
    size_t size = step->number < step->string->size ? step->number : step->string->size;
    EXPECT(tide_chain_drop(step->chain, step->number) == size);
    erase(step->string, size);
}

static void step_split(struct model *model, struct step *step)
{
    size_t size = step->number < step->string->size ? step->number : step->string->size;
    if (step->chain == step->other || size > left_in(step->other_string))
        return;
    EXPECT(tide_chain_split(step->chain, step->number, step->other));
    insert(step->other_string, step->other_string->size, step->string->bytes, size);
    erase(step->string, size);
}

static void step_move(struct model *model, struct step *step)
{
    if (step->chain == step->other || step->other_string->size > left_in(step->string))
        return;
    EXPECT(tide_chain_append_chain(step->chain, step->other));
    insert(step->string, step->string->size, step->other_string->bytes, step->other_string->size);
    step->other_string->size = 0;
}

static void step_share(struct model *model, struct step *step)
{
    size_t offset = at_most(step->offset, step->other_string->size);
    size_t size = at_most(step->number, step->other_string->size - offset);
    if (step->chain == step->other || size > left_in(step->string))
        return;
    EXPECT(tide_chain_share(step->chain, step->other, offset, size));
    insert(step->string, step->string->size, step->other_string->bytes + offset, size);
}

static void step_coalesce(struct model *model, struct step *step)
{
    size_t offset = at_most(step->offset, step->string->size);
    size_t size = at_most(step->number, step->string->size - offset);
    const void *bytes = tide_chain_coalesce(step->chain, offset, size);
    EXPECT(size == 0 || memcmp(bytes, step->string->bytes + offset, size) == 0);
}

static void step_write(struct model *model, struct step *step)
{
    size_t offset = at_most(step->offset, step->string->size);
    size_t size = at_most(step->number % 300, step->string->size - offset);
    unsigned char *bytes = tide_chain_writable(step->chain, offset, size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = step->string->bytes[offset + i] = model->next++;
}

static void step_copy_out(struct model *model, struct step *step)
{
    unsigned char bytes[MODEL_BYTES];
    size_t offset = at_most(step->offset, step->string->size);
    size_t size = tide_chain_copy_out(step->chain, offset, bytes, step->number % 500);
    size_t left = step->string->size - offset;
    EXPECT(size == (step->number % 500 < left ? step->number % 500 : left));
    EXPECT(memcmp(bytes, step->string->bytes + offset, size) == 0);
}

static void step_clear(struct model *model, struct step *step)
{
    tide_chain_clear(step->chain);
    step->chain->headroom = step->number % 3 ? 0 : step->number % 100;
    step->string->size = 0;
}

/* ---- Steps of slices ---- */

static void forget(struct step *step)
{
    tide_slice_fini(step->slice);
    step->slice_string->size = 0;
}

static void step_slice(struct model *model, struct step *step)
{
    forget(step);
    size_t size = at_most(step->number, MODEL_BYTES);
    EXPECT(tide_slice_init(step->slice, size));
    if (size)
        memcpy(tide_slice_writable(step->slice), new_bytes(model, size), size);
    insert(step->slice_string, 0, step->slice->data ? step->slice->data : "", size);
}

static void step_foreign(struct model *model, struct step *step)
{
    static unsigned char constant[MODEL_BYTES];
    size_t size = at_most(step->number, MODEL_BYTES);
    forget(step);
    for (size_t i = 0; i < MODEL_BYTES && !constant[1]; i++)
        constant[i] = (unsigned char)(i * 7 + i / 256);
    const unsigned char *bytes = constant + at_most(step->offset, MODEL_BYTES - size);
    EXPECT(tide_slice_init_foreign(step->slice, bytes, size, NULL, NULL));
    insert(step->slice_string, 0, bytes, size);
}

static void step_slice_share(struct model *model, struct step *step)
{
    size_t from = (size_t)(step->slice - model->slices + 1) % MODEL_SLICES;
    const struct model_string *string = &model->slice_strings[from];
    size_t offset = at_most(step->offset, string->size);
    size_t size = at_most(step->number, string->size - offset);
    forget(step);
    EXPECT(tide_slice_share(step->slice, &model->slices[from], offset, size));
    insert(step->slice_string, 0, string->bytes + offset, size);
}

static void step_slice_write(struct model *model, struct step *step)
{
    unsigned char *bytes = tide_slice_writable(step->slice);
    EXPECT(!bytes == !step->slice_string->size);
    for (size_t i = step->number % 64; i < step->slice_string->size; i += 64)
        bytes[i] = step->slice_string->bytes[i] = model->next++;
}

static void step_append_slice(struct model *model, struct step *step)
{
    size_t size = step->slice_string->size;
    if (size > left_in(step->string))
        return;
    EXPECT(tide_chain_append_slice(step->chain, step->slice) && !step->slice->block);
    insert(step->string, step->string->size, step->slice_string->bytes, size);
    step->slice_string->size = 0;
}

static void (*const steps[])(struct model *, struct step *) = {
    step_append,      step_append_few,  step_append_few,   step_prepend, step_print,
    step_reserve,     step_drop,        step_drop,         step_split,   step_split,
    step_move,        step_share,       step_share,        step_write,   step_coalesce,
    step_copy_out,    step_append_few,  step_append_slice, step_slice,   step_foreign,
    step_slice_share, step_slice_write, step_append_slice, step_clear,
};

enum { STEP_COUNT = sizeof(steps) / sizeof(*steps) };

/* ---- The whole ---- */

void model_start(struct model *model)
{
    memset(model, 0, sizeof(*model));
}

static void check_elements(struct model *model, size_t index)
{
    const tide_chain *chain = &model->chains[index];
    const struct model_string *string = &model->chain_strings[index];
    struct iovec elements[8];
    size_t offset = 0, count;
    EXPECT(chain->size == string->size);
    while ((count = tide_chain_iovec(chain, offset, elements, 8)) > 0)
        for (size_t i = 0; i < count; offset += elements[i++].iov_len) {
            EXPECT(elements[i].iov_len && elements[i].iov_len <= string->size - offset);
            EXPECT(!memcmp(elements[i].iov_base, string->bytes + offset, elements[i].iov_len));
        }
    EXPECT(offset == string->size);
}

void model_check(struct model *model)
{
    for (size_t i = 0; i < MODEL_CHAINS; i++)
        check_elements(model, i);
    for (size_t i = 0; i < MODEL_SLICES; i++) {
        const struct model_string *string = &model->slice_strings[i];
        EXPECT(model->slices[i].size == string->size);
        EXPECT(!string->size || !memcmp(model->slices[i].data, string->bytes, string->size));
    }
}

void model_step(struct model *model, uint8_t what, uint16_t number, uint16_t other)
{
    size_t chain = other % MODEL_CHAINS, second = other / MODEL_CHAINS % MODEL_CHAINS;
    size_t slice = number % MODEL_SLICES;
    struct step step = {&model->chains[chain],        &model->chains[second],
                        &model->chain_strings[chain], &model->chain_strings[second],
                        &model->slices[slice],        &model->slice_strings[slice],
                        number / MODEL_SLICES % 2048, other / 16 % 2048};
    model->steps++;
    steps[what % STEP_COUNT](model, &step);
    EXPECT(step.chain->size == step.string->size);
}

void model_end(struct model *model)
{
    tide_buffer_stats stats;
    model_check(model);
    for (size_t i = 0; i < MODEL_CHAINS; i++)
        tide_chain_clear(&model->chains[i]);
    for (size_t i = 0; i < MODEL_SLICES; i++)
        tide_slice_fini(&model->slices[i]);
    tide_buffer_read_stats(&stats);
    EXPECT(stats.blocks_live == 0);
}

/* SPDX-License-Identifier: MIT */
/*
 * threads_test.c: blocks that several threads refer to; what ThreadSanitizer is to look at.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "text.h"
#include "tide_ambient.h"

enum { THREADS = 4, SIZE = 50000, ROUNDS = 2000 };

static _Atomic unsigned wrong;

static void expect(bool holds)
{
    if (!holds)
        atomic_fetch_add(&wrong, 1);
}

/* Takes a random piece, reads it, changes its own copy of it, writes behind it. */
static void use_piece(const tide_chain *chain, uint64_t *random)
{
    tide_chain piece = {0};
    size_t offset = check_random(random) % SIZE, size = check_random(random) % (SIZE - offset);
    char data[64];
    expect(tide_chain_share(&piece, chain, offset, size));
    expect(tide_chain_append(&piece, "own", 3));
    size_t count = tide_chain_copy_out(&piece, size / 2, data, sizeof(data));
    for (size_t i = 0; i < count && size / 2 + i < size; i++)
        expect(data[i] == pattern(offset + size / 2 + i));
    char *own = tide_chain_writable(&piece, 0, size < 100 ? size + 3 : 100);
    expect(own);
    memset(own, '!', size < 100 ? size + 3 : 100);
    tide_chain_clear(&piece);
}

struct shared {
    uint64_t seed;
    tide_chain chain;
};

static void use_pieces(unsigned index, void *context)
{
    const struct shared *shared = context;
    uint64_t random = shared->seed + index;
    size_t rounds = check_scaled(ROUNDS);
    for (size_t i = 0; i < rounds; i++)
        use_piece(&shared->chain, &random);
}

static void share_among_threads(uint64_t seed)
{
    struct shared shared = {seed, {0}};
    append_pattern(&shared.chain, 0, SIZE);
    check_threads(THREADS, use_pieces, &shared);
    check_that(is_pattern(&shared.chain, 0));
    tide_chain_clear(&shared.chain);
}

Test(buffer, four_threads_share_a_chain)
{
    wrong = 0;
    share_among_threads(check_seed());
    check_count(wrong, 0);
    check_count(live_blocks(), 0);
}

static tide_chain parts[THREADS];
static _Atomic unsigned endings;

static void count_ending(const void *data, size_t size, void *context)
{
    atomic_fetch_add(&endings, 1);
}

static void clear_part(unsigned index, void *context)
{
    expect(is_pattern(&parts[index], 0));
    tide_chain_clear(&parts[index]);
}

Test(buffer, the_last_of_four_threads_releases)
{
    static char data[3000];
    wrong = endings = 0;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = pattern(i);
    size_t rounds = check_scaled(300);
    for (size_t round = 0; round < rounds; round++) {
        tide_slice slice;
        check_that(tide_slice_init_foreign(&slice, data, sizeof(data), count_ending, NULL));
        check_that(tide_chain_append_slice(&parts[0], &slice));
        for (unsigned i = 1; i < THREADS; i++)
            check_that(tide_chain_share(&parts[i], &parts[0], 0, sizeof(data)));
        check_threads(THREADS, clear_part, NULL);
    }
    check_count(wrong, 0);
    check_count(endings, rounds);
    check_count(live_blocks(), 0);
}

static void end_arena(const void *data, size_t size, void *arena)
{
    atomic_fetch_add(&endings, 1);
    tide_arena_destroy(arena);
}

/* A text of an arena that is entered: copied to one chain, and referred to by another one, which
 * ends the arena. */
static void fill_from_arena(tide_chain *copied, tide_chain *referred)
{
    tide_arena *arena = tide_arena_create(NULL), *before = tide_ambient_enter(arena);
    tide_slice slice;
    char *text = tide_arena_alloc(arena, 3000, 1);
    for (size_t i = 0; i < 3000; i++)
        text[i] = pattern(i);
    check_that(tide_chain_append(copied, text, 3000));
    check_that(tide_slice_init_foreign(&slice, text, 3000, end_arena, arena));
    check_that(tide_chain_append_slice(referred, &slice));
    tide_ambient_enter(before);
}

/* Blocks are never an arena's, entered or not; a slice that refers to one keeps it. */
Test(buffer, slices_outlive_what_has_made_an_arena)
{
    wrong = endings = 0;
    size_t rounds = check_scaled(300);
    for (size_t round = 0; round < rounds; round++) {
        fill_from_arena(&parts[0], &parts[1]);
        check_that(tide_chain_share(&parts[2], &parts[0], 0, 3000));
        check_that(tide_chain_share(&parts[3], &parts[1], 0, 3000));
        check_count(endings, round);
        check_threads(THREADS, clear_part, NULL);
    }
    check_count(wrong, 0);
    check_count(endings, rounds);
    check_count(live_blocks(), 0);
}

/* A reader of a block has looked before its last owner writes to it. */
static void write_when_unique(unsigned index, void *context)
{
    tide_slice *slice = (tide_slice *)context + index;
    char *data = tide_slice_writable(slice);
    expect(data && data[100] == 'a');
    data[100] = 'b';
    tide_slice_fini(slice);
}

Test(buffer, who_is_left_alone_with_a_block_writes_to_it)
{
    wrong = 0;
    size_t rounds = check_scaled(1000);
    for (size_t round = 0; round < rounds; round++) {
        tide_slice slices[THREADS];
        check_that(tide_slice_init(&slices[0], 900));
        memset(tide_slice_writable(&slices[0]), 'a', 900);
        for (unsigned i = 1; i < THREADS; i++)
            check_that(tide_slice_share(&slices[i], &slices[0], 0, 900));
        check_threads(THREADS, write_when_unique, slices);
    }
    check_count(wrong, 0);
    check_count(live_blocks(), 0);
}

Test(buffer, counts_of_threads_that_ended_stay)
{
    tide_buffer_stats before, after;
    tide_buffer_read_stats(&before);
    for (int round = 0; round < 3; round++)
        share_among_threads(5);
    tide_buffer_read_stats(&after);
    check_that(after.copied_bytes > before.copied_bytes + SIZE);
    check_count(after.blocks_live, 0);
}

/* What one thread fills and cuts, and another one reads: the cut leaves both in one block. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    tide_chain waiting;
    bool has_ended;
} stream = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {0}, false};

static void hand_over(tide_chain *piece, bool has_ended)
{
    pthread_mutex_lock(&stream.mutex);
    expect(tide_chain_append_chain(&stream.waiting, piece));
    stream.has_ended = has_ended;
    pthread_cond_signal(&stream.changed);
    pthread_mutex_unlock(&stream.mutex);
}

static void produce(uint64_t random)
{
    tide_chain chain = {0}, piece = {0};
    size_t rounds = check_scaled(20000), from = 0;
    for (size_t i = 0; i < rounds; i++) {
        size_t size = 1 + check_random(&random) % 50;
        char data[50];
        for (size_t k = 0; k < size; k++)
            data[k] = pattern(from + k);
        from += size;
        expect(tide_chain_append(&chain, data, size));
        expect(tide_chain_split(&chain, check_random(&random) % chain.size, &piece));
        hand_over(&piece, false);
    }
    hand_over(&chain, true);
    tide_chain_clear(&chain);
    tide_chain_clear(&piece);
}

static void consume(void)
{
    tide_chain piece = {0};
    size_t from = 0;
    for (bool has_ended = false; !has_ended; tide_chain_clear(&piece)) {
        pthread_mutex_lock(&stream.mutex);
        while (!stream.waiting.size && !stream.has_ended)
            pthread_cond_wait(&stream.changed, &stream.mutex);
        expect(tide_chain_append_chain(&piece, &stream.waiting));
        has_ended = stream.has_ended;
        pthread_mutex_unlock(&stream.mutex);
        expect(is_pattern(&piece, from));
        from += piece.size;
        expect(tide_chain_append(&piece, "consumed", 8)); /* behind its own part */
        expect(tide_chain_prepend(&piece, "consumed", 8));
    }
}

static void produce_or_consume(unsigned index, void *context)
{
    if (index == 0)
        produce(*(uint64_t *)context);
    else
        consume();
}

Test(buffer, one_thread_fills_a_block_whose_front_another_one_reads)
{
    uint64_t seed = check_seed();
    wrong = 0;
    check_threads(2, produce_or_consume, &seed);
    check_count(wrong, 0);
    tide_chain_clear(&stream.waiting);
    check_count(live_blocks(), 0);
}

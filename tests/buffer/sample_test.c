/* SPDX-License-Identifier: MIT */
/*
 * sample_test.c: blocks that are remembered, and what is reported of those that leak.
 */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "text.h"

static bool count_block(const tide_buffer_sampled *block, void *context)
{
    *(size_t *)context += block->site && block->size && block->references;
    return true;
}

static size_t count_sampled(void)
{
    size_t count = 0;
    tide_buffer_walk(count_block, &count);
    return count;
}

/* What the other end of a pipe is told by write_leaks. */
static char *leaks(char *text, size_t size)
{
    int ends[2];
    check_that(pipe(ends) == 0);
    tide_buffer_write_leaks(ends[1]);
    close(ends[1]);
    ssize_t length = read(ends[0], text, size - 1);
    close(ends[0]);
    text[length > 0 ? length : 0] = 0;
    return text;
}

Test(buffer, every_block_is_remembered_until_its_last_reference)
{
    tide_slice slice, part, foreign;
    char text[4096];
    tide_buffer_sample(1);
    check_that(tide_slice_init(&slice, 3000));
    check_that(tide_slice_share(&part, &slice, 0, 2000));
    check_that(tide_slice_init_foreign(&foreign, "x", 1, NULL, NULL));
    check_count(count_sampled(), 2);
    check_that(strstr(leaks(text, sizeof(text)), "buffer of 4032 bytes with 2 references"));
    check_that(strstr(text, "buffer of 1 bytes with 1 references"));
    tide_slice_fini(&slice);
    check_count(count_sampled(), 2);
    tide_slice_fini(&part);
    tide_slice_fini(&foreign);
    check_count(count_sampled(), 0);
    check_count(strlen(leaks(text, sizeof(text))), 0);
    tide_buffer_sample(0);
}

Test(buffer, one_block_in_the_interval_is_remembered)
{
    tide_slice slices[100];
    tide_buffer_sample(10);
    for (size_t i = 0; i < 100; i++)
        check_that(tide_slice_init(&slices[i], 1));
    check_count(count_sampled(), 10);
    tide_buffer_sample(0);
    for (size_t i = 0; i < 100; i++)
        tide_slice_fini(&slices[i]);
    check_count(count_sampled(), 0);
}

static const void *site_of_first;

static bool keep_site(const tide_buffer_sampled *block, void *context)
{
    site_of_first = block->site;
    return false;
}

static __attribute__((noinline)) void append_here(tide_chain *chain)
{
    check_that(tide_chain_append(chain, "x", 1));
    check_that(chain->size == 1); /* no tail call */
}

Test(buffer, a_block_is_remembered_by_its_user)
{
    tide_chain chain = {0};
    tide_buffer_sample(1);
    append_here(&chain);
    tide_buffer_walk(keep_site, NULL);
    uintptr_t start = (uintptr_t)append_here, site = (uintptr_t)site_of_first;
    check_that(site > start && site < start + 4096, "%p is not in %p", site_of_first,
               (void *)start);
    tide_chain_clear(&chain);
    tide_buffer_sample(0);
}

/* The lock of what is remembered is open in a child, whoever held it. */
Test(buffer, a_child_of_fork_goes_on_remembering)
{
    tide_slice slice, other;
    int status = -1;
    tide_buffer_sample(1);
    check_that(tide_slice_init(&slice, 10));
    pid_t child = fork();
    if (child == 0) {
        bool is_right = count_sampled() == 1 && tide_slice_init(&other, 10) && count_sampled() == 2;
        tide_slice_fini(&other);
        tide_slice_fini(&slice);
        _exit(is_right && count_sampled() == 0 ? 0 : 1);
    }
    check_that(waitpid(child, &status, 0) == child && status == 0);
    check_count(count_sampled(), 1);
    tide_slice_fini(&slice);
    tide_buffer_sample(0);
}

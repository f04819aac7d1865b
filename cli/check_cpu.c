/* SPDX-License-Identifier: MIT */
/*
 * check_cpu.c: what the kernel and the C library offer for work per CPU.
 */
#include "check.h"
#include "cpu.h"
#include "percpu.h"

#include <linux/membarrier.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

bool find_rseq(char *detail)
{
    struct tide__percpu_facts facts = tide__percpu_facts();
    if (facts.rseq)
        snprintf(detail, CHECK_DETAIL_SIZE, "registered, %u bytes", facts.rseq_size);
    else
        snprintf(detail, CHECK_DETAIL_SIZE, "this thread is not registered");
    return facts.rseq;
}

bool find_mm_cid(char *detail)
{
    snprintf(detail, CHECK_DETAIL_SIZE, "%u CPUs possible", tide__cpu_count());
    return tide__percpu_facts().mm_cid;
}

static const struct {
    int command;
    const char *name;
} barriers[] = {
    {MEMBARRIER_CMD_GLOBAL, "global"},
    {MEMBARRIER_CMD_GLOBAL_EXPEDITED, "global expedited"},
    {MEMBARRIER_CMD_PRIVATE_EXPEDITED, "private expedited"},
    {MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, "sync core"},
    {MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, "rseq"},
};

static void name_barriers(long commands, char *detail)
{
    size_t used = 0;
    *detail = '\0';
    for (size_t i = 0; i < sizeof barriers / sizeof *barriers; i++)
        if (commands & barriers[i].command)
            used += (size_t)snprintf(detail + used, CHECK_DETAIL_SIZE - used, "%s%s",
                                     used ? ", " : "", barriers[i].name);
}

bool find_membarrier(char *detail)
{
    long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    if (commands > 0)
        name_barriers(commands, detail);
    else
        snprintf(detail, CHECK_DETAIL_SIZE, "the kernel refuses it");
    return commands > 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ);
}

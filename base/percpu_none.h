/* SPDX-License-Identifier: MIT */
/*
 * percpu_none.h: stands in for the restartable sequences where there are none: never hits.
 */
#ifndef TIDE_BASE_PERCPU_NONE_H
#define TIDE_BASE_PERCPU_NONE_H

#define TIDE__PERCPU_HAS_RSEQ 0

static inline void *tide__rseq_pop(struct tide__percpu *percpu)
{
    return NULL;
}

static inline bool tide__rseq_push(struct tide__percpu *percpu, void *object)
{
    return false;
}

static inline size_t tide__rseq_pop_bulk(struct tide__percpu *percpu, void **items, size_t count,
                                         uint64_t each)
{
    return 0;
}

static inline bool tide__rseq_push_bulk(struct tide__percpu *percpu, void *const *items,
                                        size_t count)
{
    return false;
}

static inline unsigned tide__rseq_cpu(const struct tide__percpu *percpu)
{
    return ~0u;
}

#endif

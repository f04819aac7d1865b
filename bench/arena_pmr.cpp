// SPDX-License-Identifier: MIT
// arena_pmr.cpp: std::pmr::monotonic_buffer_resource as a rival, over a buffer that is large
// enough, which it starts again from after a release.
#include "regions.h"

#include <memory_resource>
#include <vector>

namespace
{
constexpr std::size_t buffer_size = 1 << 20;

struct region {
    std::vector<char> buffer = std::vector<char>(buffer_size);
    std::pmr::monotonic_buffer_resource resource{buffer.data(), buffer.size()};
};

void *alloc(void *shared, size_t size)
{
    return static_cast<region *>(shared)->resource.allocate(size, 16);
}

void reset(void *shared)
{
    static_cast<region *>(shared)->resource.release();
}

void *make(size_t)
{
    return new region;
}

void unmake(void *shared)
{
    delete static_cast<region *>(shared);
}

void run_alloc(tide_bench *bench)
{
    operate_alloc(bench, bench->shared, alloc, reset);
}

void run_request(tide_bench *bench)
{
    operate_request(bench, bench->shared, alloc, reset);
}

void add(const char *name, void (*run)(tide_bench *))
{
    tide_bench_spec spec = {};
    spec.name = name;
    spec.run = run;
    spec.setup = make;
    spec.teardown = unmake;
    tide_bench_register(&spec);
}

__attribute__((constructor)) void add_all()
{
    add("pmr/alloc/16B", run_alloc);
    add("pmr/request", run_request);
}
} // namespace

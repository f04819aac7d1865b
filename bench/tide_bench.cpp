// SPDX-License-Identifier: MIT
// tide_bench.cpp: the glue between tide_bench.h and Google Benchmark, and the main function.
#include "tide_bench.h"

#include <benchmark/benchmark.h>
#include <cstdlib>
#include <dlfcn.h>
#include <memory>
#include <pthread.h>
#include <sched.h>
#include <string>

namespace
{

// The CPUs that this process may use: what "all CPUs" means to every rival.
int cpu_count()
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

std::string size_name(size_t size)
{
    if (size % 1024 == 0)
        return std::to_string(size / 1024) + "KiB";
    return std::to_string(size) + "B";
}

// A spec at one size and with one number of threads.
struct Instance {
    tide_bench_spec spec;
    size_t size;
    void *shared = nullptr;
    pthread_barrier_t barrier;

    Instance(const tide_bench_spec &of, size_t at, int threads) : spec(of), size(at)
    {
        pthread_barrier_init(&barrier, nullptr, static_cast<unsigned>(threads));
    }

    void run(benchmark::State &state);
};

// Thread 0 sets up before and tears down after all; Google Benchmark runs one instance at a time.
void Instance::run(benchmark::State &state)
{
    tide_bench bench = {};
    if (state.thread_index() == 0 && spec.setup)
        shared = spec.setup(size);
    pthread_barrier_wait(&barrier);
    bench.shared = shared;
    bench.size = size;
    bench.thread = state.thread_index();
    bench.threads = state.threads();
    bench.state = &state;
    spec.run(&bench);
    pthread_barrier_wait(&barrier);
    if (state.thread_index() == 0 && spec.teardown)
        spec.teardown(shared);
}

void add(const tide_bench_spec &spec, size_t size, int threads)
{
    const std::string name = size ? std::string(spec.name) + "/" + size_name(size) : spec.name;
    const auto instance = std::make_shared<Instance>(spec, size, threads);
    benchmark::RegisterBenchmark(name.c_str(),
                                 [instance](benchmark::State &state) { instance->run(state); })
        ->Threads(threads)
        ->UseRealTime();
}

benchmark::State &state_of(tide_bench *bench)
{
    return *static_cast<benchmark::State *>(bench->state);
}

void count(tide_bench *bench, const char *name, double value, benchmark::Counter::Flags flags)
{
    state_of(bench).counters[name] = benchmark::Counter(value, flags);
}

// Which library serves malloc, so that a rival that was preloaded in vain is noticed.
void report_malloc()
{
    Dl_info info;
    void *(*const function)(size_t) = std::malloc;
    if (dladdr(reinterpret_cast<void *>(function), &info) && info.dli_fname)
        benchmark::AddCustomContext("malloc", info.dli_fname);
}

} // namespace

void tide_bench_register(const tide_bench_spec *spec)
{
    if (cpu_count() < spec->cpus_min)
        return;
    size_t index = 0;
    do {
        add(*spec, spec->sizes[index], 1);
        if (spec->all_cpus && cpu_count() > 1)
            add(*spec, spec->sizes[index], cpu_count());
    } while (++index < TIDE_BENCH_SIZES_MAX && spec->sizes[index]);
}

bool tide_bench_next_slow(tide_bench *bench)
{
    const benchmark::IterationCount all = state_of(bench).max_iterations;
    if (!state_of(bench).KeepRunningBatch(all))
        return false;
    bench->left = static_cast<uint64_t>(all) - 1;
    return true;
}

void tide_bench_pause(tide_bench *bench)
{
    state_of(bench).PauseTiming();
}

void tide_bench_resume(tide_bench *bench)
{
    state_of(bench).ResumeTiming();
}

void tide_bench_fail(tide_bench *bench, const char *why)
{
    bench->left = 0;
    state_of(bench).SkipWithError(why);
}

void tide_bench_count(tide_bench *bench, const char *name, double value)
{
    count(bench, name, value, benchmark::Counter::kDefaults);
}

void tide_bench_count_per_op(tide_bench *bench, const char *name, double value)
{
    count(bench, name, value, benchmark::Counter::kAvgIterations);
}

void tide_bench_bytes(tide_bench *bench, size_t bytes_per_op)
{
    const int64_t all = state_of(bench).iterations();
    state_of(bench).SetBytesProcessed(all * static_cast<int64_t>(bytes_per_op));
}

int main(int argc, char **argv)
{
    report_malloc();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}

# SPDX-License-Identifier: MIT
"""catalogue.py: what the project claims: figures of ours and of rivals, and goals for ratios."""
import os
from dataclasses import dataclass

CPUS = len(os.sched_getaffinity(0))
LONG = 5  # times the usual duration, for benchmarks that take long to settle


# ---- What is measured

@dataclass(frozen=True)
class Run:
    """One process that runs one benchmark."""
    subject: str
    benchmark: str
    threads: int = 1
    length: int = 1
    setting: str = None  # of the environment variable TIDE


@dataclass(frozen=True)
class Figure:
    """One of the figures that a run prints."""
    run: Run
    metric: str = "time"

    @property
    def name(self):
        return SUBJECTS[self.run.subject]


@dataclass(frozen=True)
class Claim:
    id: str
    subject: str
    ours: Figure
    rivals: tuple
    goal: float = None  # of the ratio with the best of the rivals; None: shown as it is
    unit: str = "ns"
    longest: bool = False  # over all rounds, in place of their median
    rival_name: str = None


SUBJECTS = {
    "tidepool": "Tidepool",
    "go": "Go sync.Pool",
    "array": "thread-local array",
    "glibc": "glibc",
    "mimalloc": "mimalloc",
    "jemalloc": "jemalloc",
    "tcmalloc": "tcmalloc",
    "proxy": "Tidepool",
    "proxy_evbuffer": "libevent's evbuffers",
    "arena": "Tidepool",
    "bump": "a bump by hand",
    "pmr": "std::pmr",
    "apr": "APR pool",
    "obstack": "obstack",
    "talloc": "talloc pool",
    "glib": "GLib slices",
}
PROGRAMS = {"tidepool": "tide_bench_pool"}  # others: tide_bench_malloc
PRELOADS = {
    "mimalloc": "libmimalloc.so.2",
    "jemalloc": "libjemalloc.so.2",
    "tcmalloc": "libtcmalloc_minimal.so.4",
}
MALLOCS = ("mimalloc", "glibc", "jemalloc", "tcmalloc")
REGIONS = ("pmr", "apr", "obstack", "talloc", "glib")
PROGRAMS |= {region: "tide_bench_arena" for region in ("arena", "bump", *REGIONS)}


# ---- The claims

def figure(subject, benchmark, threads, metric="time", length=1):
    prefix = "Benchmark" if subject == "go" else "malloc/" if subject in MALLOCS else f"{subject}/"
    name = prefix + benchmark
    return Figure(Run(subject, name, threads, length), metric)


def each_width(make):
    """The claims of `make` for one thread and, where there are more CPUs, for all."""
    widths = [(1, "", "")]
    if CPUS > 1:
        widths.append((CPUS, ".cpus", f", {CPUS} threads"))
    return [claim for width in widths for claim in make(*width)]


def go_shapes(threads, suffix, words):
    """Go's shapes; the goals are for one thread."""
    goal = 0.35 if threads == 1 else None
    for id_, ours, theirs, subject, its_goal in (
            ("pair.go", "pair/64B", "Pair", "pair of 64 B", goal),
            ("pool.go", "Pool", "Pool", "Go's Pool: put 1, get 1", None),
            ("overflow.go", "PoolOverflow", "PoolOverflow",
             "Go's PoolOverflow: put 100, get 100", goal),
            ("starvation.go", "PoolStarvation", "PoolStarvation",
             "Go's PoolStarvation: put 67, get 100", goal)):
        yield Claim(id_ + suffix, subject + words, figure("tidepool", ours, threads),
                    (figure("go", theirs, threads),), its_goal)


def pair_beside(threads, suffix, words):
    ours = figure("tidepool", "pair/64B", threads)
    yield Claim("pair.array" + suffix, "pair of 64 B" + words, ours,
                (figure("array", "pair/64B", threads),), 1.5 if threads == 1 else None)
    yield Claim("pair.array.called" + suffix, "pair of 64 B, the array behind calls" + words,
                ours, (figure("array", "called/64B", threads),))
    yield from beside("pair", "pair/64B", "pair of 64 B", threads, suffix, words)


def beside(id_, benchmark, subject, threads, suffix, words, rivals=MALLOCS):
    """A row for each allocator, as it is."""
    for rival in rivals:
        yield Claim(f"{id_}.{rival}{suffix}", subject + words,
                    figure("tidepool", benchmark, threads),
                    (figure(rival, benchmark, threads),))


def constructed(threads, suffix, words):
    subject, benchmark = "constructed 4 KiB", "constructed/4KiB"
    yield Claim("constructed.mimalloc" + suffix, subject + words,
                figure("tidepool", benchmark, threads),
                (figure("mimalloc", benchmark, threads),), 0.15 if threads == 1 else None)
    yield from beside("constructed", benchmark, subject, threads, suffix, words, MALLOCS[1:])


def held(threads, suffix, words):
    for id_, ours, theirs, subject in (
            ("held", "held/64KiB", "held/64KiB", "64 KiB, 32 held, the oldest replaced"),
            ("burst", "burst/64KiB", "burst/64KiB", "64 KiB, get 32, put 32"),
            ("bulk", "bulk/64KiB", "burst/64KiB", "64 KiB, 32 by one call, put by one")):
        rivals = [figure(rival, theirs, threads) for rival in MALLOCS]
        for rival, measured in zip(MALLOCS, rivals):
            yield Claim(f"{id_}.{rival}{suffix}", subject + words,
                        figure("tidepool", ours, threads), (measured,))
        yield Claim(f"{id_}.best{suffix}", subject + words, figure("tidepool", ours, threads),
                    tuple(rivals), 0.25 if threads == 1 else None)


def transfer():
    for size, words in (("64B", "64 B"), ("4KiB", "4 KiB")) if CPUS > 1 else ():
        yield from beside(f"transfer.{size}", f"transfer/{size}",
                          f"{words}, got on one CPU, put (freed) on another", 1, "", "")


def epochs():
    go = "PoolSTW"
    yield Claim("advance.go", "epoch with 100,000 objects cached (P50)",
                figure("tidepool", go, 1, "p50_ns"), (figure("go", go, CPUS, "p50-ns/STW"),),
                1.0, rival_name="Go's pause")
    yield Claim("advance.go.p95", "epoch with 100,000 objects cached (P95)",
                figure("tidepool", go, 1, "p95_ns"), (figure("go", go, CPUS, "p95-ns/STW"),),
                rival_name="Go's pause")
    yield Claim("destroy.go", "epoch that destroys 100,000 objects (P50)",
                figure("tidepool", go, 1, "destroy_p50_ns"),
                (figure("go", go, CPUS, "p50-ns/GC"),), rival_name="Go's runtime.GC()")
    for id_, metric, words in (("p999", "p999_ns", "P99.9"), ("longest", "max_ns", "longest")):
        if CPUS > 1:
            yield Claim(f"stall.{id_}", f"{words} get or put beside advancing epochs",
                        figure("tidepool", "stall/epochs", 1, metric, LONG),
                        (figure("tidepool", "stall/none", 1, metric, LONG),),
                        longest=id_ == "longest", rival_name="without epochs")


def limits():
    """Tidepool beside itself, with limits and without."""
    for id_, ours, rival, goal, words, beside_what in (
            ("hit.limits", "pair_limited/64B", "pair/64B", 1.03,
             "pair of 64 B with all limits, pacing and trace on", "with nothing on"),
            ("hit.weighed", "pair_weighed/64B", "pair/64B", None,
             "pair of 64 B that calls a weigh hook", "with nothing on"),
            ("limit.throughput", "phases/limited", "phases/unlimited", 2,
             "1 GiB of buffers under a limit of 64 MiB, each filled 20 times", "without a limit"),
            ("limit.throughput.idle", "phases_idle/limited", "phases_idle/unlimited", None,
             "the same, one byte of each written, once", "without a limit")):
        yield Claim(id_, words, figure("tidepool", ours, 1), (figure("tidepool", rival, 1),),
                    goal, rival_name=beside_what)


def expensive(threads, suffix, words):
    name = "PoolExpensiveNew"
    for id_, ours, theirs, unit, what in (
            ("expensive", "time", "time", "ns", "time"),
            ("expensive.new", "new_per_op", "New/op", "New", "objects made"),
            ("expensive.gc", "epochs_per_op", "GCs/op", "epochs", "epochs, collections")):
        yield Claim(f"{id_}.go{suffix}", f"Go's PoolExpensiveNew: {what}" + words,
                    figure("tidepool", name, threads, ours, LONG),
                    (figure("go", name, threads, theirs, LONG),), unit=unit)


def stackalloc():
    over = Run("tidepool", "tidepool/stackalloc.over")
    yield Claim("stackalloc.hit", "256 B on the stack: ns over a plain array",
                Figure(over, "over_ns"), (Figure(over, "allowed_ns"),), 1.0,
                rival_name="2 ns allowed")
    yield Claim("stackalloc.array", "256 B on the stack, of which 200 B are asked for",
                figure("tidepool", "stackalloc/200B", 1),
                (figure("tidepool", "stackalloc.array/200B", 1),), rival_name="plain array")
    yield Claim("stackalloc.spill", "1,000 B that do not fit on the stack",
                figure("tidepool", "stackalloc/1000B", 1),
                (figure("tidepool", "stackalloc.malloc/1000B", 1),),
                rival_name="malloc and free")


def proxies():
    for mode, words in (("echo", "an echo server: a kilobyte, there and back"),
                        ("proxy", "a proxy: a kilobyte, there and back")):
        for suffix, metric, what in (("", "time", ""), (".cpu", "cpu", ", CPU time of the server")):
            yield Claim(f"buffer.{mode}{suffix}", words + what,
                        Figure(Run("proxy", mode, 1, LONG), metric),
                        (Figure(Run("proxy_evbuffer", mode, 1, LONG), metric),),
                        None if suffix else 1.0)


def with_cpus(benchmark, cpus):
    return Figure(Run("tidepool", f"tidepool/{benchmark}", 1, 1, f"cpus:{cpus}"), "cpu_time")


def scale():
    """Many CPUs beside two of them, many pools beside one."""
    for id_, benchmark, subject in (("pair", "pair/64B", "pair of 64 B"),
                                    ("overflow", "PoolOverflow", "Go's PoolOverflow"),
                                    ("starvation", "PoolStarvation", "Go's PoolStarvation")):
        yield Claim(f"scale.{id_}.512", f"{subject}, 512 CPUs", with_cpus(benchmark, 512),
                    (with_cpus(benchmark, 2),), 1.1, rival_name="2 CPUs")
    for cpus in (2, 8, 32, 128, 512):
        for id_, metric, words, goal in (("", "p50_ns", "an epoch", cpus / 2),
                                         (".each", "cpu_ns", "for each CPU, an epoch", 1)):
            yield Claim(f"advance.cpus.{cpus}{id_}", f"{words}, {cpus} CPUs used (P50)",
                        figure("tidepool", f"advance/{cpus}cpus/1pools", 1, metric),
                        (figure("tidepool", "advance/2cpus/1pools", 1, metric),),
                        goal if cpus > 2 else None, rival_name="2 CPUs")
    for pools in (10, 100, 1000):
        yield Claim(f"advance.pools.{pools}", f"an epoch of {pools} pools, 2 CPUs used (P50)",
                    figure("tidepool", f"advance/2cpus/{pools}pools", 1, "p50_ns"),
                    (figure("tidepool", "advance/2cpus/1pools", 1, "p50_ns"),), pools,
                    rival_name="1 pool")
    yield Claim("create.cpus.512", "pool created, used once, destroyed, 512 CPUs",
                figure("tidepool", "create/512cpus", 1),
                (figure("tidepool", "create/2cpus", 1),), rival_name="2 CPUs")


@dataclass(frozen=True)
class Fixed:
    """What stands in a rival's place where a goal is no ratio but a figure."""
    value: float
    name: str
    run: Run = None


def arenas():
    for id_, benchmark, words in (("alloc", "alloc/16B", "one object of 16 B"),
                                  ("request", "request", "1,000 objects and a reset")):
        ours = figure("arena", benchmark, 1)
        yield Claim(f"arena.{id_}.bump", words, ours, (figure("bump", benchmark, 1),), 1.25)
        rivals = [figure(rival, benchmark, 1) for rival in REGIONS]
        yield Claim(f"arena.{id_}.best", words, ours, tuple(rivals), 0.5)
        for rival, measured in zip(REGIONS, rivals):
            yield Claim(f"arena.{id_}.{rival}", words, ours, (measured,))
    yield Claim("arena.reset", "reset of an arena that held 10,000 objects",
                figure("arena", "reset/10000", 1, "reset_ns"), (Fixed(50, "the goal"),), 1)
    yield Claim("arena.first", "page faults of a new arena's first MiB, warm",
                figure("arena", "first/1MiB", 1, "faults_per_op"), (Fixed(0.01, "the goal"),), 1,
                unit="faults")


def all_claims():
    return [*each_width(go_shapes), *each_width(pair_beside), *each_width(constructed),
            *each_width(held), *transfer(), *limits(), *epochs(), *each_width(expensive),
            *scale(), *arenas(), *stackalloc(), *proxies()]

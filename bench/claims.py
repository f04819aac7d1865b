#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""claims.py: measures what the project claims, ours and rivals in turn, and prints the ratios.

Each figure is measured once a round by a process of its own; a round visits ours and its rivals
one after the other, and every other round goes backwards, so that a machine that drifts or is
busy for a while disturbs both sides alike. A ratio is the median over the rounds of ours divided
by the rival's, both of the same round; its spread is the middle half of them.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys

from catalogue import PRELOADS, PROGRAMS, Fixed, all_claims


# ---- Running

class Unavailable(Exception):
    """A figure that cannot be had here; the text says why."""


def execute(command, preload=None, setting=None):
    environment = dict(os.environ, LC_ALL="C")
    environment.pop("LD_PRELOAD", None)
    if setting:
        environment["TIDE"] = setting
    if preload:
        environment["LD_PRELOAD"] = preload
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True,
                              timeout=120, check=True)
    except FileNotFoundError:
        raise Unavailable(f"{os.path.basename(command[0])} was not built") from None
    except subprocess.SubprocessError as error:
        raise Unavailable(f"{os.path.basename(command[0])}: {error}") from None
    return done.stdout


def parse_go(text):
    """The figures of one line of Go's benchmark format."""
    for line in text.splitlines():
        words = line.split()
        if words and words[0].startswith("Benchmark"):
            figures = {unit: float(value) for value, unit in zip(words[2::2], words[3::2])}
            return {"time": figures.pop("ns/op"), **figures}
    raise Unavailable("the Go program printed no figures")


def run_go(programs, run, seconds):
    return parse_go(execute([
        os.path.join(programs, "tide_bench_go"), "-test.bench", f"^{run.benchmark}$",
        "-test.run", "^$", "-test.benchtime", f"{seconds}s", "-test.cpu", str(run.threads)]))


def parse_google(text, run, library):
    try:
        report = json.loads(text)
        result = report["benchmarks"][0]
    except (ValueError, LookupError):
        raise Unavailable(f"no benchmark {run.benchmark}") from None
    if library and library.split(".so")[0] not in report["context"]["malloc"]:
        raise Unavailable(f"{library} is not installed")
    if result.get("error_occurred"):
        raise Unavailable(result["error_message"])
    return {"time": result["real_time"], **result}


def run_google(programs, run, seconds):
    program = PROGRAMS.get(run.subject, "tide_bench_malloc")
    library = PRELOADS.get(run.subject)
    name = f"^{run.benchmark}/real_time/threads:{run.threads}$"
    return parse_google(execute(
        [os.path.join(programs, program), f"--benchmark_filter={name}",
         f"--benchmark_min_time={seconds}", "--benchmark_format=json"], library, run.setting),
        run, library)


def run_proxy(programs, run, seconds):
    """The example proxy, which has a driver of its own."""
    driver = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                          "../examples/proxy/compare.py")
    rows = execute([sys.executable, driver, "--bin", programs, "--rounds", "1", "--json",
                    "--seconds", str(seconds), "--mode", run.benchmark, "--only", run.subject])
    if not rows:
        raise Unavailable(f"{run.subject} was not built")
    row = json.loads(rows)
    return {"time": 1e6 / row["mb_per_s"], "cpu": row["cpu_ns_per_kb"]}


RUNNERS = {"go": run_go, "proxy": run_proxy, "proxy_evbuffer": run_proxy}


class Rounds:
    """The figures of all rounds: a dict for each run and round, or why there is none."""

    def __init__(self, programs, seconds, count):
        self.programs = programs
        self.seconds = seconds
        self.count = count
        self.results = {}
        self.missing = {}

    def measure(self, run):
        if run in self.missing:
            return
        runner = RUNNERS.get(run.subject, run_google)
        try:
            figures = runner(self.programs, run, self.seconds * run.length)
            self.results.setdefault(run, []).append(figures)
        except Unavailable as why:
            self.missing[run] = str(why)

    def values(self, of):
        if isinstance(of, Fixed):
            return [of.value] * self.count
        if of.run in self.missing:
            raise Unavailable(self.missing[of.run])
        try:
            return [figures[of.metric] for figures in self.results[of.run]]
        except KeyError:
            raise Unavailable(f"{of.run.benchmark} printed no {of.metric}") from None


def runs_of(claims):
    """Each run once, those that are compared close together."""
    return list(dict.fromkeys(
        item.run for claim in claims for item in (claim.ours, *claim.rivals) if item.run))


def measure_all(claims, arguments):
    rounds = Rounds(arguments.bin, arguments.seconds, arguments.rounds)
    runs = runs_of(claims)
    progress = Progress(arguments.rounds, len(runs))
    for number in range(arguments.rounds):
        for index, run in enumerate(runs if number % 2 == 0 else reversed(runs)):
            progress.show(number, index, run)
            rounds.measure(run)
    progress.end()
    return rounds


class Progress:
    """On a terminal a line that changes, elsewhere a line a round; always on stderr."""

    def __init__(self, rounds, runs):
        self.rounds, self.runs = rounds, runs
        self.terminal = sys.stderr.isatty()

    def show(self, number, index, run):
        where = f"round {number + 1} of {self.rounds}"
        if self.terminal:
            line = f"{where}, {index + 1} of {self.runs}: {run.subject} {run.benchmark}"
            sys.stderr.write(f"\r{line[:78]:<78}")
        elif index == 0:
            sys.stderr.write(f"claims: {where}, {self.runs} measurements\n")
        sys.stderr.flush()

    def end(self):
        if self.terminal:
            sys.stderr.write(f"\r{'':<78}\r")


# ---- Judging

def middle_half(values):
    if len(values) < 4:
        return [min(values), max(values)]
    quartiles = statistics.quantiles(values, n=4, method="inclusive")
    return [quartiles[0], quartiles[2]]


def divide(ours, rival):
    if rival == 0 and ours != 0:
        raise Unavailable("the rival's figure is 0")
    return ours / rival if rival else 1.0


def best_rival(claim, rounds):
    """The rival with the smallest median of those there are, and its values."""
    there, why = [], None
    for rival in claim.rivals:
        try:
            there.append((rival, rounds.values(rival)))
        except Unavailable as error:
            why = error
    if not there:
        raise why
    return min(there, key=lambda pair: statistics.median(pair[1]))


def judge(claim, rounds):
    ours = rounds.values(claim.ours)
    rival, theirs = best_rival(claim, rounds)
    ratios = [divide(a, b) for a, b in zip(ours, theirs)]
    middle = max if claim.longest else statistics.median
    ratio = divide(max(ours), max(theirs)) if claim.longest else statistics.median(ratios)
    return {
        "id": claim.id, "subject": claim.subject, "ours": middle(ours),
        "rival": middle(theirs), "rival_name": claim.rival_name or rival.name,
        "unit": claim.unit, "ratio": ratio, "goal": claim.goal,
        "holds": None if claim.goal is None else ratio <= claim.goal,
        "spread": middle_half(ratios),
    }


def judge_all(claims, rounds):
    """The rows, and a line for each claim that could not be measured."""
    rows, skipped = [], []
    for claim in claims:
        try:
            rows.append(judge(claim, rounds))
        except Unavailable as why:
            skipped.append(f"{claim.id}: skipped: {why}")
    return rows, skipped


# ---- Printing

def quantity(value, unit):
    if unit != "ns":
        return f"{value:.3g} {unit}"
    for limit, name, divisor in ((1e3, "ns", 1), (1e6, "us", 1e3), (1e9, "ms", 1e6)):
        if value < limit:
            return f"{value / divisor:.3g} {name}"
    return f"{value / 1e9:.3g} s"


def cells(row):
    low, high = row["spread"]
    holds = {None: "-", True: "yes", False: "no"}[row["holds"]]
    return [row["id"], row["subject"], quantity(row["ours"], row["unit"]),
            f"{row['rival_name']} {quantity(row['rival'], row['unit'])}",
            f"{row['ratio']:.3g} ({low:.2g}-{high:.2g})",
            "-" if row["goal"] is None else f"{row['goal']:g}", holds]


def coloured(text, holds):
    colour = {"yes": 32, "no": 31}.get(holds)
    if colour is None or not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"


def print_table(head, table):
    widths = [max(len(line[column]) for line in [head, *table]) for column in range(len(head))]
    for line in [head, *table]:
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
        print(coloured(text, line[-1]))


def print_claims(rows, skipped):
    if rows:
        print_table(["id", "subject", "ours", "rival", "ratio", "goal", "holds"],
                    [cells(row) for row in rows])
    for line in skipped:
        print(line)
    judged = [row for row in rows if row["goal"] is not None]
    held_count = sum(row["holds"] for row in judged)
    print(f"{held_count} of {len(judged)} claims with a goal hold, "
          f"{len(rows) - len(judged)} shown without one, {len(skipped)} skipped")


def print_json(rows, skipped):
    for row in rows:
        print(json.dumps(row))
    for line in skipped:
        sys.stderr.write(f"claims: {line}\n")


def print_list(claims):
    print_table(["id", "goal", "subject", "rivals"], [
        [claim.id, "-" if claim.goal is None else f"{claim.goal:g}", claim.subject,
         claim.rival_name or ", ".join(rival.name for rival in claim.rivals)]
        for claim in claims])


# ---- The command

class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"claims: {message.removeprefix('argument ')}\n")


def at_least_one(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}': a whole number from 1 is needed")
    return int(text)


def positive(text):
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value <= 60:
        raise argparse.ArgumentTypeError(f"'{text}': seconds from 0 to 60 are needed")
    return value


def pattern(text):
    try:
        return re.compile(text)
    except re.error as why:
        raise argparse.ArgumentTypeError(f"'{text}': {why}") from None


def parse_arguments():
    default = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../build/bench/bin")
    parser = Parser(prog="claims", allow_abbrev=False,
                    description="Measures the claims, ours and rivals in turn.")
    add = parser.add_argument
    add("--bin", metavar="DIR", default=os.path.normpath(default),
        help="where the benchmark programs are")
    add("--filter", metavar="REGEX", type=pattern, default="",
        help="only the claims whose id it matches")
    add("--rounds", metavar="N", type=at_least_one, default=9, help="default 9")
    add("--seconds", metavar="S", type=positive, default=0.1,
        help="for each measurement of a round, default 0.1")
    add("--json", action="store_true", help="one JSON object a line")
    add("--list", action="store_true", help="list the claims and measure nothing")
    add("--error", action="store_true", help="exit 1 if a claim does not hold")
    return parser, parser.parse_args()


def chosen_claims(parser, arguments):
    claims = [claim for claim in all_claims() if re.search(arguments.filter, claim.id)]
    if not claims:
        parser.error(f"--filter: '{arguments.filter.pattern}': no claim's id matches; "
                     "--list names them")
    return claims


def main():
    parser, arguments = parse_arguments()
    claims = chosen_claims(parser, arguments)
    if arguments.list:
        print_list(claims)
        return 0
    if not os.access(os.path.join(arguments.bin, "tide_bench_pool"), os.X_OK):
        parser.error(f"--bin: '{arguments.bin}': no tide_bench_pool there")
    rows, skipped = judge_all(claims, measure_all(claims, arguments))
    (print_json if arguments.json else print_claims)(rows, skipped)
    return int(arguments.error and any(row["holds"] is False for row in rows))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nclaims: interrupted")

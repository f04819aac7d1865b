#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Records the logs beside it anew: record.sh BUILD-FOLDER. The Go program needs golang, and what its
# collector takes depends on what else runs: repeat it until cli.each_log_shows_its_patterns passes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
traced=$1/bin/traced
program=$(mktemp)
trap 'rm -f "$program"' EXIT

for mode in even imbalance producers rare never foreign thrash; do
    TIDE=trace:2 "$traced" "$mode" 2>"$here/$mode.log"
done
TIDE=trace:1 "$traced" even 2>"$here/even-1.log"
TIDE=trace:2,limit:8MiB "$traced" low-limit 2>"$here/low-limit.log"
TIDE=trace:2,limit:8MiB "$traced" fair-limit 2>"$here/fair-limit.log"

go build -o "$program" "$here/collect.go"
export GODEBUG=gctrace=1
GOGC=100 "$program" 8192 6000 2>"$here/go.log"
GOGC=20 "$program" 16384 8000 2>"$here/go-thrash.log"
GOMEMLIMIT=24MiB "$program" 16384 1500 2>"$here/go-limit.log"

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs a fuzzer on inputs grown from seeds: fuzz.sh SECONDS PROGRAM FOLDER SEED-FILE...
# The lines of each seed are inputs too. Inputs that were found stay in FOLDER for the next run.
set -euo pipefail
seconds=${TIDE_SOAK_SECONDS:-$1} program=$2 folder=$3
shift 3
mkdir -p "$folder/seeds" "$folder/found"
for seed in "$@"; do
    cp "$seed" "$folder/seeds/"
    split --lines=2 --suffix-length=4 <(head -n 40 "$seed") "$folder/seeds/$(basename "$seed")."
done
exec "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -max_len=65536 -artifact_prefix="$folder/" -print_final_stats=1 "$folder/found" "$folder/seeds"

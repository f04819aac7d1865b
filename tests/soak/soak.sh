#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# soak.sh PROGRAM SECONDS BODY... [-- ARGUMENT...]: the soak on each body, the time divided among
# them; the bodies' summaries, and a last line with the sums. Exits 1 if anything was wrong.
set -euo pipefail

program=$1 seconds=$2 bodies=() failed=0
shift 2
while (($#)) && [[ $1 != -- ]]; do
    bodies+=("$1")
    shift
done
[[ ${1-} == -- ]] && shift
each=$((seconds / ${#bodies[@]}))
((each > 0)) || each=1

# soak BODY ARGUMENT...: its summary; a body that is not there (77) is left out.
soak() {
    local body=$1 status=0
    shift
    "$program" --body "$body" --seconds "$each" "$@" || status=$?
    ((status == 0 || status == 77))
}

# Adds up the numbers of summaries by the words before them.
sum() {
    awk -F', ' '
        /^soak: body .*, operations / {
            for (i = 2; i <= NF; i++) {
                split($i, part, " ")
                total[part[1]] += part[2]
            }
        }
        END {
            printf "soak: %.0f operations, %.0f epochs, %.0f faults injected, %.0f lost, ",
                total["operations"], total["epochs"], total["faults"], total["lost"]
            printf "%.0f duplicated, %.0f leaked, %.0f corrupted, %.0f miscounted\n",
                total["duplicated"], total["leaked"], total["corrupted"], total["miscounted"]
        }'
}

summaries=$(mktemp)
trap 'rm -f "$summaries"' EXIT
for body in "${bodies[@]}"; do
    soak "$body" "$@" | tee -a "$summaries" || failed=1
done
sum <"$summaries"
grep -q ', operations ' "$summaries" || failed=1
exit "$failed"

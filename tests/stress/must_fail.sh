#!/bin/sh
# SPDX-License-Identifier: MIT
# must_fail.sh [--says PATTERN] PROGRAM...: runs a program that is broken on purpose; succeeds if
# it reports a violation (1), a sanitizer does (66 is ThreadSanitizer's), or it crashes. Running
# out of time (142) is none of these. A program that is not for this machine (77) is skipped.
#
# With --says a line of its output must have the pattern too, so that a crash by luck is not taken
# for a test that has noticed. What is broken may crash first: it has five runs to say it, each of
# which must fail.
pattern= runs=1
if [ "$1" = --says ]; then
    pattern=$2 runs=5
    shift 2
fi
while [ "$runs" -gt 0 ]; do
    runs=$((runs - 1))
    output=$("$@" 2>&1)
    status=$?
    printf '%s\n' "$output"
    case $status in
    1 | 66 | 129 | 13[0-9]) ;;
    77) exit 77 ;;
    *)
        echo "must_fail: status $status: the broken program was not caught" >&2
        exit 1
        ;;
    esac
    if printf '%s\n' "$output" | grep -Eq -e "$pattern"; then
        echo "failed with status $status, as it must"
        exit 0
    fi
done
echo "must_fail: it failed, but no line had: $pattern" >&2
exit 1

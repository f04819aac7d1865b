#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a program that is broken on purpose; succeeds if it reports a violation (1), a sanitizer
# does (66 is ThreadSanitizer's), or it crashes. Running out of time (142) is none of these.
"$@"
status=$?
case $status in
1 | 66 | 129 | 13[0-9])
    echo "failed with status $status, as it must"
    ;;
*)
    echo "must_fail: status $status: the broken program was not caught" >&2
    exit 1
    ;;
esac

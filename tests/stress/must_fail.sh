#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a program that is broken on purpose; succeeds if it reports a violation or crashes.
"$@"
status=$?
if [ "$status" -eq 1 ] || [ "$status" -ge 128 ]; then
    echo "failed with status $status, as it must"
    exit 0
fi
echo "must_fail: status $status: the broken program was not caught" >&2
exit 1

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks that the restartable sequences are in a binary: compilers have dropped them unnoticed.
# There is a descriptor, a pointer to it and a signature in the code for each.
set -euo pipefail

readonly LEAST=5 # pop, push, both in bulk, and one push more in the slow path

# section NAME: its size in bytes, 0 if there is none
section() {
    local size
    size=$("$objdump" -h "$binary" | awk -v name="$1" '$2 == name { print $3 }')
    echo $((16#${size:-0}))
}

objdump=${1?usage: sequences.sh OBJDUMP BINARY}
binary=${2?usage: sequences.sh OBJDUMP BINARY}
descriptors=$(($(section __rseq_cs) / 32))
pointers=$(($(section __rseq_cs_ptr_array) / 8))
signatures=$("$objdump" -d "$binary" | grep -cE '0f b9 3d 53 30 05 53|d428bc00|00 bc 28 d4' || true)
echo "$descriptors descriptors, $pointers pointers, $signatures signatures"
((descriptors >= LEAST && pointers == descriptors && signatures == descriptors))

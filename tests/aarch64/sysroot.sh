#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Unpacks Debian's arm64 build of the libraries that we link into a folder. Needs no root and
# leaves the system's own list of packages and architectures alone.
set -euo pipefail

readonly PACKAGES=(libmimalloc-dev liburcu-dev)

# arm64_apt COMMAND...: apt-get with lists, cache and (no) installed packages of its own
arm64_apt() {
    apt-get -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Debug::NoLocking=1 \
        -o Dir::State::Lists="$folder/apt/lists" -o Dir::State::status="$folder/apt/status" \
        -o Dir::Cache="$folder/apt/cache" -o Dpkg::Post-Invoke= -o APT::Sandbox::User= "$@"
}

main() {
    local package
    [[ ! -e $folder/complete ]] || return 0
    rm -rf "$folder"
    mkdir -p "$folder"/apt/{lists,cache/archives}/partial
    : >"$folder/apt/status"
    arm64_apt update
    arm64_apt install -y --download-only --no-install-recommends "${PACKAGES[@]}"
    for package in "$folder"/apt/cache/archives/*.deb; do
        dpkg-deb -x "$package" "$folder"
    done
    rm -rf "$folder/apt"
    : >"$folder/complete"
}

folder=$(readlink -m "${1?usage: tests/aarch64/sysroot.sh FOLDER}")
main

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs large_requests, and the same program in Go where Go is installed: with a collection after
# each ten requests, and in the time of golang/go issue 23199, ten times as fast.
set -euo pipefail

large_requests=${1?usage: beside_go.sh LARGE_REQUESTS [MIB [ROUNDS]]}
mib=${2:-256}
rounds=${3:-20}
source=$(dirname "$0")/large_requests.go

"$large_requests" "$mib" "$rounds"
if ! command -v go >/dev/null; then
    echo 'Go is not installed (golang-go): its program is left out'
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export GO111MODULE=off GOFLAGS='' GOPROXY=off GOTOOLCHAIN=local
export GOCACHE=$folder/cache GOPATH=$folder/path
go build -o "$folder/large_requests" "$source"
echo "Go's sync.Pool, a collection after each ten requests; MiB"
"$folder/large_requests" -mib "$mib" -rounds "$rounds"
echo "Go's sync.Pool, requests in their own time; MiB"
"$folder/large_requests" -mib "$mib" -rounds "$rounds" -hold 50ms

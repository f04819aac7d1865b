// SPDX-License-Identifier: MIT
// collect.go: a Go program whose collections are traced, with as much alive as it is told.

package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
)

type node struct {
	next *node
	rest [48]byte
}

var alive *node
var garbage [][]byte

// Allocates `count` times 64 KiB for a moment, beside so many KiB of nodes that stay.
func main() {
	fmt.Fprintln(os.Stderr, "collect: begins")
	stay, _ := strconv.Atoi(os.Args[1])
	count, _ := strconv.Atoi(os.Args[2])
	for i := 0; i < stay*1024/56; i++ {
		alive = &node{next: alive}
	}
	for i := 0; i < count; i++ {
		garbage = append(garbage[:0], make([]byte, 1<<16))
	}
	finish()
	fmt.Fprintln(os.Stderr, "collect: ends", len(garbage))
}

// Go prints a line piece by piece, beside the program and while it exits: the last collection is
// over and printed when the world could be stopped after it.
func finish() {
	var stats runtime.MemStats
	debug.SetGCPercent(-1)
	runtime.GC()
	runtime.ReadMemStats(&stats)
}

// SPDX-License-Identifier: MIT

// large_requests.go: large_requests.c with Go's sync.Pool, and the program of golang/go issue
// 23199 in that issue's own timing. Prints the megabytes that the heap holds after each collection.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

const (
	inFlight = 10
	small    = 1 << 10
	mib      = 1 << 20
)

var pool = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Makes room for size bytes, and writes them.
func serve(buffer *bytes.Buffer, size int) {
	buffer.Reset()
	buffer.Grow(size)
	whole := buffer.Bytes()[:size]
	for i := 0; i < size; i += 4096 {
		whole[i] = 'x'
	}
}

// Ten requests in flight at the same time.
func serveAll(size int) {
	var buffers [inFlight]*bytes.Buffer
	for i := range buffers {
		buffers[i] = pool.Get().(*bytes.Buffer)
		serve(buffers[i], size)
	}
	for _, buffer := range buffers {
		pool.Put(buffer)
	}
}

// One request after the other, in its own time: it takes hold, and a millisecond passes before
// the next one.
func serveSlowly(size int, hold time.Duration) {
	buffer := pool.Get().(*bytes.Buffer)
	time.Sleep(hold)
	serve(buffer, size)
	pool.Put(buffer)
	time.Sleep(time.Millisecond)
}

func resident() (kib int) {
	status, _ := os.ReadFile("/proc/self/status")
	if at := strings.Index(string(status), "VmRSS:"); at >= 0 {
		fmt.Sscanf(string(status)[at:], "VmRSS: %d kB", &kib)
	}
	return kib
}

func report(cycle int) {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	fmt.Printf("%5d  %8.2f  %8.2f\n", cycle, float64(stats.HeapAlloc)/mib,
		float64(resident())/1024)
}

func rounds(large, cycles int) {
	serveAll(large)
	report(0)
	for cycle := 1; cycle <= cycles; cycle++ {
		serveAll(small)
		runtime.GC()
		report(cycle)
	}
}

func inTheirTime(large, cycles int, hold time.Duration) {
	for i := 0; i < inFlight; i++ {
		go serveSlowly(large, hold)
	}
	time.Sleep(2 * hold)
	report(0)
	for i := 0; i < inFlight; i++ {
		go func() {
			for {
				serveSlowly(small, hold)
			}
		}()
	}
	for cycle := 1; cycle <= cycles; cycle++ {
		time.Sleep(2 * hold)
		runtime.GC()
		report(cycle)
	}
}

func main() {
	large := flag.Int("mib", 256, "a large request's size")
	cycles := flag.Int("rounds", 20, "collections")
	hold := flag.Duration("hold", 0,
		"what a request takes, half of the time between collections (the issue: 500ms); "+
			"0: rounds of ten requests and a collection, as large_requests.c")
	flag.Parse()
	fmt.Printf("%5s  %8s  %8s\n", "cycle", "heap", "resident")
	if *hold > 0 {
		inTheirTime(*large*mib, *cycles, *hold)
	} else {
		rounds(*large*mib, *cycles)
	}
}

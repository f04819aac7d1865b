// SPDX-License-Identifier: MIT

// The rival sync.Pool: Go's own benchmarks of it by name and in shape, and the pair of
// bench/operations.h. Built by `go test -c`; prints Go's benchmark format.
package tidebench

import (
	"runtime"
	"runtime/debug"
	"sort"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type object [8]uint64

// A pair of 64 B: get, write, put.
func BenchmarkPair(b *testing.B) {
	pool := sync.Pool{New: func() any { return new(object) }}
	b.RunParallel(func(pb *testing.PB) {
		for n := uint64(0); pb.Next(); n++ {
			o := pool.Get().(*object)
			o[0] = n
			pool.Put(o)
		}
	})
}

func putThenGet(b *testing.B, puts, gets int) {
	var pool sync.Pool
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			for i := 0; i < puts; i++ {
				pool.Put(1)
			}
			for i := 0; i < gets; i++ {
				pool.Get()
			}
		}
	})
}

func BenchmarkPool(b *testing.B) {
	var pool sync.Pool
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			pool.Put(1)
			pool.Get()
		}
	})
}

func BenchmarkPoolOverflow(b *testing.B) { putThenGet(b, 100, 100) }

func BenchmarkPoolStarvation(b *testing.B) { putThenGet(b, 67, 100) }

func fill(pool *sync.Pool, count int) {
	var item any = 42
	for i := 0; i < count; i++ {
		pool.Put(item)
	}
}

func percentile(values []uint64, percent int) float64 {
	sort.Slice(values, func(i, j int) bool { return values[i] < values[j] })
	return float64(values[len(values)*percent/100])
}

// The pause of a collection with 100,000 items in a pool, and how long the collection takes.
func BenchmarkPoolSTW(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var stats runtime.MemStats
	var pauses, collections []uint64
	var pool sync.Pool
	for i := 0; i < b.N; i++ {
		fill(&pool, 100000)
		begin := time.Now()
		runtime.GC()
		collections = append(collections, uint64(time.Since(begin)))
		runtime.ReadMemStats(&stats)
		pauses = append(pauses, stats.PauseNs[(stats.NumGC+255)%256])
	}
	b.ReportMetric(percentile(pauses, 50), "p50-ns/STW")
	b.ReportMetric(percentile(pauses, 95), "p95-ns/STW")
	b.ReportMetric(percentile(collections, 50), "p50-ns/GC")
	b.ReportMetric(percentile(collections, 95), "p95-ns/GC")
}

var globalSink any

func slowPool(news *uint64) *sync.Pool {
	return &sync.Pool{New: func() any {
		atomic.AddUint64(news, 1)
		time.Sleep(time.Millisecond)
		return 42
	}}
}

// Each item is held while 32 KiB of garbage are made.
func expensiveRound(pool *sync.Pool, items []any) (sink []byte) {
	for i := range items {
		items[i] = pool.Get()
		sink = make([]byte, 32<<10)
	}
	for i, item := range items {
		pool.Put(item)
		items[i] = nil
	}
	return sink
}

// A ballast of 8 MiB gives the collector a heap that makes it run at reasonable times.
func BenchmarkPoolExpensiveNew(b *testing.B) {
	globalSink = make([]byte, 8<<20)
	defer func() { globalSink = nil }()
	var news uint64
	pool := slowPool(&news)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.RunParallel(func(pb *testing.PB) {
		items := make([]any, 100)
		for pb.Next() {
			expensiveRound(pool, items)
		}
	})
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.NumGC-before.NumGC)/float64(b.N), "GCs/op")
	b.ReportMetric(float64(news)/float64(b.N), "New/op")
}

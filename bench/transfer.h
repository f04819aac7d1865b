/* SPDX-License-Identifier: MIT */
/*
 * transfer.h: objects that are got on one CPU and put on another, handed over through a ring.
 */
#ifndef TIDE_BENCH_TRANSFER_H
#define TIDE_BENCH_TRANSFER_H

#include "operations.h"

/* Runs the operation: the calling thread consumes and is timed, a thread on another CPU
 * produces. Time is wall time for each object handed over. Needs two CPUs. */
void operate_transfer(tide_bench *bench, get_function *get, put_function *put);

#endif

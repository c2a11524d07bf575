/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one function over many items on several threads. The caller is one of the threads; the others live for
 * the call only. Chunks of items are handed out in order of demand, so uneven items balance. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Works on the items from .. to - 1 as thread number `thread` (0 .. threads - 1; at most one call at a time
 * has a given number, so it may index scratch memory). */
typedef aff_status (*aff_parallel_fn)(void *context, int thread, uint32_t from, uint32_t to);

/* Told now and then, in the calling thread only, how many items are handed out; false cancels the run. */
typedef bool (*aff_watch_fn)(void *context, uint64_t done, uint64_t total);

struct aff_watch {
    aff_watch_fn call; /* NULL: nobody watches */
    void *context;
};

/* The number of threads to use: `wanted`, or for 0 one a processor that this process may use. At least 1. */
int aff_parallel_threads(int wanted);

/* Calls `work` for all of 0 .. n_items - 1 in chunks of `chunk` (at least 1). Returns the first failure; no
 * further chunk is then handed out. AFF_CANCELLED if the watch said no. If fewer threads than asked for can
 * be started, the others do the work. */
AFF_MUST_CHECK aff_status aff_parallel_run(int n_threads, uint32_t n_items, uint32_t chunk,
                                           aff_parallel_fn work, void *context,
                                           const struct aff_watch *watch);

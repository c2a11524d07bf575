/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/parallel.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

struct run {
    aff_parallel_fn work;
    void *context;
    const struct aff_watch *watch;
    uint64_t n_items;
    uint32_t chunk;
    _Atomic uint64_t next; /* first item that nobody has taken; 64 bits, so that it cannot wrap */
    _Atomic int failed;    /* the first failure */
};

struct worker {
    struct run *run;
    int number;
    pthread_t thread;
};

int aff_parallel_threads(int wanted)
{
    cpu_set_t allowed;

    if (wanted > 0)
        return wanted;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return 1;
    int n = CPU_COUNT(&allowed);
    return n < 1 ? 1 : n;
}

static void fail(struct run *run, aff_status status)
{
    int none = AFF_OK;
    (void)atomic_compare_exchange_strong(&run->failed, &none, (int)status);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct run *run = worker->run;

    while (atomic_load(&run->failed) == AFF_OK) {
        uint64_t from = atomic_fetch_add(&run->next, run->chunk);
        if (from >= run->n_items)
            break;
        uint64_t to = from + run->chunk < run->n_items ? from + run->chunk : run->n_items;
        aff_status status = run->work(run->context, worker->number, (uint32_t)from, (uint32_t)to);
        if (status == AFF_OK && worker->number == 0 && run->watch != NULL && run->watch->call != NULL &&
            !run->watch->call(run->watch->context, to, run->n_items))
            status = AFF_CANCELLED;
        if (status != AFF_OK)
            fail(run, status);
    }
    return NULL;
}

aff_status aff_parallel_run(int n_threads, uint32_t n_items, uint32_t chunk, aff_parallel_fn function,
                            void *context, const struct aff_watch *watch)
{
    struct run run = {
        .work = function, .context = context, .watch = watch, .n_items = n_items, .chunk = chunk};
    struct worker *workers = calloc((size_t)n_threads, sizeof *workers);
    int started = 1;

    assert(n_threads >= 1);
    if (workers == NULL)
        return AFF_NOMEM;
    for (int i = 0; i < n_threads; i++)
        workers[i] = (struct worker){.run = &run, .number = i};
    while (started < n_threads &&
           pthread_create(&workers[started].thread, NULL, work, &workers[started]) == 0)
        started++;
    (void)work(&workers[0]);
    for (int i = 1; i < started; i++)
        (void)pthread_join(workers[i].thread, NULL);
    free(workers);
    return (aff_status)atomic_load(&run.failed);
}

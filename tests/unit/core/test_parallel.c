/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/parallel.h"

#include "core/base/jobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ITEMS = 10007 };

struct tally {
    _Atomic int seen[ITEMS];
    _Atomic int in_use[4]; /* calls at the moment that have the thread number */
    _Atomic int calls;
    uint32_t fail_at;
};

static aff_status tick(void *context, int thread, uint32_t from, uint32_t to)
{
    struct tally *tally = context;

    assert_int_equal(atomic_fetch_add(&tally->in_use[thread], 1), 0);
    atomic_fetch_add(&tally->calls, 1);
    for (uint32_t i = from; i < to; i++)
        atomic_fetch_add(&tally->seen[i], 1);
    atomic_fetch_sub(&tally->in_use[thread], 1);
    return from <= tally->fail_at && tally->fail_at < to ? AFF_DATA : AFF_OK;
}

static void every_item_is_worked_on_once(void **state)
{
    (void)state;
    static struct tally tally;

    for (int n_threads = 1; n_threads <= 4; n_threads++) {
        memset(&tally, 0, sizeof tally);
        tally.fail_at = UINT32_MAX;
        assert_int_equal(aff_parallel_run(n_threads, ITEMS, 10, tick, &tally, NULL), AFF_OK);
        for (int i = 0; i < ITEMS; i++)
            assert_int_equal(tally.seen[i], 1);
    }
    assert_int_equal(aff_parallel_run(3, 0, 10, tick, &tally, NULL), AFF_OK);
}

static void failure_ends_the_run(void **state)
{
    (void)state;
    static struct tally tally;

    memset(&tally, 0, sizeof tally);
    tally.fail_at = 55;
    assert_int_equal(aff_parallel_run(2, ITEMS, 10, tick, &tally, NULL), AFF_DATA);
    assert_true(tally.calls < ITEMS / 10);
}

static bool refuse_after_some(void *context, uint64_t done, uint64_t total)
{
    (void)context;
    assert_true(done <= total);
    return done < 100;
}

static void watch_can_cancel(void **state)
{
    (void)state;
    static struct tally tally;
    const struct aff_watch watch = {refuse_after_some, NULL};

    memset(&tally, 0, sizeof tally);
    tally.fail_at = UINT32_MAX;
    assert_int_equal(aff_parallel_run(1, ITEMS, 10, tick, &tally, &watch), AFF_CANCELLED);
    assert_int_equal(tally.calls, 10);
}

static aff_status job_that_waits(void *context, const struct aff_watch *watch, struct aff_error *reterr)
{
    const struct timespec moment = {.tv_nsec = 1000000};

    for (uint64_t i = 0; i < 20000; i++) {
        if (!watch->call(watch->context, i, 20000)) {
            atomic_fetch_add((_Atomic int *)context, 1);
            return aff_error_set(reterr, AFF_CANCELLED, "cancelled");
        }
        (void)nanosleep(&moment, NULL);
    }
    return AFF_OK;
}

static aff_status job_that_fails(void *context, const struct aff_watch *watch, struct aff_error *reterr)
{
    (void)context;
    (void)watch;
    return aff_error_set(reterr, AFF_DATA, "the first failure");
}

static aff_status job_that_succeeds(void *context, const struct aff_watch *watch, struct aff_error *reterr)
{
    (void)reterr;
    assert_true(watch->call(watch->context, 1, 2));
    atomic_fetch_add((_Atomic int *)context, 1);
    return AFF_OK;
}

static void jobs_all_succeed(void **state)
{
    (void)state;
    struct aff_jobs *jobs = NULL;
    _Atomic int done = 0;

    assert_int_equal(aff_jobs_new(&jobs), AFF_OK);
    for (int i = 0; i < AFF_JOBS_MAX; i++)
        assert_int_equal(aff_jobs_start(jobs, job_that_succeeds, &done), AFF_OK);
    assert_int_equal(aff_jobs_start(jobs, job_that_succeeds, &done), AFF_LIMIT);
    assert_int_equal(aff_jobs_wait(jobs, NULL, NULL), AFF_OK);
    assert_int_equal(done, AFF_JOBS_MAX);
    aff_jobs_free(jobs);
}

static void failing_job_cancels_the_others_and_is_reported(void **state)
{
    (void)state;
    struct aff_jobs *jobs = NULL;
    struct aff_error error = {0};
    _Atomic int cancelled = 0;

    assert_int_equal(aff_jobs_new(&jobs), AFF_OK);
    assert_int_equal(aff_jobs_start(jobs, job_that_waits, &cancelled), AFF_OK);
    assert_int_equal(aff_jobs_start(jobs, job_that_fails, NULL), AFF_OK);
    assert_int_equal(aff_jobs_wait(jobs, NULL, &error), AFF_DATA);
    assert_string_equal(error.text, "the first failure");
    assert_int_equal(cancelled, 1);
    aff_jobs_free(jobs);
}

static void freeing_jobs_cancels_them(void **state)
{
    (void)state;
    struct aff_jobs *jobs = NULL;
    _Atomic int cancelled = 0;

    assert_int_equal(aff_jobs_new(&jobs), AFF_OK);
    assert_int_equal(aff_jobs_start(jobs, job_that_waits, &cancelled), AFF_OK);
    aff_jobs_free(jobs);
    assert_int_equal(cancelled, 1);
    aff_jobs_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_is_worked_on_once),
        cmocka_unit_test(failure_ends_the_run),
        cmocka_unit_test(watch_can_cancel),
        cmocka_unit_test(jobs_all_succeed),
        cmocka_unit_test(failing_job_cancels_the_others_and_is_reported),
        cmocka_unit_test(freeing_jobs_cancels_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

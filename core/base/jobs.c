/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/jobs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { WHOLE = 1000, LOOK_EVERY_NS = 100000000 };

struct job {
    struct aff_jobs *jobs;
    aff_job_fn run;
    void *context;
    pthread_t thread;
    _Atomic uint32_t done; /* in thousandths */
};

struct aff_jobs {
    struct job job[AFF_JOBS_MAX];
    int n; /* started, and not yet joined */
    _Atomic bool cancelled;
    pthread_mutex_t mutex; /* over everything below */
    pthread_cond_t changed;
    int running;
    aff_status status; /* the first failure */
    struct aff_error error;
};

aff_status aff_jobs_new(struct aff_jobs **ret_jobs)
{
    struct aff_jobs *jobs = calloc(1, sizeof *jobs);

    if (jobs == NULL)
        return AFF_NOMEM;
    (void)pthread_mutex_init(&jobs->mutex, NULL);
    (void)pthread_cond_init(&jobs->changed, NULL);
    *ret_jobs = jobs;
    return AFF_OK;
}

static void join(struct aff_jobs *jobs)
{
    for (int i = 0; i < jobs->n; i++)
        (void)pthread_join(jobs->job[i].thread, NULL);
    jobs->n = 0;
}

void aff_jobs_free(struct aff_jobs *jobs)
{
    if (jobs == NULL)
        return;
    atomic_store(&jobs->cancelled, true);
    join(jobs);
    (void)pthread_mutex_destroy(&jobs->mutex);
    (void)pthread_cond_destroy(&jobs->changed);
    free(jobs);
}

static bool note(void *context, uint64_t done, uint64_t total)
{
    struct job *job = context;

    if (total > 0) /* else it does not know, and the last answer stands */
        atomic_store(&job->done, done >= total ? WHOLE : (uint32_t)((double)done / (double)total * WHOLE));
    return !atomic_load(&job->jobs->cancelled);
}

static void *run(void *argument)
{
    struct job *job = argument;
    struct aff_jobs *jobs = job->jobs;
    struct aff_watch watch = {note, job};
    struct aff_error error = {0};
    aff_status status = job->run(job->context, &watch, &error);

    atomic_store(&job->done, WHOLE);
    (void)pthread_mutex_lock(&jobs->mutex);
    jobs->running--;
    if (status != AFF_OK && jobs->status == AFF_OK) {
        jobs->status = status;
        jobs->error = error;
        atomic_store(&jobs->cancelled, true);
    }
    (void)pthread_cond_signal(&jobs->changed);
    (void)pthread_mutex_unlock(&jobs->mutex);
    return NULL;
}

aff_status aff_jobs_start(struct aff_jobs *jobs, aff_job_fn function, void *context)
{
    struct job *job = &jobs->job[jobs->n];

    if (jobs->n == AFF_JOBS_MAX)
        return AFF_LIMIT;
    *job = (struct job){.jobs = jobs, .run = function, .context = context};
    (void)pthread_mutex_lock(&jobs->mutex);
    jobs->running++;
    (void)pthread_mutex_unlock(&jobs->mutex);
    if (pthread_create(&job->thread, NULL, run, job) != 0) {
        (void)pthread_mutex_lock(&jobs->mutex);
        jobs->running--;
        (void)pthread_mutex_unlock(&jobs->mutex);
        return AFF_NOMEM;
    }
    jobs->n++;
    return AFF_OK;
}

/* Waits a moment for a job to end; false if none runs. */
static bool wait_a_moment(struct aff_jobs *jobs)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_EVERY_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&jobs->mutex);
    if (jobs->running > 0)
        (void)pthread_cond_timedwait(&jobs->changed, &jobs->mutex, &until);
    bool running = jobs->running > 0;
    (void)pthread_mutex_unlock(&jobs->mutex);
    return running;
}

aff_status aff_jobs_wait(struct aff_jobs *jobs, const struct aff_watch *watch, struct aff_error *reterr)
{
    while (wait_a_moment(jobs)) {
        uint64_t done = 0;
        for (int i = 0; i < jobs->n; i++)
            done += atomic_load(&jobs->job[i].done);
        if (watch != NULL && watch->call != NULL &&
            !watch->call(watch->context, done, (uint64_t)jobs->n * WHOLE))
            atomic_store(&jobs->cancelled, true);
    }
    join(jobs);
    if (jobs->status != AFF_OK && reterr != NULL)
        *reterr = jobs->error;
    return jobs->status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A few long pieces of work side by side, each on a thread of its own, that succeed or fail together. */
#pragma once

#include "core/base/parallel.h"
#include "core/base/status.h"

enum { AFF_JOBS_MAX = 8 };

/* One piece of work. It tells `watch` how far it is, and stops with AFF_CANCELLED when the watch says no. */
typedef aff_status (*aff_job_fn)(void *context, const struct aff_watch *watch, struct aff_error *reterr);

struct aff_jobs;

AFF_MUST_CHECK aff_status aff_jobs_new(struct aff_jobs **ret_jobs);

/* Cancels what still runs, waits for it, frees; NULL is a no-op. */
void aff_jobs_free(struct aff_jobs *jobs);

/* Starts a job; at most AFF_JOBS_MAX. `context` must live until the jobs are freed. */
AFF_MUST_CHECK aff_status aff_jobs_start(struct aff_jobs *jobs, aff_job_fn run, void *context);

/* Waits for all jobs. `watch` is told, in the calling thread, how many thousandths of all jobs are done; if
 * it says no, all are cancelled. Returns the first failure with its text; a job that fails cancels the
 * others. */
AFF_MUST_CHECK aff_status aff_jobs_wait(struct aff_jobs *jobs, const struct aff_watch *watch,
                                        struct aff_error *reterr);

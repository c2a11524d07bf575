/* SPDX-License-Identifier: Apache-2.0 */
#include "server/event_job.h"

#include "server/problem.h"

#include <stdlib.h>

void aff_event_jobs_add(struct aff_event_jobs *jobs, struct aff_event_job *job)
{
    job->next = NULL;
    if (jobs->last == NULL)
        jobs->first = job;
    else
        jobs->last->next = job;
    jobs->last = job;
    jobs->bytes += job->pack.size;
}

void aff_event_jobs_put_before(struct aff_event_jobs *behind, struct aff_event_jobs *jobs)
{
    if (jobs->first == NULL)
        return;
    jobs->last->next = behind->first;
    behind->first = jobs->first;
    if (behind->last == NULL)
        behind->last = jobs->last;
    behind->bytes += jobs->bytes;
    *jobs = (struct aff_event_jobs){0};
}

struct aff_event_job *aff_event_jobs_take(struct aff_event_jobs *jobs)
{
    struct aff_event_job *job = jobs->first;

    if (job == NULL)
        return NULL;
    jobs->first = job->next;
    if (jobs->first == NULL)
        jobs->last = NULL;
    jobs->bytes -= job->pack.size;
    return job;
}

void aff_event_job_end(struct aff_event_job *job, enum aff_event_outcome outcome)
{
    job->outcome = outcome;
    aff_job_done(&job->job);
}

static void count(struct aff_counters *counters, const struct aff_event_job *job)
{
    for (int kind = 1; kind < AFF_EVENT_KIND_MAX; kind++)
        if (job->by_kind[kind] > 0)
            aff_count(&counters->events_accepted[kind], job->by_kind[kind]);
    aff_count(&counters->events_duplicate, job->duplicates);
    aff_count(&counters->events_without_id, job->n_without_id);
    if (job->outcome == AFF_EVENTS_SPOOLED)
        aff_count(&counters->events_spooled, job->pack.n);
}

/* With every event refused the answer is a problem with the same members. */
static void write_answer(const struct aff_event_job *job, struct aff_call *call)
{
    struct aff_json *json = call->reply->body;

    if (job->pack.n == 0) {
        aff_problem_open(call->reply, AFF_PROBLEM_ALL_REFUSED, call->request_id,
                         "every event is wrong; refused says why");
    } else {
        call->reply->status = job->outcome == AFF_EVENTS_SPOOLED ? 202 : 200;
        call->reply->media = AFF_MEDIA_JSON;
        aff_json_open_object(json);
        aff_json_name(json, "request_id");
        aff_json_text(json, call->request_id);
    }
    aff_json_name(json, "accepted");
    aff_json_uint(json, job->pack.n - job->duplicates);
    aff_json_name(json, "duplicates");
    aff_json_uint(json, job->duplicates);
    aff_json_name(json, "refused");
    aff_json_open_array(json);
    if (job->n_refused > 0)
        aff_json_raw(json, job->refused.bytes, job->refused.size);
    aff_json_close_array(json);
    if (job->pack.n > 0) {
        aff_json_name(json, "stored_in");
        aff_json_string(json, job->outcome == AFF_EVENTS_SPOOLED ? "spool" : "database");
        aff_json_name(json, "not_retry_safe");
        aff_json_uint(json, job->n_without_id);
    }
    aff_json_close_object(json);
}

void aff_event_job_answer(struct aff_event_job *job, struct aff_call *call)
{
    switch (job->outcome) {
    case AFF_EVENTS_STORED:
    case AFF_EVENTS_SPOOLED:
        write_answer(job, call);
        count(call->context->counters, job);
        break;
    case AFF_EVENTS_FULL:
        aff_problem_write(call->reply, AFF_PROBLEM_UNAVAILABLE, call->request_id, NULL,
                          "there is no room for more events until the database takes them; none of these was "
                          "stored");
        break;
    case AFF_EVENTS_AWAY:
        aff_problem_write(call->reply, AFF_PROBLEM_UNAVAILABLE, call->request_id, NULL,
                          "the events could not be stored; those with an event_id may be sent again");
        break;
    }
    if (job->outcome == AFF_EVENTS_FULL || job->outcome == AFF_EVENTS_AWAY) {
        call->reply->retry_after_s = 1;
        aff_count(&call->context->counters->events_turned_away, job->pack.n);
    }
}

static void finish(struct aff_job *job, struct aff_call *call)
{
    struct aff_event_job *mine = (struct aff_event_job *)job;

    aff_event_job_answer(mine, call);
    aff_event_job_free(mine);
}

struct aff_event_job *aff_event_job_new(void)
{
    struct aff_event_job *job = calloc(1, sizeof *job);

    if (job != NULL)
        job->job.finish = finish;
    return job;
}

void aff_event_job_free(struct aff_event_job *job)
{
    if (job == NULL)
        return;
    aff_event_pack_done(&job->pack);
    aff_json_done(&job->refused);
    free(job);
}

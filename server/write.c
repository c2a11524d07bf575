/* SPDX-License-Identifier: Apache-2.0 */
#include "server/write.h"

#include "core/base/clock.h"
#include "server/dispatch.h"
#include "server/problem.h"

#include <stdlib.h>

void aff_write_release(struct aff_write *write)
{
    if (atomic_fetch_sub_explicit(&write->references, 1, memory_order_acq_rel) > 1)
        return;
    aff_batch_done(&write->batch);
    aff_json_done(&write->draft);
    aff_json_done(&write->answer);
    free(write->body);
    free(write);
}

static void count(struct aff_counters *counters, const struct aff_write *write)
{
    aff_counter *written[] = {&counters->orders_written, &counters->products_written,
                              &counters->customers_written, &counters->reviews_written};

    if (write->kind != AFF_BATCH_REVIEW_LIST)
        aff_count(written[write->kind], write->counts[AFF_ENTRY_CREATED] + write->counts[AFF_ENTRY_CHANGED]);
    aff_count(&counters->entries_unchanged, write->counts[AFF_ENTRY_UNCHANGED]);
    aff_count(&counters->entries_refused, write->counts[AFF_ENTRY_REFUSED]);
    aff_count(&counters->writes_replayed, write->reply.replayed);
    aff_count(&counters->writes_failed, write->reply.status >= 500);
}

/* The worker's buffer and the write's change places, so that nothing is copied. */
static void finish(struct aff_job *job, struct aff_call *call)
{
    struct aff_write *write = (struct aff_write *)job;
    struct aff_json *body = call->reply->body, buffer = *body;

    *body = write->answer;
    write->answer = buffer;
    call->reply->status = write->reply.status;
    call->reply->media = write->reply.media;
    call->reply->retry_after_s = write->reply.retry_after_s;
    call->reply->replayed = write->reply.replayed;
    count(call->context->counters, write);
    aff_write_release(write);
}

/* What makes two requests the same, beside the store: kind, form and body. */
static void make_digest(struct aff_write *write)
{
    uint64_t words[AFF_WRITE_DIGEST / 8] = {(uint64_t)write->kind << 1 | write->lines, write->body_size,
                                            aff_text_hash((struct aff_text){write->body, write->body_size})};

    memcpy(write->digest, words, sizeof write->digest);
}

static void keep_text(char *into, struct aff_text text)
{
    memcpy(into, text.at, text.size);
    into[text.size] = '\0';
}

struct aff_write *aff_write_new(struct aff_call *call, enum aff_batch_kind kind, struct aff_text store)
{
    struct aff_write *write = calloc(1, sizeof *write);

    if (write == NULL) {
        aff_problem_write(call->reply, AFF_PROBLEM_UNAVAILABLE, call->request_id, NULL, "%s",
                          aff_status_text(AFF_NOMEM));
        call->reply->retry_after_s = 1;
        return NULL;
    }
    atomic_init(&write->references, 1);
    write->job.finish = finish;
    write->reply.body = &write->answer;
    write->kind = kind;
    write->lines = aff_dispatch_is_lines(call);
    keep_text(write->store, store);
    if (call->idempotency_key.size > 0)
        keep_text(write->key, call->idempotency_key);
    if (call->request_id.size <= AFF_REQUEST_ID_MAX)
        keep_text(write->request_id, call->request_id);
    write->most = call->context->live.write_batch;
    write->deadline_us = aff_clock_monotonic_us() + AFF_WRITE_DEADLINE_US;
    if (!aff_call_wait(call, &write->job)) {
        aff_write_release(write);
        return NULL;
    }
    atomic_init(&write->references, 2);
    write->body = aff_call_take_body(call, &write->body_size);
    if (write->body != NULL)
        make_digest(write);
    return write;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions about pairs inside a round, and lists of pairs, which only read. */
#include "server/writer_internal.h"

#include "server/present_review.h"

#include <stdlib.h>

static aff_status no_memory(struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
}

static aff_status judge(struct aff_batch *batch, size_t index, enum aff_review_outcome outcome)
{
    struct aff_entry *entry = &batch->entries[index];

    switch (outcome) {
    case AFF_REVIEW_CREATED:
        entry->status = AFF_ENTRY_CREATED;
        break;
    case AFF_REVIEW_CHANGED:
        entry->status = AFF_ENTRY_CHANGED;
        break;
    case AFF_REVIEW_UNCHANGED:
        entry->status = AFF_ENTRY_UNCHANGED;
        break;
    case AFF_REVIEW_NO_PRODUCT:
        return aff_batch_refuse(batch, index, "product", "the store has no such product");
    case AFF_REVIEW_NO_OTHER:
        return aff_batch_refuse(batch, index, "other", "the store has no such product");
    }
    return AFF_OK;
}

/* The entries of all requests that are not refused: listed, or with `outcomes` judged. */
static aff_status walk(struct aff_round *round, struct aff_review_entry *entries, bool outcomes,
                       size_t *ret_n)
{
    aff_status status = AFF_OK;
    size_t n = 0;

    for (size_t i = 0; i < round->n; i++) {
        struct aff_batch *batch = &round->writes[i]->batch;
        for (size_t j = 0; j < batch->n && status == AFF_OK; j++) {
            const struct aff_entry *entry = &batch->entries[j];
            if (entry->status == AFF_ENTRY_REFUSED)
                continue;
            if (outcomes)
                status = judge(batch, j, entries[n].outcome);
            else
                entries[n] = (struct aff_review_entry){.product = entry->values[AFF_REVIEW_PRODUCT],
                                                       .other = entry->values[AFF_REVIEW_OTHER],
                                                       .verdict = (enum aff_verdict)entry->given,
                                                       .by = entry->values[AFF_REVIEW_BY],
                                                       .note = entry->values[AFF_REVIEW_NOTE]};
            n++;
        }
    }
    *ret_n = n;
    return status;
}

aff_status aff_round_review(struct aff_round *round, struct aff_error *reterr)
{
    size_t n = 0;

    for (size_t i = 0; i < round->n; i++)
        n += round->writes[i]->batch.n;
    struct aff_review_entry *entries = calloc(n + 1, sizeof *entries);
    if (entries == NULL)
        return no_memory(reterr);
    aff_status status = walk(round, entries, false, &n);
    if (status == AFF_OK)
        status = aff_review_put(&round->thread->connection, round->thread->store, entries, n, reterr);
    if (status == AFF_OK && walk(round, entries, true, &n) != AFF_OK)
        status = no_memory(reterr);
    round->n_entries = n;
    free(entries);
    return status;
}

/* ---- lists ---- */

static aff_status take_pair(void *context, const struct aff_review_pair *pair)
{
    struct aff_json *json = context;

    aff_present_review(json, pair);
    return json->failed ? AFF_NOMEM : AFF_OK;
}

static aff_status list(struct aff_writer_thread *thread, struct aff_write *write, struct aff_error *reterr)
{
    struct aff_json *json = &write->draft;
    struct aff_review_cursor next;
    char cursor[AFF_REVIEW_CURSOR_TEXT];
    bool more = false;

    aff_json_reset(json);
    aff_json_open_object(json);
    aff_json_name(json, "store");
    aff_json_string(json, write->store);
    aff_json_name(json, "pairs");
    aff_json_open_array(json);
    aff_status status = aff_review_list(&thread->connection, thread->store, &write->list, take_pair, json,
                                        &more, &next, reterr);
    if (status != AFF_OK)
        return status;
    aff_json_close_array(json);
    aff_json_name(json, "next_cursor");
    if (more) {
        aff_review_cursor_write(next, cursor);
        aff_json_string(json, cursor);
    } else {
        aff_json_null(json);
    }
    aff_json_close_object(json);
    write->draft_status = 200;
    return json->failed ? no_memory(reterr) : AFF_OK;
}

aff_status aff_round_list(struct aff_round *round, struct aff_error *reterr)
{
    aff_status status = AFF_OK;

    for (size_t i = 0; i < round->n && status == AFF_OK; i++)
        status = list(round->thread, round->writes[i], reterr);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recommend/batch.h"

#include "cli/progress.h"
#include "cli/recommend/lines.h"
#include "json/query.h"
#include "json/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum { FLUSH_AT = 64 * 1024, SHOW_EVERY = 256 };

/* What one answer after the other needs; large, so on the heap. */
struct batch {
    const struct aff_recommend_options *options;
    const struct aff_model *model;
    const struct aff_blend *blend;
    FILE *to;
    struct aff_workspace *workspace;
    struct aff_json out;
    struct aff_query query;
    struct aff_cart_line cart[AFF_CART_MAX];
    struct aff_text exclude[AFF_EXCLUDE_MAX];
    struct aff_answer answer;
    uint64_t rejected;
};

/* A request takes a cart of AFF_CART_MAX lines and AFF_EXCLUDE_MAX excluded products. Of a longer cart the
 * newest lines ask, older ones are excluded, and what is still left over is taken out of the answer here, so
 * that no product of a cart is ever offered. *ret_left counts the latter, which are the first of the cart. */
static struct aff_request request_of(struct batch *batch, size_t *ret_left)
{
    const struct aff_query *query = &batch->query;
    struct aff_request request = batch->options->request;
    size_t older = query->n_cart > AFF_CART_MAX ? query->n_cart - AFF_CART_MAX : 0;

    request.n_cart = query->n_cart - older;
    request.cart = batch->cart;
    for (size_t i = 0; i < request.n_cart; i++)
        batch->cart[i] = (struct aff_cart_line){query->cart[older + i], 1, AFF_NO_MONEY};
    if (older > 0 && request.as == AFF_AS_VIEWS) {
        older = 0; /* viewed products may be offered */
    } else if (older > 0) {
        memcpy(batch->exclude, request.exclude, request.n_exclude * sizeof *request.exclude);
        while (older > 0 && request.n_exclude < AFF_EXCLUDE_MAX)
            batch->exclude[request.n_exclude++] = query->cart[--older];
        request.exclude = batch->exclude;
        uint32_t room = AFF_ITEMS_MAX - request.limit;
        request.limit += older < room ? (uint32_t)older : room;
    }
    if (!batch->options->no_customer)
        request.customer = query->customer;
    if (query->has_at)
        request.now_us = query->at_us;
    *ret_left = older;
    return request;
}

static bool holds(const struct aff_text *texts, size_t n, struct aff_text text)
{
    for (size_t i = 0; i < n; i++)
        if (aff_text_equal(texts[i], text))
            return true;
    return false;
}

static void write_answer(struct batch *batch, size_t left)
{
    struct aff_json *out = &batch->out;
    uint32_t written = 0;

    aff_json_open_object(out);
    aff_json_name(out, "query_id");
    if (batch->query.id_is_number)
        aff_json_int(out, batch->query.id_number);
    else
        aff_json_text(out, batch->query.id);
    aff_json_name(out, "items");
    aff_json_open_array(out);
    for (uint32_t i = 0; i < batch->answer.n_items && written < batch->options->request.limit; i++) {
        struct aff_text id = aff_catalogue_product(batch->model->catalogue, batch->answer.items[i].row)->id;
        if (left > 0 && holds(batch->query.cart, left, id))
            continue;
        aff_json_text(out, id);
        written++;
    }
    aff_json_close_array(out);
    aff_json_close_object(out);
    out->comma = false; /* each line stands for itself */
    aff_json_raw(out, "\n", 1);
    out->comma = false;
}

static aff_status flush(struct batch *batch, struct aff_error *reterr)
{
    if (batch->out.failed)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    if (batch->out.size > 0 && fwrite(batch->out.bytes, 1, batch->out.size, batch->to) != batch->out.size)
        return aff_error_set(reterr, AFF_IO, "the answers cannot be written: %s", strerror(errno));
    aff_json_reset(&batch->out);
    return AFF_OK;
}

/* A line that is wrong is told and counted; other failures end the batch. */
static aff_status reject(struct batch *batch, uint64_t number, const struct aff_error *error)
{
    if (error->status != AFF_INVALID && error->status != AFF_LIMIT)
        return error->status;
    (void)fprintf(stderr, "affinityctl recommend: line %" PRIu64 " is left out: %s\n", number, error->text);
    batch->rejected++;
    return AFF_OK;
}

static aff_status answer_line(struct batch *batch, struct aff_text line, struct aff_error *reterr)
{
    size_t left;
    aff_status status = aff_query_parse(&batch->query, line, reterr);

    if (status != AFF_OK)
        return status;
    struct aff_request request = request_of(batch, &left);
    status = aff_recommend(batch->model, batch->blend, batch->workspace, &request, &batch->answer);
    if (status != AFF_OK)
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    write_answer(batch, left);
    return AFF_OK;
}

static bool is_blank(struct aff_text line)
{
    for (size_t i = 0; i < line.size; i++)
        if (line.at[i] != ' ' && line.at[i] != '\t')
            return false;
    return true;
}

static aff_status answer_lines(struct batch *batch, struct aff_lines *lines, struct aff_error *reterr)
{
    struct aff_progress progress;
    uint64_t done = 0;

    aff_progress_start(&progress, "answering", "queries", 0, batch->options->settings.quiet);
    for (;;) {
        struct aff_error error;
        struct aff_text line;
        bool more = true;
        aff_status status = aff_lines_next(lines, &line, &more, &error);
        if (status == AFF_OK && !more)
            break;
        if (status == AFF_OK && is_blank(line))
            continue;
        if (status == AFF_OK)
            status = answer_line(batch, line, &error);
        if (status != AFF_OK && reject(batch, lines->number, &error) != AFF_OK)
            return aff_error_set(reterr, status, "line %" PRIu64 ": %s", lines->number, error.text);
        if (batch->out.size >= FLUSH_AT && (status = flush(batch, reterr)) != AFF_OK)
            return status;
        if (++done % SHOW_EVERY == 0)
            aff_progress_show(&progress, done);
    }
    aff_status status = flush(batch, reterr);
    if (status == AFF_OK && fflush(batch->to) != 0)
        status = aff_error_set(reterr, AFF_IO, "the answers cannot be written: %s", strerror(errno));
    if (status == AFF_OK)
        aff_progress_finish(&progress, done);
    return status;
}

aff_status aff_recommend_batch(const struct aff_recommend_options *options, const struct aff_model *model,
                               const struct aff_blend *blend, FILE *to, uint64_t *ret_rejected,
                               struct aff_error *reterr)
{
    struct aff_lines lines = {0};
    struct batch *batch = malloc(sizeof *batch);

    if (batch == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    memset(batch, 0, sizeof *batch);
    batch->options = options;
    batch->model = model;
    batch->blend = blend;
    batch->to = to;
    aff_status status = aff_workspace_new(&batch->workspace);
    if (status != AFF_OK)
        (void)aff_error_set(reterr, status, "%s", aff_status_text(status));
    if (status == AFF_OK)
        status = aff_lines_open(&lines, options->batch, reterr);
    if (status == AFF_OK)
        status = answer_lines(batch, &lines, reterr);
    if (status == AFF_OK)
        *ret_rejected = batch->rejected;
    aff_lines_done(&lines);
    aff_query_done(&batch->query);
    aff_json_done(&batch->out);
    aff_workspace_free(batch->workspace);
    free(batch);
    return status;
}

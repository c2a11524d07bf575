/* SPDX-License-Identifier: Apache-2.0 */
#include "server/send.h"

#include "core/base/clock.h"
#include "server/worker.h"

#include <stdio.h>

static const char *const media_types[] = {
    [AFF_MEDIA_NONE] = NULL,
    [AFF_MEDIA_JSON] = "application/json",
    [AFF_MEDIA_PROBLEM] = "application/problem+json",
    [AFF_MEDIA_METRICS] = "text/plain; version=0.0.4; charset=utf-8",
    [AFF_MEDIA_YAML] = "application/yaml",
};

static void give_back(void *cls)
{
    aff_buffer_give(cls);
}

/* The response owns the buffer from here on. */
static struct MHD_Response *make_response(struct aff_peer *peer)
{
    const struct aff_reply *reply = &peer->reply;
    struct aff_buffer *buffer = peer->buffer;

    if (reply->fixed.at != NULL || reply->media == AFF_MEDIA_NONE) {
        /* libmicrohttpd only reads a persistent body, but takes it as pointer to non-const. */
        union {
            const char *in;
            void *out;
        } text = {reply->fixed.at};
        return MHD_create_response_from_buffer(reply->fixed.size, text.out, MHD_RESPMEM_PERSISTENT);
    }
    if (buffer->json.failed)
        return NULL;
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        buffer->json.size, buffer->json.bytes, give_back, buffer);
    if (response != NULL)
        peer->buffer = NULL;
    return response;
}

static void add_headers(struct MHD_Response *response, const struct aff_reply *reply,
                        struct aff_text request_id, bool close)
{
    char text[AFF_REQUEST_ID_MAX + 1];

    if (media_types[reply->media] != NULL)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, media_types[reply->media]);
    if (request_id.size > 0 && request_id.size < sizeof text) {
        memcpy(text, request_id.at, request_id.size);
        text[request_id.size] = '\0';
        (void)MHD_add_response_header(response, "X-Request-Id", text);
    }
    if (reply->fixed.at == NULL && reply->media != AFF_MEDIA_NONE)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (reply->allow[0] != '\0')
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, reply->allow);
    if (reply->retry_after_s > 0) {
        (void)snprintf(text, sizeof text, "%u", reply->retry_after_s);
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, text);
    }
    if (reply->replayed)
        (void)MHD_add_response_header(response, "Idempotency-Replayed", "true");
    if (close)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
}

static void account(struct aff_peer *peer, size_t size)
{
    struct aff_context *context = &peer->worker->context;
    int64_t took_us = aff_clock_monotonic_us() - peer->started_us;

    aff_counters_answer(context->counters, peer->match.series, peer->reply.status, took_us);
    aff_count(&context->counters->sent_bytes, size);
    if (aff_log_wants(context->shared->log, AFF_LOG_DEBUG))
        aff_log(context->shared->log, AFF_LOG_DEBUG, "request",
                AFF_LOG_FIELDS({"route", aff_series_name(peer->match.series), 0},
                               {"status", NULL, peer->reply.status}, {"took_us", NULL, took_us},
                               {"bytes", NULL, (int64_t)size}),
                "request answered");
}

enum MHD_Result aff_send(struct aff_peer *peer, struct MHD_Connection *connection)
{
    const struct aff_reply *reply = &peer->reply;
    size_t size =
        reply->fixed.at != NULL || reply->media == AFF_MEDIA_NONE ? reply->fixed.size : reply->body->size;
    struct MHD_Response *response = make_response(peer);

    if (response == NULL)
        return MHD_NO;
    add_headers(response, reply, peer->inbound.request_id, reply->close || peer->worker->quiesced);
    enum MHD_Result result = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    account(peer, size);
    peer->answered = true;
    peer->phase = AFF_PHASE_ANSWER;
    peer->since_ms = (int64_t)uv_now(&peer->worker->loop);
    return result;
}

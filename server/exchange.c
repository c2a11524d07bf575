/* SPDX-License-Identifier: Apache-2.0 */
#include "server/exchange.h"

#include "core/base/clock.h"
#include "server/dispatch.h"
#include "server/job.h"
#include "server/problem.h"
#include "server/send.h"
#include "server/surplus.h"
#include "server/worker.h"

/* A refused body is still read, so that the client gets to see the answer instead of a reset; but not more of
 * it than this. */
#define THROWN_BYTES_MAX (UINT64_C(16) << 20)

static int64_t now_ms(struct aff_worker *worker)
{
    return (int64_t)uv_now(&worker->loop);
}

void aff_exchange_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                             enum MHD_ConnectionNotificationCode code)
{
    struct aff_worker *worker = cls;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *socket_context = aff_peer_new(worker, info == NULL ? -1 : info->connect_fd, now_ms(worker));
        if (*socket_context == NULL)
            return;
        info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        aff_peer_set_address(*socket_context, info == NULL ? NULL : info->client_addr);
        aff_count(&worker->context.counters->connections, 1);
        aff_count(&worker->context.counters->open, 1);
        atomic_fetch_add_explicit(worker->open, 1, memory_order_relaxed);
    } else if (*socket_context != NULL) {
        aff_peer_free(*socket_context);
        *socket_context = NULL;
        aff_uncount(&worker->context.counters->open, 1);
        atomic_fetch_sub_explicit(worker->open, 1, memory_order_relaxed);
    }
}

void *aff_exchange_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct aff_worker *worker = cls;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct aff_peer *peer = info == NULL ? NULL : info->socket_context;

    if (peer == NULL || !aff_peer_set_target(peer, target == NULL ? "" : target))
        return NULL;
    peer->phase = AFF_PHASE_HEAD;
    peer->since_ms = now_ms(worker);
    aff_count(&worker->context.counters->in_flight, 1);
    return peer;
}

static enum MHD_Result take_field(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                  const char *value, size_t value_size)
{
    struct aff_head *head = cls;

    (void)kind;
    if (head->n_fields < AFF_HEAD_FIELDS)
        head->fields[head->n_fields] = (struct aff_field){{name, name_size}, {value, value_size}};
    head->n_fields++;
    return MHD_YES;
}

static struct aff_call call_of(struct aff_peer *peer)
{
    const struct aff_inbound *inbound = &peer->inbound;
    char *query = inbound->query.size == 0 ? NULL : peer->target + (inbound->query.at - peer->target);

    return (struct aff_call){
        .context = &peer->worker->context,
        .method = inbound->method,
        .path = inbound->path,
        .query = query,
        .query_size = inbound->query.size,
        .body = {peer->body, peer->body_size},
        .content_type = inbound->content_type,
        .content_encoding = inbound->content_encoding,
        .request_id = peer->request_id,
        .idempotency_key = inbound->idempotency_key,
        .remote = peer->remote || inbound->forwarded,
        .started_us = peer->started_us,
        .reply = &peer->reply,
        .peer = peer,
    };
}

/* The job writes the reply and is gone. */
static void finish_job(struct aff_peer *peer)
{
    struct aff_call call = call_of(peer);
    struct aff_job *job = peer->job;

    peer->job = NULL;
    peer->connection = NULL;
    peer->worker->jobs--;
    aff_uncount(&peer->worker->context.counters->waiting, 1);
    atomic_fetch_sub_explicit(peer->worker->context.shared->waiting, 1, memory_order_relaxed);
    job->finish(job, &call);
}

void aff_exchange_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                            enum MHD_RequestTerminationCode code)
{
    struct aff_worker *worker = cls;
    struct aff_peer *peer = *con_cls;

    (void)connection;
    (void)code;
    if (peer == NULL)
        return;
    if (peer->job != NULL) /* the client has left before it could be answered */
        finish_job(peer);
    if (!peer->answered)
        aff_count(&worker->context.counters->requests_aborted, 1);
    aff_uncount(&worker->context.counters->in_flight, 1);
    aff_peer_reset(peer, now_ms(worker));
    *con_cls = NULL;
}

/* Gives the request its id, the client's or one of ours, and a buffer for its answer; false: no memory. */
static bool begin_reply(struct aff_peer *peer)
{
    if (peer->buffer == NULL)
        peer->buffer = aff_buffer_take(&peer->worker->buffers);
    if (peer->buffer == NULL)
        return false;
    peer->reply = (struct aff_reply){.body = &peer->buffer->json};
    peer->request_id = peer->inbound.request_id;
    if (peer->request_id.size == 0) {
        aff_context_make_id(&peer->worker->context, peer->own_id);
        peer->request_id = (struct aff_text){peer->own_id, AFF_ID_TEXT};
    }
    return true;
}

static enum MHD_Result refuse_head(struct aff_peer *peer, struct MHD_Connection *connection,
                                   const struct aff_refusal *refusal)
{
    peer->inbound = (struct aff_inbound){0};
    peer->match = (struct aff_match){.series = AFF_SERIES_refused};
    if (!begin_reply(peer))
        return MHD_NO;
    aff_problem_write(&peer->reply, aff_problem_of_status(refusal->status), peer->request_id, NULL, "%s",
                      refusal->detail);
    peer->reply.close = true;
    return aff_send(peer, connection);
}

/* More connections are open than are allowed: says so and ends this one. */
static enum MHD_Result shed(struct aff_peer *peer, struct MHD_Connection *connection)
{
    aff_count(&peer->worker->context.counters->connections_shed, 1);
    if (!begin_reply(peer))
        return MHD_NO;
    aff_problem_write(&peer->reply, AFF_PROBLEM_UNAVAILABLE, peer->request_id, NULL,
                      "too many connections are open");
    peer->reply.retry_after_s = 1;
    peer->reply.close = true;
    return aff_send(peer, connection);
}

/* Sends the answer to a whole request. A body's end is where two readers of the same bytes disagree first, so
 * a connection that has carried one ends. */
static enum MHD_Result finish(struct aff_peer *peer, struct MHD_Connection *connection)
{
    peer->reply.close = peer->inbound.has_body;
    if (!peer->inbound.has_body && aff_surplus(peer->fd, peer->head_bytes)) {
        aff_count(&peer->worker->context.counters->surplus_closed, 1);
        peer->reply.close = true;
    }
    return aff_send(peer, connection);
}

/* The handler has bound the job to the peer; it may be done already. */
static enum MHD_Result wait_for(struct aff_peer *peer, struct MHD_Connection *connection, struct aff_job *job)
{
    peer->job = job;
    peer->connection = connection;
    peer->phase = AFF_PHASE_WAIT;
    peer->worker->jobs++;
    aff_count(&peer->worker->context.counters->waiting, 1);
    aff_count(&peer->worker->context.counters->waited, 1);
    MHD_suspend_connection(connection);
    return MHD_YES;
}

void aff_exchange_resume(struct aff_job *jobs)
{
    while (jobs != NULL) {
        struct aff_job *next = jobs->next;
        struct aff_peer *peer = jobs->peer;
        peer->phase = AFF_PHASE_READY;
        peer->since_ms = now_ms(peer->worker);
        MHD_resume_connection(peer->connection);
        jobs = next;
    }
}

/* The whole request is there. libmicrohttpd closes a connection whose answer is queued before it has asked
 * for the body, even when there is none, so this is the second call at the earliest. */
static enum MHD_Result run(struct aff_peer *peer, struct MHD_Connection *connection)
{
    if (peer->inbound.has_body)
        peer->started_us = aff_clock_monotonic_us();
    if (peer->phase == AFF_PHASE_BODY) {
        struct aff_call call = call_of(peer);
        aff_dispatch_run(&call, &peer->match);
        if (call.job != NULL)
            return wait_for(peer, connection, call.job);
    }
    return finish(peer, connection);
}

/* The head is all right: decides before a body comes. */
static enum MHD_Result admit(struct aff_peer *peer, struct MHD_Connection *connection)
{
    if (!begin_reply(peer))
        return MHD_NO;
    struct aff_call call = call_of(peer);
    peer->phase = AFF_PHASE_BODY;
    if (aff_dispatch_admit(&call, &peer->match, peer->inbound.has_body, peer->inbound.content_length))
        return MHD_YES;
    peer->phase = AFF_PHASE_REFUSE;
    if (peer->inbound.content_length <= THROWN_BYTES_MAX)
        return MHD_YES;
    peer->reply.close = true;
    return aff_send(peer, connection);
}

static enum MHD_Result take_head(struct aff_peer *peer, struct MHD_Connection *connection, const char *method,
                                 const char *version)
{
    struct aff_worker *worker = peer->worker;
    struct aff_head *head = &worker->head;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    struct aff_refusal refusal;

    head->method = aff_text_of(method);
    head->version = aff_text_of(version);
    head->target = (struct aff_text){peer->target, peer->target_size};
    head->n_fields = 0;
    head->size_bytes = info == NULL ? 0 : info->header_size;
    peer->head_bytes += head->size_bytes;
    peer->started_us = aff_clock_monotonic_us();
    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, take_field, head);
    if (!aff_guard_check(head, &peer->inbound, &refusal))
        return refuse_head(peer, connection, &refusal);
    peer->match = aff_router_find(peer->inbound.method, peer->inbound.path);
    if (atomic_load_explicit(worker->open, memory_order_relaxed) > worker->context.live.connections &&
        (peer->match.route == NULL || peer->match.route->scope != AFF_SCOPE_PUBLIC))
        return shed(peer, connection);
    return admit(peer, connection);
}

/* Throws a refused body away. */
static enum MHD_Result throw_away(struct aff_peer *peer, size_t *upload_size)
{
    peer->thrown_bytes += *upload_size;
    *upload_size = 0;
    return peer->thrown_bytes > THROWN_BYTES_MAX ? MHD_NO : MHD_YES;
}

static enum MHD_Result take_body(struct aff_peer *peer, const char *upload, size_t *upload_size)
{
    size_t size = *upload_size;

    aff_count(&peer->worker->context.counters->received_bytes, size);
    if (peer->phase == AFF_PHASE_REFUSE)
        return throw_away(peer, upload_size);
    if (peer->body_size + size > aff_dispatch_body_bytes(&peer->worker->context.live, &peer->match)) {
        struct aff_call call = call_of(peer);
        (void)aff_dispatch_admit(&call, &peer->match, true, peer->body_size + size);
        peer->phase = AFF_PHASE_REFUSE;
        return throw_away(peer, upload_size);
    }
    if (!aff_peer_add_body(peer, upload, size)) {
        aff_problem_write(&peer->reply, AFF_PROBLEM_UNAVAILABLE, peer->request_id, NULL,
                          "too many large bodies are under way; nothing was done");
        peer->reply.retry_after_s = 1;
        peer->phase = AFF_PHASE_REFUSE;
        return throw_away(peer, upload_size);
    }
    *upload_size = 0;
    return MHD_YES;
}

enum MHD_Result aff_exchange_access(void *cls, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *upload_data,
                                    size_t *upload_data_size, void **con_cls)
{
    struct aff_peer *peer = *con_cls;

    (void)cls;
    (void)url;
    if (peer == NULL) /* there was no memory for it */
        return MHD_NO;
    switch (peer->phase) {
    case AFF_PHASE_HEAD:
        return take_head(peer, connection, method, version);
    case AFF_PHASE_BODY:
    case AFF_PHASE_REFUSE:
        if (*upload_data_size > 0)
            return take_body(peer, upload_data, upload_data_size);
        return run(peer, connection);
    case AFF_PHASE_READY:
        finish_job(peer);
        return finish(peer, connection);
    case AFF_PHASE_WAIT:
        return MHD_YES;
    case AFF_PHASE_IDLE:
    case AFF_PHASE_ANSWER:
        break;
    }
    return MHD_NO;
}

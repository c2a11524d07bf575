/* SPDX-License-Identifier: Apache-2.0 */
#include "server/worker.h"

#include "server/exchange.h"
#include "server/job.h"
#include "server/reaper.h"
#include "server/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK_MS 250
#define CONNECTION_BYTES INT64_C(32768) /* memory for the head of one request */

__attribute__((format(printf, 2, 0))) static void log_library(void *cls, const char *format,
                                                              va_list arguments)
{
    struct aff_worker *worker = cls;
    char text[512];

    (void)vsnprintf(text, sizeof text, format, arguments);
    text[strcspn(text, "\n")] = '\0';
    aff_log(worker->context.shared->log, AFF_LOG_DEBUG, "http_library", NULL, "%s", text);
}

/* Targets stay as they came: whoever compares or decodes them does it once and in one place. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

static aff_status start_daemon(struct aff_worker *worker, const struct aff_worker_plan *plan,
                               struct aff_error *reterr)
{
    int fd = fcntl(plan->listener, F_DUPFD_CLOEXEC, 0);

    if (fd < 0)
        return aff_error_set(reterr, AFF_IO, "cannot share the listening socket: %s", strerror(errno));
    const struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)plan->connections, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)plan->idle_timeout_s, NULL},
#if MHD_VERSION >= 0x01000000
        {MHD_OPTION_CLIENT_DISCIPLINE_LVL, 2, NULL},
#endif
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)aff_exchange_connection, worker},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)aff_exchange_completed, worker},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)aff_exchange_target, worker},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, worker},
        {MHD_OPTION_END, 0, NULL},
    };
    worker->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
                                      NULL, aff_exchange_access, worker, MHD_OPTION_EXTERNAL_LOGGER,
                                      log_library, worker, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    if (worker->daemon == NULL) {
        (void)close(fd);
        return aff_error_set(reterr, AFF_IO, "cannot start the HTTP daemon of worker %u", worker->number);
    }
    return AFF_OK;
}

/* Takes the connections that the kernel had accepted for us before the listening socket goes: closing it
 * would reset them, though their clients have been told that they are connected. */
static void adopt_backlog(struct aff_worker *worker, int listener)
{
    for (;;) {
        struct sockaddr_storage address;
        socklen_t size = sizeof address;
        int fd = accept4(listener, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && errno == EINTR)
            continue;
        if (fd < 0)
            return;
        (void)MHD_add_connection(worker->daemon, fd, (struct sockaddr *)&address, size);
    }
}

static void quiesce(struct aff_worker *worker)
{
    if (worker->quiesced)
        return;
    worker->quiesced = true;
    int listener = MHD_quiesce_daemon(worker->daemon);
    if (listener >= 0) {
        adopt_backlog(worker, listener);
        (void)close(listener);
    }
    atomic_store_explicit(&worker->is_quiesced, true, memory_order_release);
}

/* The last handle is closed, so nothing polls the daemon any more. */
static void on_driver_stopped(struct aff_mhd_uv *driver)
{
    MHD_stop_daemon(driver->daemon);
}

static void stop(struct aff_worker *worker)
{
    quiesce(worker);
    uv_close((uv_handle_t *)&worker->wake, NULL);
    uv_close((uv_handle_t *)&worker->tick, NULL);
    aff_mhd_uv_stop(&worker->driver, on_driver_stopped);
}

/* libmicrohttpd must not be stopped while it has suspended connections. */
static void stop_if_through(struct aff_worker *worker)
{
    if (!worker->stopping || worker->stopped || worker->jobs > 0)
        return;
    worker->stopped = true;
    stop(worker);
}

static void on_wake(uv_async_t *wake)
{
    struct aff_worker *worker = wake->data;

    (void)pthread_mutex_lock(&worker->lock);
    if (worker->has_live)
        worker->context.live = worker->next_live;
    worker->has_live = false;
    bool must_quiesce = worker->must_quiesce;
    worker->stopping = worker->must_stop;
    struct aff_job *jobs = worker->done_jobs;
    worker->done_jobs = NULL;
    (void)pthread_mutex_unlock(&worker->lock);
    if (jobs != NULL) {
        aff_exchange_resume(jobs);
        (void)MHD_run(worker->daemon);
    }
    if (must_quiesce)
        quiesce(worker);
    stop_if_through(worker);
}

static void on_tick(uv_timer_t *tick)
{
    struct aff_worker *worker = tick->data;

    aff_reaper_run(worker, (int64_t)uv_now(&worker->loop));
    stop_if_through(worker);
}

static void *run(void *argument)
{
    struct aff_worker *worker = argument;

    aff_reader_enter();
    (void)uv_run(&worker->loop, UV_RUN_DEFAULT);
    aff_reader_leave();
    return NULL;
}

/* Closes what the loop still has after a failed start, without a thread. */
static void abandon(struct aff_worker *worker)
{
    if (worker->driver.open_handles > 0)
        aff_mhd_uv_stop(&worker->driver, NULL);
    uv_close((uv_handle_t *)&worker->wake, NULL);
    uv_close((uv_handle_t *)&worker->tick, NULL);
    (void)uv_run(&worker->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&worker->loop);
    if (worker->daemon != NULL)
        MHD_stop_daemon(worker->daemon);
    aff_buffers_done(&worker->buffers);
    aff_context_done(&worker->context);
    (void)pthread_mutex_destroy(&worker->lock);
}

static aff_status start_loop(struct aff_worker *worker, struct aff_error *reterr)
{
    int failure = uv_loop_init(&worker->loop);

    if (failure != 0)
        return aff_error_set(reterr, AFF_IO, "cannot make an event loop: %s", uv_strerror(failure));
    (void)uv_timer_init(&worker->loop, &worker->tick);
    failure = uv_async_init(&worker->loop, &worker->wake, on_wake);
    if (failure != 0) {
        uv_close((uv_handle_t *)&worker->tick, NULL);
        (void)uv_run(&worker->loop, UV_RUN_DEFAULT);
        (void)uv_loop_close(&worker->loop);
        return aff_error_set(reterr, AFF_IO, "cannot make an event loop: %s", uv_strerror(failure));
    }
    worker->wake.data = worker->tick.data = worker;
    (void)uv_timer_start(&worker->tick, on_tick, TICK_MS, TICK_MS);
    return AFF_OK;
}

static aff_status start_thread(struct aff_worker *worker, struct aff_error *reterr)
{
    char name[24];

    (void)snprintf(name, sizeof name, "worker-%u", worker->number);
    return aff_thread_start(name, run, worker, &worker->thread, reterr);
}

aff_status aff_worker_start(struct aff_worker *worker, const struct aff_worker_plan *plan,
                            struct aff_error *reterr)
{
    memset(worker, 0, sizeof *worker);
    worker->number = plan->number;
    worker->open = plan->open;
    (void)pthread_mutex_init(&worker->lock, NULL);
    aff_status status = aff_context_init(&worker->context, plan->shared, plan->counters, plan->live);
    if (status != AFF_OK)
        status = aff_error_set(reterr, status, "worker %u: %s", worker->number, aff_status_text(status));
    else
        status = start_loop(worker, reterr);
    if (status != AFF_OK) {
        aff_context_done(&worker->context);
        (void)pthread_mutex_destroy(&worker->lock);
        return status;
    }
    status = start_daemon(worker, plan, reterr);
    if (status == AFF_OK)
        status = aff_mhd_uv_start(&worker->driver, &worker->loop, worker->daemon, reterr);
    if (status == AFF_OK)
        status = start_thread(worker, reterr);
    if (status != AFF_OK)
        abandon(worker);
    return status;
}

void aff_worker_set_live(struct aff_worker *worker, const struct aff_live *live)
{
    (void)pthread_mutex_lock(&worker->lock);
    worker->next_live = *live;
    worker->has_live = true;
    (void)pthread_mutex_unlock(&worker->lock);
    (void)uv_async_send(&worker->wake);
}

/* The loop is woken before the lock is given back: once it is, the worker may find the job, be through with
 * it and stop, and there would be nothing left to wake. */
void aff_worker_take_back(struct aff_worker *worker, struct aff_job *job)
{
    (void)pthread_mutex_lock(&worker->lock);
    job->next = worker->done_jobs;
    worker->done_jobs = job;
    (void)uv_async_send(&worker->wake);
    (void)pthread_mutex_unlock(&worker->lock);
}

void aff_worker_quiesce(struct aff_worker *worker)
{
    (void)pthread_mutex_lock(&worker->lock);
    worker->must_quiesce = true;
    (void)pthread_mutex_unlock(&worker->lock);
    (void)uv_async_send(&worker->wake);
}

void aff_worker_stop(struct aff_worker *worker)
{
    (void)pthread_mutex_lock(&worker->lock);
    worker->must_stop = true;
    (void)pthread_mutex_unlock(&worker->lock);
    (void)uv_async_send(&worker->wake);
}

void aff_worker_join(struct aff_worker *worker)
{
    (void)pthread_join(worker->thread, NULL);
    (void)uv_loop_close(&worker->loop);
    aff_buffers_done(&worker->buffers);
    aff_context_done(&worker->context);
    (void)pthread_mutex_destroy(&worker->lock);
}

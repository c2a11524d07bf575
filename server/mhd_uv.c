/* SPDX-License-Identifier: Apache-2.0 */
#include "server/mhd_uv.h"

/* Rounds of work before other handles of the loop get a turn. */
#define MAX_TURNS 64

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct aff_mhd_uv *driver = poll->data;

    (void)status;
    (void)events;
    (void)MHD_run(driver->daemon);
}

static void on_deadline(uv_timer_t *timer)
{
    struct aff_mhd_uv *driver = timer->data;

    (void)MHD_run(driver->daemon);
}

/* Runs before every wait: libmicrohttpd registers its sockets edge-triggered, so MHD_get_timeout() is not a
 * hint. Whoever waits longer leaves data lying that no event will announce again. */
static void before_wait(uv_prepare_t *prepare)
{
    struct aff_mhd_uv *driver = prepare->data;
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;

    for (unsigned turn = 0; turn < MAX_TURNS; turn++) {
        if (MHD_get_timeout(driver->daemon, &wait_ms) != MHD_YES) {
            (void)uv_timer_stop(&driver->deadline);
            return;
        }
        if (wait_ms > 0)
            break;
        (void)MHD_run(driver->daemon); /* read already, not yet processed */
    }
    (void)uv_timer_start(&driver->deadline, on_deadline, wait_ms, 0);
}

static void on_closed(uv_handle_t *handle)
{
    struct aff_mhd_uv *driver = handle->data;

    if (--driver->open_handles == 0 && driver->stopped != NULL)
        driver->stopped(driver);
}

aff_status aff_mhd_uv_start(struct aff_mhd_uv *driver, uv_loop_t *loop, struct MHD_Daemon *daemon,
                            struct aff_error *reterr)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);

    driver->daemon = daemon;
    driver->loop = loop;
    driver->stopped = NULL;
    if (info == NULL)
        return aff_error_set(reterr, AFF_IO, "this libmicrohttpd has no external epoll mode");
    int failure = uv_poll_init(loop, &driver->poll, info->epoll_fd);
    if (failure != 0)
        return aff_error_set(reterr, AFF_IO, "cannot watch the HTTP sockets: %s", uv_strerror(failure));
    (void)uv_timer_init(loop, &driver->deadline);
    (void)uv_prepare_init(loop, &driver->prepare);
    driver->poll.data = driver->deadline.data = driver->prepare.data = driver;
    driver->open_handles = 3;
    failure = uv_poll_start(&driver->poll, UV_READABLE, on_readable);
    if (failure == 0)
        failure = uv_prepare_start(&driver->prepare, before_wait);
    if (failure != 0)
        return aff_error_set(reterr, AFF_IO, "cannot watch the HTTP sockets: %s", uv_strerror(failure));
    return AFF_OK;
}

void aff_mhd_uv_stop(struct aff_mhd_uv *driver, void (*stopped)(struct aff_mhd_uv *driver))
{
    driver->stopped = stopped;
    uv_close((uv_handle_t *)&driver->poll, on_closed);
    uv_close((uv_handle_t *)&driver->deadline, on_closed);
    uv_close((uv_handle_t *)&driver->prepare, on_closed);
}

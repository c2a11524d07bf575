/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a libmicrohttpd daemon in external-epoll mode on a libuv loop, and nothing else. */
#pragma once

#include "core/base/status.h"

#include <microhttpd.h>
#include <uv.h>

struct aff_mhd_uv {
    struct MHD_Daemon *daemon; /* borrowed */
    uv_loop_t *loop;           /* borrowed */
    uv_poll_t poll;
    uv_timer_t deadline;
    uv_prepare_t prepare;
    int open_handles;
    void (*stopped)(struct aff_mhd_uv *driver); /* called when the last handle is closed */
};

/* The driver's memory must stay until `stopped` has been called, or start has failed. */
AFF_MUST_CHECK aff_status aff_mhd_uv_start(struct aff_mhd_uv *driver, uv_loop_t *loop,
                                           struct MHD_Daemon *daemon, struct aff_error *reterr);

/* Closes the handles; only in `stopped` may the daemon be stopped, since libuv forbids closing a descriptor
 * that it still polls. */
void aff_mhd_uv_stop(struct aff_mhd_uv *driver, void (*stopped)(struct aff_mhd_uv *driver));

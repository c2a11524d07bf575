/* SPDX-License-Identifier: Apache-2.0 */
/* The one socket that the service listens on: bound by us, or inherited from whoever started us (systemd
 * socket activation, LISTEN_FDS), which keeps it open over a restart so that no connection is refused. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>

struct aff_listener {
    int fd; /* non-blocking; -1: none */
    int port;
    bool inherited;
};

/* Opens address:port (port 0: a free one), or takes the inherited socket, in which case both are ignored.
 * AFF_IO: the text says what could not be done and what to do about it. */
AFF_MUST_CHECK aff_status aff_listener_open(const char *address, int port, struct aff_listener *ret,
                                            struct aff_error *reterr);
void aff_listener_close(struct aff_listener *listener);

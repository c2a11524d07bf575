/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a notification, or for whatever comes first. */
#pragma once

#include "core/base/status.h"
#include "sql/connection.h"

#include <stdbool.h>
#include <stdint.h>

/* Waits until the server notifies of a channel that the connection listens to, `wake_fd` is readable, or
 * `timeout_us` is over. The connection may be closed (pg == NULL): then for the other two. *ret_notified:
 * there was a notification. AFF_BACKEND: the connection is lost, which is seen at once. */
AFF_MUST_CHECK aff_status aff_listen_wait(struct aff_connection *connection, int wake_fd, int64_t timeout_us,
                                          bool *ret_notified, struct aff_error *reterr);

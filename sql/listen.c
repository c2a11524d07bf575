/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/listen.h"

#include <libpq-fe.h>
#include <poll.h>

/* Takes the notifications that have come. */
static bool drain(struct aff_connection *connection)
{
    bool any = false;

    for (PGnotify *notify; (notify = PQnotifies(connection->pg)) != NULL; PQfreemem(notify))
        any = true;
    return any;
}

aff_status aff_listen_wait(struct aff_connection *connection, int wake_fd, int64_t timeout_us,
                           bool *ret_notified, struct aff_error *reterr)
{
    struct pollfd ready[] = {{.fd = wake_fd, .events = POLLIN}, {.events = POLLIN}};
    nfds_t n = connection->pg == NULL ? 1 : 2;

    *ret_notified = n == 2 && drain(connection); /* some may have come with the last answer */
    if (*ret_notified)
        return AFF_OK;
    ready[1].fd = n == 2 ? PQsocket(connection->pg) : -1;
    int64_t wait_ms = (timeout_us + 999) / 1000;
    if (poll(ready, n, wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms) <= 0 || n == 1 ||
        ready[1].revents == 0)
        return AFF_OK;
    if (PQconsumeInput(connection->pg) == 0)
        return aff_connection_error(connection, NULL, reterr);
    *ret_notified = drain(connection);
    return AFF_OK;
}

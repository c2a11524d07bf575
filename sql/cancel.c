/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/cancel.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* PQcancel() would wait for an answer, which a server that hangs never gives. The descriptor is a duplicate,
 * so that it means the same socket however the connection ends. */
struct aff_cancel {
    int fd;
};

struct aff_cancel *aff_cancel_new(struct aff_connection *connection)
{
    struct aff_cancel *cancel = malloc(sizeof *cancel);

    if (cancel == NULL)
        return NULL;
    cancel->fd = fcntl(PQsocket(connection->pg), F_DUPFD_CLOEXEC, 0);
    if (cancel->fd < 0) {
        free(cancel);
        return NULL;
    }
    return cancel;
}

void aff_cancel_free(struct aff_cancel *cancel)
{
    if (cancel == NULL)
        return;
    (void)close(cancel->fd);
    free(cancel);
}

void aff_cancel_send(struct aff_cancel *cancel)
{
    (void)shutdown(cancel->fd, SHUT_RDWR);
}

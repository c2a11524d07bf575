/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/cancel.h"

#include <libpq-fe.h>

struct aff_cancel *aff_cancel_new(struct aff_connection *connection)
{
    return (struct aff_cancel *)PQgetCancel(connection->pg);
}

void aff_cancel_free(struct aff_cancel *cancel)
{
    PQfreeCancel((PGcancel *)cancel);
}

void aff_cancel_send(struct aff_cancel *cancel)
{
    char reason[256];

    /* There is no one to tell: whoever waits for the statement learns its end from the statement. */
    (void)PQcancel((PGcancel *)cancel, reason, sizeof reason);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/leader.h"

#include <stdio.h>

/* First key of the lock, "fold" in ASCII; the second is the store. */
#define SPACE "1718578276"

enum { NUMBER = 16 };

aff_status aff_leader_take(struct aff_connection *connection, int store, const char *name, int64_t *ret_epoch,
                           struct aff_error *reterr)
{
    char number[NUMBER];
    const char *parameters[] = {number, name};
    int64_t taken = 0, epoch = 0;

    (void)snprintf(number, sizeof number, "%d", store);
    aff_status status =
        aff_query_number(connection, "SELECT pg_try_advisory_lock(" SPACE ", $1::integer)::integer", 1,
                         parameters, &taken, reterr);
    if (status == AFF_OK && taken == 1)
        status = aff_query_number(connection,
                                  "UPDATE affinity.state SET epoch = epoch + 1, leader = $2"
                                  " WHERE store = $1::integer RETURNING epoch",
                                  2, parameters, &epoch, reterr);
    if (status == AFF_OK)
        *ret_epoch = epoch;
    else if (taken == 1)
        aff_leader_resign(connection, store);
    return status;
}

void aff_leader_resign(struct aff_connection *connection, int store)
{
    char number[NUMBER];
    const char *parameters[] = {number};

    (void)snprintf(number, sizeof number, "%d", store);
    /* The lock ends with the session at the latest. */
    (void)!aff_query(connection, "SELECT pg_advisory_unlock(" SPACE ", $1::integer)", 1, parameters, NULL,
                     NULL);
}

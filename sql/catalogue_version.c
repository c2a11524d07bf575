/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/catalogue_version.h"

#include <stdio.h>

aff_status aff_catalogue_version(struct aff_connection *connection, int store, int64_t *ret_version,
                                 struct aff_error *reterr)
{
    char number[16];
    const char *parameters[] = {number};

    (void)snprintf(number, sizeof number, "%d", store);
    return aff_query_number(connection,
                            "SELECT coalesce((SELECT version FROM affinity.catalogue_state"
                            " WHERE store = $1::integer), 0)",
                            1, parameters, ret_version, reterr);
}

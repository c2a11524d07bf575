/* SPDX-License-Identifier: Apache-2.0 */
/* Reading back what aff_catalogue_put() has written; nobody else includes it. */
#pragma once

#include "sql/intake/put_catalogue.h"

/* Fills version and, for products, the rows of `result`, whose keys are known. Products whose key occurs more
 * than once get their row each time. */
AFF_MUST_CHECK aff_status aff_put_read_rows(struct aff_connection *connection, int store,
                                            enum aff_catalogue_kind kind, size_t n_entries,
                                            struct aff_put_result *result, struct aff_error *reterr);

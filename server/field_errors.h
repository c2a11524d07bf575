/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers what is wrong with the fields of a request, so that one answer names them all. */
#pragma once

#include "core/base/status.h"
#include "json/writer.h"

#define AFF_FIELD_ERRORS_MAX 1000 /* named one by one; more are only counted */

/* Set to zero before first use; the memory is kept from request to request. */
struct aff_field_errors {
    struct aff_json list; /* members of a JSON array: {"field", "reason"}, ... */
    size_t n;
};

void aff_field_errors_reset(struct aff_field_errors *errors);
void aff_field_errors_done(struct aff_field_errors *errors);

/* Adds one. `field` may be any bytes: what is no UTF-8 is shown as '?'. */
void aff_field_error(struct aff_field_errors *errors, struct aff_text field, const char *format, ...)
    AFF_PRINTF(3, 4);

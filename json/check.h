/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/base/text.h"

#include <stdbool.h>

/* True if `text` is one JSON object (RFC 8259) that PostgreSQL's jsonb takes, without repeated names. */
bool aff_json_is_object(struct aff_text text);

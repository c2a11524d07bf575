/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the Prometheus text format, version 0.0.4. */
#pragma once

#include "core/base/text.h"
#include "json/writer.h"

#include <stdint.h>

/* "# HELP" and "# TYPE" of a family; `type` is counter, gauge or histogram. */
void aff_exposition_family(struct aff_json *to, const char *name, const char *type, const char *help);

/* One label: {name="value"}. */
struct aff_label {
    const char *name;
    struct aff_text value;
};

/* A line "name{labels} value"; `labels` ends with a NULL name and may be NULL. */
void aff_exposition_whole(struct aff_json *to, const char *name, const struct aff_label *labels,
                          uint64_t value);
void aff_exposition_real(struct aff_json *to, const char *name, const struct aff_label *labels, double value);

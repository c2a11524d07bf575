/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and baskets in a snapshot file; for core/index/ only. */
#pragma once

#include "core/index/model.h"
#include "core/index/snapshot_items.h"
#include "core/sequence/traces.h"

/* An array as it stands in the file behind its number of elements. */
struct aff_snapshot_array {
    void *
        at; /* not `const` because what is made of it holds pointers that may be freed; NULL: there is none */
    uint64_t n;
    size_t element_bytes;
};

/* The array of a model's traces, borrowed; nothing if the model has none. That of the numbers, the fitted
 * weights and the share of revisits, is `numbers`, which is filled. */
struct aff_snapshot_array aff_snapshot_trace_of(const struct aff_model *model, enum aff_snapshot_trace trace,
                                                double numbers[AFF_SNAPSHOT_NUMBERS_SIZE]);

/* Gives the model traces whose arrays stay in the file, and its fitted weights. Every number that anything is
 * looked up by is checked. Nothing if the file has none. AFF_DATA: something is wrong. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_snapshot_read_traces(const struct aff_snapshot_file *file,
                                                   struct aff_model *model);

/* SPDX-License-Identifier: Apache-2.0 */
/* The map from the shop's ids to our numbers, for one store and one kind of thing, in memory: about 70 bytes
 * an id. Used by one thread. */
#pragma once

#include "core/base/arena.h"
#include "core/base/status.h"
#include "core/base/text.h"
#include "sql/connection.h"

#include <stddef.h>
#include <stdint.h>

struct aff_id {
    struct aff_text text; /* in the map's memory */
    uint64_t hash;
    int64_t number;
};

/* Set to zero before first use. */
struct aff_ids {
    struct aff_arena arena;
    struct aff_id *all; /* in the sequence in which they were added */
    size_t n, capacity;
    uint32_t *slots; /* open addressing: index in `all` + 1, or 0 */
    size_t n_slots;
};

/* Adds the rows of `statement`, a binary COPY of (number bigint, id text). */
AFF_MUST_CHECK aff_status aff_ids_load(struct aff_ids *ids, struct aff_connection *connection,
                                       const char *statement, struct aff_error *reterr);

/* The entry of `text`, valid until the next addition; NULL: not there. */
const struct aff_id *aff_ids_find(const struct aff_ids *ids, struct aff_text text);

/* Adds an id that is not there yet; the text is copied. */
AFF_MUST_CHECK aff_status aff_ids_add(struct aff_ids *ids, struct aff_text text, int64_t number);

void aff_ids_done(struct aff_ids *ids);

/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that read entries share. */
#pragma once

#include "server/batch.h"
#include "server/field_errors.h"
#include "json/document.h"

/* Set up once a batch, used for one entry after the other. */
struct aff_entry_reader {
    const struct aff_batch_frame *frame;
    struct aff_batch *batch;
    struct aff_entry *entry;
    struct aff_field_errors errors;
    bool failed; /* no memory */
};

/* Says what is wrong with a field of the entry. */
void aff_entry_error(struct aff_entry_reader *reader, struct aff_text field, const char *format, ...)
    AFF_PRINTF(3, 4);

/* The field must be `wanted`, but is not. */
void aff_entry_wrong_type(struct aff_entry_reader *reader, struct aff_text field, const char *wanted,
                          const struct aff_node *value);

/* Each takes a value if it is right, else says what is wrong and gives false. */
bool aff_entry_take_id(struct aff_entry_reader *reader, struct aff_text field, const struct aff_node *value,
                       struct aff_text *ret_id);
bool aff_entry_take_whole(struct aff_entry_reader *reader, struct aff_text field,
                          const struct aff_node *value, int64_t least, int64_t most, int64_t *ret);
bool aff_entry_take_flag(struct aff_entry_reader *reader, struct aff_text field, const struct aff_node *value,
                         bool *ret);

/* A copy in the batch's memory; after a failure `failed` is set and the text empty. */
struct aff_text aff_entry_keep(struct aff_entry_reader *reader, struct aff_text text);

/* Read one entry, an object. What is wrong is in the reader's errors. */
void aff_entry_read_order(struct aff_entry_reader *reader, const struct aff_node *object);
void aff_entry_read_review(struct aff_entry_reader *reader, const struct aff_node *object);
void aff_entry_read_row(struct aff_entry_reader *reader, const struct aff_node *object);

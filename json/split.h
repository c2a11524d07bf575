/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts a batch that a stranger sent into its entries before any of it is parsed, so that entries are parsed
 * one by one, in the memory of one, and a wrong one does no harm to the others. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"

/* Entries of JSON text: the elements of an array, `[{...}, {...}]`, or of the only member of an object,
 * `{"LIST": [...]}`, or the object itself if it has no member LIST. Writes up to `most` of them. An entry is
 * the text of one value, surely balanced but not surely JSON. AFF_INVALID: the text around the entries is not
 * JSON, or an object has members beside LIST; the text says where. AFF_LIMIT: more than `most` entries. */
AFF_MUST_CHECK aff_status aff_split_json(struct aff_text text, const char *list, struct aff_text *ret_entries,
                                         size_t most, size_t *ret_n, struct aff_error *reterr);

/* Entries of text with one entry a line (LF or CRLF), without blank lines. AFF_LIMIT as above. */
AFF_MUST_CHECK aff_status aff_split_lines(struct aff_text text, struct aff_text *ret_entries, size_t most,
                                          size_t *ret_n, struct aff_error *reterr);

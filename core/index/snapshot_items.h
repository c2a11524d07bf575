/* SPDX-License-Identifier: Apache-2.0 */
/* Items of a mapped snapshot file, checked before use: no bytes can lead outside of the file or to a row that
 * is not there; for core/index/ only. Several threads may read different items at the same time. */
#pragma once

#include "core/index/snapshot_format.h"

struct aff_snapshot_file {
    char *at; /* the file; nothing is written there */
    struct aff_snapshot_head head;
};

/* The item of row `i` of a part and how many bytes there are from it to the end of the part's items; NULL
 * with 0 bytes: the row has none. AFF_DATA: its position is wrong. */
AFF_MUST_CHECK aff_status aff_snapshot_item(const struct aff_snapshot_file *file, enum aff_snapshot_part part,
                                            uint64_t i, char **ret_item, uint64_t *ret_bytes);

/* Reads a product; texts are borrowed from the file. `attributes` are those of all products, of which its own
 * are filled in. `category` is left empty. AFF_DATA. */
AFF_MUST_CHECK aff_status aff_snapshot_read_product(const struct aff_snapshot_file *file, uint32_t row,
                                                    struct aff_attribute *attributes,
                                                    struct aff_product *ret_product);

/* AFF_DATA, also if the row has none. */
AFF_MUST_CHECK aff_status aff_snapshot_check_customer(const struct aff_snapshot_file *file, uint32_t row);
AFF_MUST_CHECK aff_status aff_snapshot_read_category(const struct aff_snapshot_file *file, uint32_t row,
                                                     struct aff_text *ret_path);

/* NULL: the product has no neighbours. AFF_DATA. */
AFF_MUST_CHECK aff_status aff_snapshot_read_row(const struct aff_snapshot_file *file,
                                                enum aff_snapshot_part part, uint32_t row,
                                                struct aff_row **ret_row);

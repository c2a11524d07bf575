/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a snapshot file; for core/index/ only.
 *
 *   head       AFF_SNAPSHOT_HEAD bytes: struct aff_snapshot_head, zeros, and a checksum of what is before it
 *   parts      for each part its items, and then the position of each item (uint64_t from the start of the
 *              file, 0: the row has none), everything aligned to 8 bytes
 *   checksums  one of each AFF_SNAPSHOT_BLOCK bytes of the parts, the last block may be shorter
 *
 * Items of the parts, in the order of rows:
 *   products    struct aff_snapshot_product, sizes of name and value of each attribute (two uint32_t), then
 * the texts without gaps: id, name, brand, names and values of the attributes customers   struct aff_history
 *   together,   struct aff_row
 *   next, viewed
 *   categories  the size of the path (uint32_t) and its bytes
 *   traces      for each of enum aff_snapshot_trace the number of elements (uint64_t) and the elements; one
 * that the model does not have has no item */
#pragma once

#include "core/base/checksum.h"
#include "core/index/snapshot.h"

enum { AFF_SNAPSHOT_HEAD = 4096, AFF_SNAPSHOT_FORMAT = 3, AFF_SNAPSHOT_ALIGN = 8 };
#define AFF_SNAPSHOT_MAGIC "affsnap\n"
#define AFF_SNAPSHOT_BYTE_ORDER 0x01020304u

/* Written last, so that what the items before name is all there. */
enum aff_snapshot_part {
    AFF_SNAPSHOT_PRODUCTS,
    AFF_SNAPSHOT_CUSTOMERS,
    AFF_SNAPSHOT_TOGETHER,
    AFF_SNAPSHOT_NEXT,
    AFF_SNAPSHOT_VIEWED,
    AFF_SNAPSHOT_CATEGORIES,
    AFF_SNAPSHOT_TRACES,
    AFF_SNAPSHOT_PARTS,
};

/* The arrays of struct aff_traces. Elements are uint32_t if nothing else is said. */
enum aff_snapshot_trace {
    AFF_SNAPSHOT_NUMBERS, /* double: for each situation whether it is given, and its weights; then revisits
                             and the number of sessions */
    AFF_SNAPSHOT_ALIKE_STARTS,
    AFF_SNAPSHOT_ALIKE_ENTRIES, /* struct aff_neighbour */
    AFF_SNAPSHOT_VIEWED_STARTS,
    AFF_SNAPSHOT_VIEWED_ENTRIES, /* struct aff_neighbour */
    AFF_SNAPSHOT_ADDED_STARTS,
    AFF_SNAPSHOT_ADDED_ENTRIES, /* struct aff_neighbour */
    AFF_SNAPSHOT_RECENT,        /* struct aff_neighbour */
    AFF_SNAPSHOT_RECENT_OF,     /* float */
    AFF_SNAPSHOT_TRACE_MAX,
};
enum { AFF_SNAPSHOT_NUMBERS_SIZE = AFF_SITUATION_MAX * (1 + AFF_FITTED_MAX) + 2 };

struct aff_snapshot_place {
    uint64_t at, bytes; /* the items */
    uint64_t positions; /* where the n positions are */
    uint64_t n;         /* rows */
    uint64_t n_items;   /* rows that have one */
    uint64_t n_entries; /* attributes, purchases or neighbours of all items */
};

struct aff_snapshot_head {
    char magic[8];
    uint32_t format, byte_order;
    uint64_t layout; /* aff_snapshot_layout() */
    uint64_t file_bytes;
    uint64_t checksums, n_blocks; /* where the checksums of the blocks are */
    struct aff_snapshot_place parts[AFF_SNAPSHOT_PARTS];
    uint64_t version, generation, catalogue_version;
    int64_t built_at_us, written_at_us;
    struct aff_totals totals;
    char store[AFF_ID_MAX + 8], currency[8]; /* NUL-terminated */
    struct aff_checksum blocks;              /* of the checksums of the blocks */
};

struct aff_snapshot_product {
    int64_t price, compare_at, cost, weight, revenue, margin, last_at_us;
    int32_t key, stock;
    uint32_t category_row, orders;
    uint32_t id_size, name_size, brand_size, n_attributes;
    uint64_t first_attribute; /* attributes of all rows before */
    uint32_t discounted, sessions;
    uint8_t available, durable, unused[6];
};

/* Differs where one of the structs above, or one that items are, has another size or order. */
uint64_t aff_snapshot_layout(void);

/* The page that the head becomes, with its checksum. */
void aff_snapshot_seal(const struct aff_snapshot_head *head, char ret_page[AFF_SNAPSHOT_HEAD]);

/* Checks a page and all that it says about positions. AFF_DATA. `path` is for the text. */
AFF_MUST_CHECK aff_status aff_snapshot_unseal(const char page[AFF_SNAPSHOT_HEAD], uint64_t file_bytes,
                                              const char *path, struct aff_snapshot_head *ret_head,
                                              struct aff_error *reterr);

struct aff_snapshot_info aff_snapshot_info_of(const struct aff_snapshot_head *head);

/* Bytes of memory that the model of a file takes, by aff_model_bytes, at most. */
uint64_t aff_snapshot_memory(const struct aff_snapshot_head *head);

static inline uint64_t aff_snapshot_aligned(uint64_t at)
{
    return (at + AFF_SNAPSHOT_ALIGN - 1) / AFF_SNAPSHOT_ALIGN * AFF_SNAPSHOT_ALIGN;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a spool's segment files; for core/spool/ and its tests.
 *
 * A segment: head, then records one after the other. Its file is named by the number of its first record, 16
 * hexadecimal digits and ".spool". Numbers are little-endian.
 *
 *     head    magic (8), spool's id (16), number of the first record (8), XXH3-64 of the 32 bytes before (8)
 *     record  magic (4), size of the content (4), number (8), XXH3-64 of the content seeded with number and
 *             size (8), content */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AFF_SEGMENT_HEAD = 40, AFF_RECORD_HEAD = 24, AFF_SPOOL_ID = 16 };

#define AFF_RECORD_MAX (UINT32_C(1) << 27) /* bytes of a record's content */

struct aff_segment_head {
    unsigned char id[AFF_SPOOL_ID];
    uint64_t first; /* number of the first record */
};

void aff_segment_head_write(const struct aff_segment_head *head, unsigned char ret_bytes[AFF_SEGMENT_HEAD]);

/* False: these bytes are no head. */
bool aff_segment_head_read(const unsigned char *bytes, size_t size, struct aff_segment_head *ret_head);

/* The head of the record with this content. */
void aff_record_head_write(uint64_t number, const void *content, size_t size,
                           unsigned char ret_bytes[AFF_RECORD_HEAD]);

struct aff_record {
    uint64_t number;
    const unsigned char *content; /* in the bytes that were read */
    size_t size;
};

/* The whole record at the beginning of these bytes. False: there is none. */
bool aff_record_read(const unsigned char *bytes, size_t size, struct aff_record *ret_record);

/* The next whole record at or behind *at, with a number from `least` on, going over what is damaged; *at is
 * then its place. False: there is none; *at is then as before. */
bool aff_record_find(const unsigned char *bytes, size_t size, uint64_t least, size_t *at,
                     struct aff_record *ret_record);

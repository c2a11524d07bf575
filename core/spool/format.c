/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spool/format.h"

#include <endian.h>
#include <string.h>
#include <xxhash.h>

static const unsigned char segment_magic[8] = {'A', 'F', 'F', 'S', 'P', 'O', 'L', '1'};
/* No UTF-8 text has these bytes, so no text in a record looks like a record. */
static const unsigned char record_magic[4] = {0xFF, 'A', 'F', 0xFE};

static void store32(unsigned char *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof value);
}

static void store64(unsigned char *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof value);
}

static uint32_t load32(const unsigned char *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return le32toh(value);
}

static uint64_t load64(const unsigned char *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

void aff_segment_head_write(const struct aff_segment_head *head, unsigned char ret_bytes[AFF_SEGMENT_HEAD])
{
    memcpy(ret_bytes, segment_magic, sizeof segment_magic);
    memcpy(ret_bytes + 8, head->id, AFF_SPOOL_ID);
    store64(ret_bytes + 24, head->first);
    store64(ret_bytes + 32, XXH3_64bits(ret_bytes, 32));
}

bool aff_segment_head_read(const unsigned char *bytes, size_t size, struct aff_segment_head *ret_head)
{
    if (size < AFF_SEGMENT_HEAD || memcmp(bytes, segment_magic, sizeof segment_magic) != 0 ||
        load64(bytes + 32) != XXH3_64bits(bytes, 32))
        return false;
    memcpy(ret_head->id, bytes + 8, AFF_SPOOL_ID);
    ret_head->first = load64(bytes + 24);
    return true;
}

static uint64_t checksum(uint64_t number, const void *content, size_t size)
{
    return XXH3_64bits_withSeed(content, size, number ^ (uint64_t)size << 40);
}

void aff_record_head_write(uint64_t number, const void *content, size_t size,
                           unsigned char ret_bytes[AFF_RECORD_HEAD])
{
    memcpy(ret_bytes, record_magic, sizeof record_magic);
    store32(ret_bytes + 4, (uint32_t)size);
    store64(ret_bytes + 8, number);
    store64(ret_bytes + 16, checksum(number, content, size));
}

bool aff_record_read(const unsigned char *bytes, size_t size, struct aff_record *ret_record)
{
    if (size < AFF_RECORD_HEAD || memcmp(bytes, record_magic, sizeof record_magic) != 0)
        return false;
    size_t content = load32(bytes + 4);
    if (content > AFF_RECORD_MAX || content > size - AFF_RECORD_HEAD)
        return false;
    uint64_t number = load64(bytes + 8);
    if (load64(bytes + 16) != checksum(number, bytes + AFF_RECORD_HEAD, content))
        return false;
    *ret_record = (struct aff_record){number, bytes + AFF_RECORD_HEAD, content};
    return true;
}

bool aff_record_find(const unsigned char *bytes, size_t size, uint64_t least, size_t *at,
                     struct aff_record *ret_record)
{
    struct aff_record record;

    for (size_t from = *at; from + AFF_RECORD_HEAD <= size;) {
        if (aff_record_read(bytes + from, size - from, &record) && record.number >= least) {
            *at = from;
            *ret_record = record;
            return true;
        }
        const unsigned char *next = memchr(bytes + from + 1, record_magic[0], size - from - 1);
        if (next == NULL)
            return false;
        from = (size_t)(next - bytes);
    }
    return false;
}

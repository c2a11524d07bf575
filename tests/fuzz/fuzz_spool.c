/* SPDX-License-Identifier: Apache-2.0 */
/* The readers of the spool on any bytes: as a segment with its records, and as the batch of events in a
 * record. They end and stay inside the bytes; what they give out is in order and whole. */
#include "core/event/pack.h"
#include "core/spool/format.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_events(const uint8_t *bytes, size_t size)
{
    struct aff_event_reader reader;
    struct aff_event event;

    if (aff_event_read_begin(&reader, bytes, size) != AFF_OK)
        return;
    assert(reader.store.size <= AFF_ID_MAX);
    while (reader.left > 0 && aff_event_read(&reader, &event) == AFF_OK) {
        assert(event.kind > 0 && event.kind < AFF_EVENT_KIND_MAX);
        assert(event.product.size == 0 || aff_text_is_id(event.product));
        assert(reader.at <= reader.end);
    }
}

static void read_segment(const uint8_t *bytes, size_t size)
{
    struct aff_segment_head head;
    struct aff_record record;
    uint64_t last = 0;
    size_t at = 0;

    (void)aff_segment_head_read(bytes, size, &head);
    while (last < UINT64_MAX && aff_record_find(bytes, size, last + 1, &at, &record)) {
        assert(record.number > last);
        assert(record.content >= bytes && record.content + record.size <= bytes + size);
        last = record.number;
        at += AFF_RECORD_HEAD + record.size;
        read_events(record.content, record.size);
    }
}

/* Records whose checksum is right, so that what is behind it is reached: the input is the content of one. */
static void read_good_record(const uint8_t *bytes, size_t size)
{
    uint8_t *whole = malloc(AFF_RECORD_HEAD + size);
    struct aff_record record;

    if (whole == NULL)
        return;
    aff_record_head_write(7, bytes, size, whole);
    if (size > 0)
        memcpy(whole + AFF_RECORD_HEAD, bytes, size);
    bool read = aff_record_read(whole, AFF_RECORD_HEAD + size, &record);
    assert(read && record.number == 7 && record.size == size);
    read_segment(whole, AFF_RECORD_HEAD + size);
    free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_segment(data, size);
    read_good_record(data, size);
    return 0;
}

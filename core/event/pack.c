/* SPDX-License-Identifier: Apache-2.0 */
#include "core/event/pack.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { FORM = 1, BATCH_HEAD = 6, EVENT_HEAD = 6 + AFF_EVENT_KEY + 8, EVENT_REST = 8 + 8 + 16 + 4 + 8 + 4 };

enum bit {
    BIT_SESSION = 1,
    BIT_ORDER = 2,
    BIT_RECOMMENDATION = 4,
    BIT_QUANTITY = 8,
    BIT_AMOUNT = 16,
    BIT_REMOVES = 32,
    BITS_KNOWN = 63,
};

static aff_status reserve(struct aff_event_pack *pack, size_t size)
{
    if (pack->capacity - pack->size >= size)
        return AFF_OK;
    size_t capacity = (pack->size + size) * 2;
    unsigned char *bytes = realloc(pack->bytes, capacity);
    if (bytes == NULL)
        return AFF_NOMEM;
    pack->bytes = bytes;
    pack->capacity = capacity;
    return AFF_OK;
}

static void put(struct aff_event_pack *pack, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(pack->bytes + pack->size, bytes, size);
    pack->size += size;
}

static void put8(struct aff_event_pack *pack, unsigned value)
{
    unsigned char byte = (unsigned char)value;
    put(pack, &byte, sizeof byte);
}

static void put16(struct aff_event_pack *pack, uint16_t value)
{
    value = htole16(value);
    put(pack, &value, sizeof value);
}

static void put32(struct aff_event_pack *pack, uint32_t value)
{
    value = htole32(value);
    put(pack, &value, sizeof value);
}

static void put64(struct aff_event_pack *pack, uint64_t value)
{
    value = htole64(value);
    put(pack, &value, sizeof value);
}

aff_status aff_event_pack_begin(struct aff_event_pack *pack, struct aff_text store)
{
    assert(store.size <= AFF_ID_MAX);
    pack->size = 0;
    pack->n = 0;
    if (reserve(pack, BATCH_HEAD + store.size) != AFF_OK)
        return AFF_NOMEM;
    put8(pack, FORM);
    put8(pack, (unsigned)store.size);
    put32(pack, 0);
    put(pack, store.at, store.size);
    return AFF_OK;
}

static unsigned bits_of(const struct aff_event *event)
{
    return (event->has_session ? BIT_SESSION : 0u) | (event->has_order ? BIT_ORDER : 0u) |
           (event->has_recommendation ? BIT_RECOMMENDATION : 0u) | (event->has_quantity ? BIT_QUANTITY : 0u) |
           (event->has_amount ? BIT_AMOUNT : 0u) | (event->removes ? BIT_REMOVES : 0u);
}

aff_status aff_event_pack_add(struct aff_event_pack *pack, const struct aff_event *event)
{
    size_t texts = event->product.size + event->customer.size + event->data.size;

    assert(event->product.size <= AFF_ID_MAX && event->customer.size <= AFF_ID_MAX &&
           event->data.size <= AFF_EVENT_DATA_MAX);
    if (reserve(pack, EVENT_HEAD + EVENT_REST + texts) != AFF_OK)
        return AFF_NOMEM;
    put8(pack, event->kind);
    put8(pack, bits_of(event));
    put8(pack, (unsigned)event->product.size);
    put8(pack, (unsigned)event->customer.size);
    put16(pack, (uint16_t)event->data.size);
    put(pack, event->key, sizeof event->key);
    put64(pack, (uint64_t)event->at_us);
    if (event->has_session)
        put64(pack, event->session);
    if (event->has_order)
        put64(pack, event->order_key);
    if (event->has_recommendation)
        put(pack, event->recommendation, sizeof event->recommendation);
    if (event->has_quantity)
        put32(pack, (uint32_t)event->quantity);
    if (event->has_amount)
        put64(pack, (uint64_t)event->amount);
    if (event->product.size > 0)
        put32(pack, (uint32_t)event->product_key);
    put(pack, event->product.at, event->product.size);
    put(pack, event->customer.at, event->customer.size);
    put(pack, event->data.at, event->data.size);
    uint32_t n = htole32(++pack->n);
    memcpy(pack->bytes + 2, &n, sizeof n);
    return AFF_OK;
}

void aff_event_pack_done(struct aff_event_pack *pack)
{
    free(pack->bytes);
    *pack = (struct aff_event_pack){0};
}

/* ---- reading ---- */

static bool take(struct aff_event_reader *reader, void *ret, size_t size)
{
    if ((size_t)(reader->end - reader->at) < size)
        return false;
    memcpy(ret, reader->at, size);
    reader->at += size;
    return true;
}

static bool take32(struct aff_event_reader *reader, uint32_t *ret)
{
    if (!take(reader, ret, sizeof *ret))
        return false;
    *ret = le32toh(*ret);
    return true;
}

static bool take64(struct aff_event_reader *reader, uint64_t *ret)
{
    if (!take(reader, ret, sizeof *ret))
        return false;
    *ret = le64toh(*ret);
    return true;
}

static bool take_text(struct aff_event_reader *reader, size_t size, struct aff_text *ret)
{
    if ((size_t)(reader->end - reader->at) < size)
        return false;
    *ret = (struct aff_text){(const char *)reader->at, size};
    reader->at += size;
    return true;
}

aff_status aff_event_read_begin(struct aff_event_reader *reader, const void *bytes, size_t size)
{
    unsigned char head[2];
    uint32_t n;

    *reader = (struct aff_event_reader){.at = bytes, .end = (const unsigned char *)bytes + size};
    if (!take(reader, head, sizeof head) || head[0] != FORM || head[1] > AFF_ID_MAX || !take32(reader, &n) ||
        !take_text(reader, head[1], &reader->store))
        return AFF_DATA;
    reader->n = reader->left = n;
    return n <= (size_t)(reader->end - reader->at) / EVENT_HEAD ? AFF_OK : AFF_DATA;
}

/* What the bits announce. */
static bool take_numbers(struct aff_event_reader *reader, unsigned bits, struct aff_event *event)
{
    uint32_t quantity = 0;
    uint64_t amount = 0;

    event->has_session = (bits & BIT_SESSION) != 0;
    event->has_order = (bits & BIT_ORDER) != 0;
    event->has_recommendation = (bits & BIT_RECOMMENDATION) != 0;
    event->has_quantity = (bits & BIT_QUANTITY) != 0;
    event->has_amount = (bits & BIT_AMOUNT) != 0;
    event->removes = (bits & BIT_REMOVES) != 0;
    if (event->has_session && !take64(reader, &event->session))
        return false;
    if (event->has_order && !take64(reader, &event->order_key))
        return false;
    if (event->has_recommendation && !take(reader, event->recommendation, sizeof event->recommendation))
        return false;
    if (event->has_quantity && !take32(reader, &quantity))
        return false;
    if (event->has_amount && !take64(reader, &amount))
        return false;
    event->quantity = (int32_t)quantity;
    event->amount = (int64_t)amount;
    return true;
}

static bool is_good(const struct aff_event *event)
{
    return (event->product.size == 0 || aff_text_is_id(event->product)) &&
           (event->customer.size == 0 || aff_text_is_id(event->customer));
}

aff_status aff_event_read(struct aff_event_reader *reader, struct aff_event *ret_event)
{
    struct aff_event event = {0};
    unsigned char head[4];
    uint16_t data_size;
    uint32_t product_key = 0;
    uint64_t at;

    assert(reader->left > 0);
    if (!take(reader, head, sizeof head) || !take(reader, &data_size, sizeof data_size) ||
        !take(reader, event.key, sizeof event.key) || !take64(reader, &at))
        return AFF_DATA;
    if (head[0] == 0 || head[0] >= AFF_EVENT_KIND_MAX || (head[1] & ~BITS_KNOWN) != 0)
        return AFF_DATA;
    event.kind = (enum aff_event_kind)head[0];
    event.at_us = (int64_t)at;
    if (!take_numbers(reader, head[1], &event) || (head[2] > 0 && !take32(reader, &product_key)) ||
        !take_text(reader, head[2], &event.product) || !take_text(reader, head[3], &event.customer) ||
        !take_text(reader, le16toh(data_size), &event.data) || !is_good(&event))
        return AFF_DATA;
    event.product_key = (int32_t)product_key;
    reader->left--;
    *ret_event = event;
    return AFF_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of events on any bytes: it ends; what it takes keeps its bounds, and comes back from being
 * packed as it went in; what it refuses has a reason, and the list of reasons stays small. */
#include "core/event/pack.h"
#include "json/check.h"
#include "json/event.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct aff_event *event)
{
    static struct aff_event_pack pack;
    struct aff_event_reader reader;
    struct aff_event back;

    assert(event->kind > 0 && event->kind < AFF_EVENT_KIND_MAX && event->at_us >= 0);
    assert(event->product.size == 0 || aff_text_is_id(event->product));
    assert(event->data.size <= AFF_EVENT_DATA_MAX);
    assert(event->data.size == 0 || aff_json_is_object(event->data));
    if (aff_event_pack_begin(&pack, aff_text_of("shop")) != AFF_OK ||
        aff_event_pack_add(&pack, event) != AFF_OK)
        return;
    aff_status status = aff_event_read_begin(&reader, pack.bytes, pack.size);
    assert(status == AFF_OK && reader.left == 1);
    status = aff_event_read(&reader, &back);
    assert(status == AFF_OK && reader.at == reader.end);
    assert(back.kind == event->kind && back.at_us == event->at_us && back.quantity == event->quantity &&
           back.amount == event->amount && aff_text_equal(back.data, event->data) &&
           aff_text_equal(back.customer, event->customer) && aff_text_equal(back.product, event->product));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct aff_event_parser parser;
    struct aff_event event;
    aff_status status = aff_event_parse(&parser, (struct aff_text){(const char *)data, size},
                                        INT64_C(1790000000000000), &event);

    if (status == AFF_OK)
        check(&event);
    else
        assert(status == AFF_NOMEM || (parser.n_errors > 0 && parser.errors.size > 0));
    assert(parser.errors.size < 8192);
    assert(parser.errors.size == 0 ||
           aff_text_is_utf8((struct aff_text){parser.errors.bytes, parser.errors.size}));
    return 0;
}

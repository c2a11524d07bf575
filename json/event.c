/* SPDX-License-Identifier: Apache-2.0 */
#include "json/event.h"

#include "core/base/checksum.h"
#include "core/base/clock.h"
#include "core/recommend/request.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* What is wrong with one event is named up to these, so that the answer to rubbish stays small. */
#define ERRORS_MAX 8
#define NAME_SHOWN 64

#define ATTRIBUTES_DEPTH 6
#define ATTRIBUTES_VALUES 400

_Static_assert(sizeof(struct aff_checksum) == AFF_EVENT_KEY, "a key is a checksum");

enum type { TYPE_ID, TYPE_HEX, TYPE_WHOLE, TYPE_REAL, TYPE_TEXT, TYPE_ACTION, TYPE_PLACEMENT };

static const struct {
    const char *name;
    enum type type;
    double least, most;
} fields[] = {
#define X(NAME, name, type, least, most) {name, TYPE_##type, least, most},
    AFF_EVENT_FIELD_LIST(X)
#undef X
};

/* What has been found in one event so far. */
struct reading {
    struct aff_event_parser *parser;
    struct aff_event event;
    struct aff_text kind;
    const struct aff_node *attributes;
    const struct aff_node *values[AFF_EVENT_FIELDS];
    uint32_t given;
    bool has_kind, has_id, has_at, has_session, has_customer; /* right or wrong */
    int64_t now_us;
};

__attribute__((format(printf, 3, 4))) static void refuse(struct aff_event_parser *parser,
                                                         struct aff_text field, const char *format, ...)
{
    struct aff_json *errors = &parser->errors;
    char reason[256];
    va_list arguments;

    if (++parser->n_errors > ERRORS_MAX)
        return;
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    aff_json_open_object(errors);
    aff_json_name(errors, "field");
    aff_json_text(errors, field);
    aff_json_name(errors, "reason");
    aff_json_string(errors, reason);
    aff_json_close_object(errors);
}

static void refuse_field(struct reading *reading, const char *field, const char *reason)
{
    refuse(reading->parser, aff_text_of(field), "%s", reason);
}

static bool take_id(struct reading *reading, const char *field, const struct aff_node *value,
                    struct aff_text *ret)
{
    if (aff_node_kind(value) != AFF_NODE_TEXT || !aff_text_is_id(aff_node_text(value))) {
        refuse(reading->parser, aff_text_of(field),
               "must be a text of 1 to %d bytes without control characters", AFF_ID_MAX);
        return false;
    }
    *ret = aff_node_text(value);
    return true;
}

static void take_at(struct reading *reading, const struct aff_node *value)
{
    int64_t at_us;

    reading->has_at = true;
    if (aff_node_kind(value) != AFF_NODE_TEXT || aff_time_parse(aff_node_text(value), &at_us) != AFF_OK)
        refuse_field(reading, "at", "must be an RFC 3339 time, as 2026-11-21T09:00:00Z");
    else if (at_us < 0)
        refuse_field(reading, "at", "must not lie before 1970");
    else if (at_us > reading->now_us + AFF_EVENT_AHEAD_US)
        refuse_field(reading, "at", "lies more than an hour in the future");
    else
        reading->event.at_us = at_us;
}

/* The members that every kind may have. True: it was one. */
static bool take_common(struct reading *reading, struct aff_text name, const struct aff_node *value)
{
    struct aff_event_parser *parser = reading->parser;

    if (aff_text_equal(name, aff_text_of("event_id"))) {
        reading->has_id = take_id(reading, "event_id", value, &parser->event_id);
    } else if (aff_text_equal(name, aff_text_of("kind"))) {
        reading->has_kind = true;
        if (aff_node_kind(value) == AFF_NODE_TEXT)
            reading->kind = aff_node_text(value);
    } else if (aff_text_equal(name, aff_text_of("at"))) {
        take_at(reading, value);
    } else if (aff_text_equal(name, aff_text_of("session"))) {
        reading->has_session = true;
        reading->event.has_session = take_id(reading, "session", value, &parser->session);
    } else if (aff_text_equal(name, aff_text_of("customer"))) {
        reading->has_customer = true;
        (void)take_id(reading, "customer", value, &reading->event.customer);
    } else if (aff_text_equal(name, aff_text_of("attributes"))) {
        if (aff_node_kind(value) == AFF_NODE_OBJECT)
            reading->attributes = value;
        else
            refuse_field(reading, "attributes", "must be an object");
    } else {
        return false;
    }
    return true;
}

static void take_member(void *context, struct aff_text name, const struct aff_node *value)
{
    struct reading *reading = context;

    if (aff_node_kind(value) == AFF_NODE_NULL || take_common(reading, name, value))
        return;
    for (int i = 0; i < AFF_EVENT_FIELDS; i++) {
        if (aff_text_equal(name, aff_text_of(fields[i].name))) {
            reading->given |= UINT32_C(1) << i;
            reading->values[i] = value;
            return;
        }
    }
    if (name.size > NAME_SHOWN) {
        name.size = NAME_SHOWN;
        while (((unsigned char)name.at[name.size] & 0xC0) == 0x80)
            name.size--;
    }
    refuse(reading->parser, name, "is not a member of an event; what is your own goes into attributes");
}

static void find_kind(struct reading *reading)
{
    for (int i = 1; i < AFF_EVENT_KIND_MAX; i++)
        if (aff_text_equal(reading->kind, aff_text_of(aff_event_kinds[i].name)))
            reading->event.kind = (enum aff_event_kind)i;
    reading->parser->kind = reading->event.kind;
    if (reading->event.kind == 0)
        refuse_field(reading, "kind", reading->has_kind ? "is not a kind of event" : "is missing");
}

/* What the kind asks for and allows. */
static void check_kind(struct reading *reading)
{
    const struct aff_event_kind_row *row = &aff_event_kinds[reading->event.kind];
    bool session = reading->has_session, customer = reading->has_customer;

    for (int i = 0; i < AFF_EVENT_FIELDS; i++) {
        uint32_t bit = UINT32_C(1) << i;
        if ((row->must & bit) != 0 && (reading->given & bit) == 0)
            refuse(reading->parser, aff_text_of(fields[i].name), "is missing; %s needs it", row->name);
        else if (((row->must | row->may) & bit) == 0 && (reading->given & bit) != 0)
            refuse(reading->parser, aff_text_of(fields[i].name), "is not for events of kind %s", row->name);
    }
    if (row->who == AFF_EVENT_CUSTOMER && !customer)
        refuse(reading->parser, aff_text_of("customer"), "is missing; %s needs it", row->name);
    else if (row->who == AFF_EVENT_SOMEBODY && !session && !customer)
        refuse(reading->parser, aff_text_of("session"), "is missing; %s needs a session or a customer",
               row->name);
    if (reading->event.kind == AFF_EVENT_KIND_VIEW && reading->values[AFF_EVENT_PRODUCT] == NULL &&
        reading->values[AFF_EVENT_CATEGORY] == NULL)
        refuse_field(reading, "product", "is missing; view needs a product or a category");
}

static bool read_hex(struct aff_text text, unsigned char ret_bytes[16])
{
    if (text.size != 32)
        return false;
    for (size_t i = 0; i < 32; i++) {
        char c = text.at[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return false;
        ret_bytes[i / 2] = (unsigned char)(i % 2 == 0 ? digit << 4 : ret_bytes[i / 2] | digit);
    }
    return true;
}

static bool is_placement(struct aff_text text)
{
    static const char *const names[] = {
#define X(name, text) text,
        AFF_PLACEMENT_LIST(X)
#undef X
    };

    for (size_t i = 1; i < sizeof names / sizeof *names; i++)
        if (aff_text_equal(text, aff_text_of(names[i])))
            return true;
    return false;
}

static bool is_action(struct aff_text text)
{
    return aff_text_equal(text, aff_text_of("add")) || aff_text_equal(text, aff_text_of("remove"));
}

/* NULL: the value may stand in `field`; else what is wrong. `ret_reason` has room for a reason made here. */
static const char *check_value(int field, const struct aff_node *value, char ret_reason[128])
{
    enum aff_node_kind kind = aff_node_kind(value);
    bool text = kind == AFF_NODE_TEXT;
    double least = fields[field].least, most = fields[field].most;
    unsigned char bytes[16];

    switch (fields[field].type) {
    case TYPE_ID:
        return text && aff_text_is_id(aff_node_text(value))
                   ? NULL
                   : "must be a text of 1 to 128 bytes without control characters";
    case TYPE_HEX:
        return text && read_hex(aff_node_text(value), bytes) ? NULL
                                                             : "must be a recommendation_id of /recommend";
    case TYPE_ACTION:
        return text && is_action(aff_node_text(value)) ? NULL : "must be add or remove";
    case TYPE_PLACEMENT:
        return text && is_placement(aff_node_text(value)) ? NULL : "must be a placement, as product or cart";
    case TYPE_TEXT:
        if (text && (double)aff_node_text(value).size >= least && (double)aff_node_text(value).size <= most)
            return NULL;
        (void)snprintf(ret_reason, 128, "must be a text of %g to %g bytes", least, most);
        return ret_reason;
    case TYPE_WHOLE:
        if (kind == AFF_NODE_WHOLE && (double)aff_node_whole(value) >= least &&
            (double)aff_node_whole(value) <= most)
            return NULL;
        (void)snprintf(ret_reason, 128, "must be a whole number from %.0f to %.0f", least, most);
        return ret_reason;
    case TYPE_REAL:
        if ((kind == AFF_NODE_WHOLE || kind == AFF_NODE_REAL) && aff_node_real(value) >= least &&
            aff_node_real(value) <= most)
            return NULL;
        (void)snprintf(ret_reason, 128, "must be a number from %.16g to %.16g", least, most);
        return ret_reason;
    }
    return NULL;
}

/* A field that has no column: a member of the event's data. */
static void write_data(struct aff_json *data, int field, const struct aff_node *value)
{
    if (data->size == 0)
        aff_json_open_object(data);
    aff_json_name(data, fields[field].name);
    switch (aff_node_kind(value)) {
    case AFF_NODE_WHOLE:
        aff_json_int(data, aff_node_whole(value));
        break;
    case AFF_NODE_REAL:
        aff_json_double(data, aff_node_real(value));
        break;
    default:
        aff_json_text(data, aff_node_text(value));
        break;
    }
}

static void take_value(struct reading *reading, int field, const struct aff_node *value)
{
    struct aff_event *event = &reading->event;

    switch (field) {
    case AFF_EVENT_PRODUCT:
        event->product = aff_node_text(value);
        break;
    case AFF_EVENT_RECOMMENDATION:
        event->has_recommendation = read_hex(aff_node_text(value), event->recommendation);
        break;
    case AFF_EVENT_ORDER:
        event->has_order = true;
        event->order_key = aff_text_hash(aff_node_text(value));
        break;
    case AFF_EVENT_QUANTITY:
        event->has_quantity = true;
        event->quantity = (int32_t)aff_node_whole(value);
        break;
    case AFF_EVENT_AMOUNT:
        event->has_amount = true;
        event->amount = aff_node_whole(value);
        break;
    case AFF_EVENT_ACTION:
        event->removes = aff_text_equal(aff_node_text(value), aff_text_of("remove"));
        write_data(&reading->parser->data, field, value);
        break;
    default:
        write_data(&reading->parser->data, field, value);
        break;
    }
}

static aff_status take_attributes(struct reading *reading)
{
    struct aff_json *data = &reading->parser->data;
    size_t size;
    char *text = aff_node_dump(reading->attributes, &size);

    if (text == NULL)
        return AFF_NOMEM;
    if (data->size == 0)
        aff_json_open_object(data);
    aff_json_name(data, "attributes");
    aff_json_raw(data, text, size);
    free(text);
    return AFF_OK;
}

static aff_status take_values(struct reading *reading)
{
    struct aff_json *data = &reading->parser->data;
    char made[128];

    for (int i = 0; i < AFF_EVENT_FIELDS; i++) {
        const struct aff_node *value = reading->values[i];
        const char *reason = value == NULL ? NULL : check_value(i, value, made);
        if (reason != NULL)
            refuse_field(reading, fields[i].name, reason);
        else if (value != NULL)
            take_value(reading, i, value);
    }
    if (reading->attributes != NULL && take_attributes(reading) != AFF_OK)
        return AFF_NOMEM;
    if (data->size > 0)
        aff_json_close_object(data);
    if (data->failed)
        return AFF_NOMEM;
    if (data->size > AFF_EVENT_DATA_MAX)
        refuse_field(reading, "attributes", "makes the event too large");
    reading->event.data = (struct aff_text){data->bytes, data->size};
    return AFF_OK;
}

/* The event_id's hash; or a key of the parser's own, whose numbers follow one another as an index likes it.
 */
static void make_key(struct reading *reading)
{
    struct aff_event_parser *parser = reading->parser;

    if (reading->has_id) {
        struct aff_checksum sum = aff_checksum_of(parser->event_id.at, parser->event_id.size);
        memcpy(reading->event.key, sum.bytes, sizeof reading->event.key);
        return;
    }
    uint64_t number = htobe64(++parser->made);
    memcpy(reading->event.key, parser->prefix, sizeof parser->prefix);
    memcpy(reading->event.key + sizeof parser->prefix, &number, sizeof number);
}

static aff_status read_object(struct reading *reading)
{
    struct aff_event_parser *parser = reading->parser;
    const struct aff_node *root = aff_document_root(parser->document);

    aff_node_members(root, take_member, reading);
    find_kind(reading);
    if (reading->event.kind != 0)
        check_kind(reading);
    if (!reading->has_at)
        reading->event.at_us = reading->now_us;
    if (reading->event.has_session)
        reading->event.session = aff_text_hash(parser->session);
    make_key(reading);
    return take_values(reading);
}

aff_status aff_event_parse(struct aff_event_parser *parser, struct aff_text text, int64_t now_us,
                           struct aff_event *ret_event)
{
    static const struct aff_json_bounds bounds = {.depth = ATTRIBUTES_DEPTH, .values = ATTRIBUTES_VALUES};
    struct reading reading = {.parser = parser, .now_us = now_us};
    struct aff_error error;
    aff_status status;

    aff_document_free(parser->document);
    parser->document = NULL;
    parser->event_id = parser->session = (struct aff_text){NULL, 0};
    parser->n_errors = 0;
    parser->kind = (enum aff_event_kind)0;
    aff_json_reset(&parser->errors);
    aff_json_reset(&parser->data);
    if (text.size > AFF_EVENT_BYTES_MAX) {
        refuse(parser, aff_text_of(""), "an event may have at most %d bytes", AFF_EVENT_BYTES_MAX);
        return parser->errors.failed ? AFF_NOMEM : AFF_INVALID;
    }
    if (text.size == 0 || text.at[0] != '{') {
        refuse(parser, aff_text_of(""), "an event must be a JSON object");
        return parser->errors.failed ? AFF_NOMEM : AFF_INVALID;
    }
    status = aff_document_parse(text, &bounds, &parser->document, &error);
    if (status == AFF_OK)
        status = read_object(&reading);
    else if (status != AFF_NOMEM)
        refuse(parser, aff_text_of(""), "%s", error.text);
    if (status == AFF_NOMEM || parser->errors.failed)
        return AFF_NOMEM;
    if (parser->n_errors > 0)
        return AFF_INVALID;
    *ret_event = reading.event;
    return AFF_OK;
}

void aff_event_parser_done(struct aff_event_parser *parser)
{
    aff_document_free(parser->document);
    aff_json_done(&parser->errors);
    aff_json_done(&parser->data);
    *parser = (struct aff_event_parser){0};
}

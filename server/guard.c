/* SPDX-License-Identifier: Apache-2.0 */
#include "server/guard.h"

#include <strings.h>

/* A set of ASCII bytes: bit c % 64 of word c / 64. */
struct byte_set {
    uint64_t words[2];
};

#define BIT(c) (UINT64_C(1) << ((c)&63))
#define DIGITS (UINT64_C(0x3FF) << 48)
#define LETTERS (UINT64_C(0x3FFFFFF) << 1 | UINT64_C(0x3FFFFFF) << 33)

/* Bytes that a token may hold (RFC 9110, 5.6.2). */
static const struct byte_set token_bytes = {
    {BIT('!') | BIT('#') | BIT('$') | BIT('%') | BIT('&') | BIT('\'') | BIT('*') | BIT('+') | BIT('-') |
         BIT('.') | DIGITS,
     LETTERS | BIT('^') | BIT('_') | BIT('`') | BIT('|') | BIT('~')},
};

/* Bytes of a host and its port (RFC 3986, 3.2.2). */
static const struct byte_set host_bytes = {
    {BIT('!') | BIT('$') | BIT('%') | BIT('&') | BIT('\'') | BIT('(') | BIT(')') | BIT('*') | BIT('+') |
         BIT(',') | BIT('-') | BIT('.') | BIT(':') | BIT(';') | BIT('=') | DIGITS,
     LETTERS | BIT('[') | BIT(']') | BIT('_') | BIT('~')},
};

static const char *const method_names[] = {
#define X(name) #name,
    AFF_METHOD_LIST(X)
#undef X
};

/* What is gathered while the fields are gone through. */
struct framing {
    struct aff_text host, length, encoding, expect;
    unsigned hosts, lengths, encodings, types, content_encodings, keys;
};

static bool refuse(struct aff_refusal *refusal, unsigned status, const char *detail)
{
    *refusal = (struct aff_refusal){status, detail};
    return false;
}

static bool all_of(struct aff_text text, const struct byte_set *allowed)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte >= 128 || (allowed->words[byte >> 6] >> (byte & 63) & 1) == 0)
            return false;
    }
    return true;
}

static bool is(struct aff_text text, const char *name, size_t size)
{
    return text.size == size && strncasecmp(text.at, name, size) == 0;
}

#define IS(text, name) is(text, name, sizeof(name) - 1)

static bool begins(struct aff_text text, const char *prefix, size_t size)
{
    return text.size >= size && strncasecmp(text.at, prefix, size) == 0;
}

#define BEGINS(text, prefix) begins(text, prefix, sizeof(prefix) - 1)

static bool clean_value(struct aff_text value)
{
    for (size_t i = 0; i < value.size; i++) {
        unsigned char byte = (unsigned char)value.at[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7F)
            return false;
    }
    return true;
}

/* libmicrohttpd joins a folded line to the name of the field above it, which gives longer names. */
static bool disguised(struct aff_text name)
{
    return (BEGINS(name, "content-length") && name.size > sizeof "content-length" - 1) ||
           (BEGINS(name, "transfer-encoding") && name.size > sizeof "transfer-encoding" - 1) ||
           (BEGINS(name, "host") && name.size > sizeof "host" - 1);
}

static bool fit_request_id(struct aff_text id)
{
    if (id.size == 0 || id.size > AFF_REQUEST_ID_MAX)
        return false;
    for (size_t i = 0; i < id.size; i++) {
        char c = id.at[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
              c == '_' || c == '.'))
            return false;
    }
    return true;
}

static bool fit_key(struct aff_text key)
{
    if (key.size == 0 || key.size > AFF_IDEMPOTENCY_KEY_MAX)
        return false;
    for (size_t i = 0; i < key.size; i++)
        if (key.at[i] < 0x21 || key.at[i] > 0x7E)
            return false;
    return true;
}

static void gather(const struct aff_field *field, struct framing *framing, struct aff_inbound *inbound)
{
    struct aff_text name = field->name;

    switch (name.size) {
    case 3:
        if (IS(name, "via"))
            inbound->forwarded = true;
        break;
    case 4:
        if (IS(name, "host")) {
            framing->hosts++;
            framing->host = field->value;
        }
        break;
    case 6:
        if (IS(name, "expect"))
            framing->expect = field->value;
        break;
    case 9:
        if (IS(name, "forwarded"))
            inbound->forwarded = true;
        break;
    case 12:
        if (IS(name, "content-type")) {
            framing->types++;
            inbound->content_type = field->value;
        } else if (IS(name, "x-request-id") && fit_request_id(field->value)) {
            inbound->request_id = field->value;
        }
        break;
    case 14:
        if (IS(name, "content-length")) {
            framing->lengths++;
            framing->length = field->value;
        }
        break;
    case 15:
        if (IS(name, "idempotency-key")) {
            framing->keys++;
            inbound->idempotency_key = field->value;
        } else if (IS(name, "x-forwarded-for")) {
            inbound->forwarded = true;
        }
        break;
    case 16:
        if (IS(name, "content-encoding")) {
            framing->content_encodings++;
            inbound->content_encoding = field->value;
        }
        break;
    case 17:
        if (IS(name, "transfer-encoding")) {
            framing->encodings++;
            framing->encoding = field->value;
        }
        break;
    default:
        break;
    }
}

static bool check_fields(const struct aff_head *head, struct framing *framing, struct aff_inbound *inbound,
                         struct aff_refusal *refusal)
{
    for (size_t i = 0; i < head->n_fields; i++) {
        const struct aff_field *field = &head->fields[i];
        if (field->name.size == 0 || !all_of(field->name, &token_bytes))
            return refuse(refusal, 400, "a header name holds a byte that is not allowed in names");
        if (!clean_value(field->value))
            return refuse(refusal, 400, "a header value holds a control byte");
        if (disguised(field->name))
            return refuse(refusal, 400,
                          "a header name begins with host, content-length or "
                          "transfer-encoding and is longer");
        gather(field, framing, inbound);
    }
    if (framing->hosts > 1 || (framing->hosts == 0 && memcmp(head->version.at, "HTTP/1.1", 8) == 0))
        return refuse(refusal, 400, "there must be exactly one Host header");
    if (!all_of(framing->host, &host_bytes))
        return refuse(refusal, 400, "the Host header is not a host name with an optional port");
    if (framing->keys > 1 || (framing->keys == 1 && !fit_key(inbound->idempotency_key)))
        return refuse(refusal, 400, "Idempotency-Key is 1 to 128 visible ASCII characters, given once");
    if (framing->types > 1 || framing->content_encodings > 1)
        return refuse(refusal, 400, "Content-Type and Content-Encoding may be given once");
    return true;
}

static bool check_length(const struct framing *framing, struct aff_inbound *inbound,
                         struct aff_refusal *refusal)
{
    if (framing->lengths > 1)
        return refuse(refusal, 400, "Content-Length may be given once");
    if (framing->lengths == 0)
        return true;
    if (framing->length.size < 1 || framing->length.size > 10)
        return refuse(refusal, 400, "Content-Length must be a number of 1 to 10 digits");
    for (size_t i = 0; i < framing->length.size; i++) {
        char digit = framing->length.at[i];
        if (digit < '0' || digit > '9')
            return refuse(refusal, 400, "Content-Length must be a number of 1 to 10 digits");
        inbound->content_length = inbound->content_length * 10 + (uint64_t)(digit - '0');
    }
    return true;
}

static bool check_framing(const struct aff_head *head, const struct framing *framing,
                          struct aff_inbound *inbound, struct aff_refusal *refusal)
{
    if (!check_length(framing, inbound, refusal))
        return false;
    if (framing->encodings > 0) {
        if (framing->encodings > 1 || framing->encoding.size != 7 ||
            memcmp(framing->encoding.at, "chunked", 7) != 0)
            return refuse(refusal, 400, "Transfer-Encoding must be given once, and be chunked");
        if (framing->lengths > 0)
            return refuse(refusal, 400, "Content-Length and Transfer-Encoding may not come together");
        if (head->version.at[7] == '0')
            return refuse(refusal, 400, "Transfer-Encoding is not part of HTTP/1.0");
        inbound->chunked = true;
    }
    inbound->has_body = inbound->chunked || inbound->content_length > 0;
    if (inbound->has_body && (inbound->method == AFF_METHOD_GET || inbound->method == AFF_METHOD_HEAD ||
                              inbound->method == AFF_METHOD_OPTIONS))
        return refuse(refusal, 400, "GET, HEAD and OPTIONS have no body here");
    if (framing->expect.size > 0 && !IS(framing->expect, "100-continue"))
        return refuse(refusal, 417, "the only expectation that can be met is 100-continue");
    return true;
}

/* Takes "http://host" off an absolute target whose host is that of the Host header. */
static bool take_absolute(struct aff_text *target, struct aff_text host)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(schemes[i]);
        if (!begins(*target, schemes[i], size))
            continue;
        struct aff_text rest = {target->at + size, target->size - size};
        if (host.size == 0 || !begins(rest, host.at, host.size))
            return false;
        rest.at += host.size;
        rest.size -= host.size;
        if (rest.size == 0 || rest.at[0] != '/')
            return false;
        *target = rest;
        return true;
    }
    return false;
}

static bool check_target(const struct aff_head *head, struct aff_text host, struct aff_inbound *inbound,
                         struct aff_refusal *refusal)
{
    struct aff_text target = head->target;

    for (size_t i = 0; i < target.size; i++) {
        unsigned char byte = (unsigned char)target.at[i];
        if (byte < 0x21 || byte > 0x7E || byte == '#')
            return refuse(refusal, 400, "the request target holds a byte that must be percent-encoded");
    }
    if (inbound->method == AFF_METHOD_OPTIONS && target.size == 1 && target.at[0] == '*') {
        inbound->path = target;
        return true;
    }
    if (target.size == 0 || (target.at[0] != '/' && !take_absolute(&target, host)))
        return refuse(refusal, 400, "the request target must begin with / or with the host's own address");
    const char *mark = memchr(target.at, '?', target.size);
    inbound->path = target;
    if (mark != NULL) {
        inbound->path.size = (size_t)(mark - target.at);
        inbound->query = (struct aff_text){mark + 1, target.size - inbound->path.size - 1};
    }
    if (memmem(inbound->path.at, inbound->path.size, "%00", 3) != NULL)
        return refuse(refusal, 400, "the path holds a NUL byte");
    return true;
}

static bool check_method(struct aff_text method, struct aff_inbound *inbound, struct aff_refusal *refusal)
{
    for (int i = 0; i < AFF_METHOD_MAX; i++) {
        if (method.size == strlen(method_names[i]) && memcmp(method.at, method_names[i], method.size) == 0) {
            inbound->method = (enum aff_method)i;
            return true;
        }
    }
    return refuse(refusal, 501, "the method is not known here; methods are written in capitals");
}

bool aff_guard_check(const struct aff_head *head, struct aff_inbound *ret_inbound,
                     struct aff_refusal *ret_refusal)
{
    struct framing framing = {0};
    struct aff_inbound inbound = {0};

    if (head->target.size > AFF_TARGET_BYTES)
        return refuse(ret_refusal, 414, "the request target is longer than 4096 bytes; POST takes more");
    if (head->n_fields > AFF_HEAD_FIELDS || head->size_bytes > AFF_HEAD_BYTES)
        return refuse(ret_refusal, 431, "the head has more than 64 fields or 16384 bytes");
    if (head->version.size != 8 ||
        (memcmp(head->version.at, "HTTP/1.1", 8) != 0 && memcmp(head->version.at, "HTTP/1.0", 8) != 0))
        return refuse(ret_refusal, 505, "HTTP/1.1 and HTTP/1.0 are spoken here");
    if (!check_method(head->method, &inbound, ret_refusal) ||
        !check_fields(head, &framing, &inbound, ret_refusal) ||
        !check_framing(head, &framing, &inbound, ret_refusal) ||
        !check_target(head, framing.host, &inbound, ret_refusal))
        return false;
    *ret_inbound = inbound;
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A request head, given as lines "METHOD TARGET VERSION" and "name:value": whatever the bytes, the guard
 * accepts only heads with one framing, and what it accepts can be routed and its path decoded. */
#include "server/guard.h"
#include "server/percent.h"
#include "server/router.h"

#include <stdlib.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Cuts the text up to `end` off the front of *rest. */
static struct aff_text take(struct aff_text *rest, char end)
{
    const char *stop = rest->size == 0 ? NULL : memchr(rest->at, end, rest->size);
    struct aff_text part = {rest->at, stop == NULL ? rest->size : (size_t)(stop - rest->at)};
    size_t used = part.size + (stop != NULL);

    rest->at += used;
    rest->size -= used;
    return part;
}

static void read_head(struct aff_text text, struct aff_head *head)
{
    struct aff_text line = take(&text, '\n');

    head->size_bytes = text.size;
    head->method = take(&line, ' ');
    head->target = take(&line, ' ');
    head->version = line;
    while (text.size > 0) {
        line = take(&text, '\n');
        struct aff_text name = take(&line, ':');
        if (head->n_fields < AFF_HEAD_FIELDS)
            head->fields[head->n_fields] = (struct aff_field){name, line};
        head->n_fields++;
    }
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool is(struct aff_text name, const char *expected)
{
    return name.size == strlen(expected) && strncasecmp(name.at, expected, name.size) == 0;
}

static void check_accepted(const struct aff_head *head, const struct aff_inbound *inbound)
{
    unsigned lengths = 0, encodings = 0, hosts = 0;

    must(head->n_fields <= AFF_HEAD_FIELDS);
    for (size_t i = 0; i < head->n_fields; i++) {
        lengths += is(head->fields[i].name, "content-length");
        encodings += is(head->fields[i].name, "transfer-encoding");
        hosts += is(head->fields[i].name, "host");
        must(head->fields[i].name.size > 0 &&
             memchr(head->fields[i].name.at, ' ', head->fields[i].name.size) == NULL);
    }
    must(lengths + encodings <= 1 && hosts <= 1);
    must(inbound->chunked == (encodings == 1));
    must(!inbound->has_body || lengths + encodings == 1);
    must(!inbound->has_body || (inbound->method != AFF_METHOD_GET && inbound->method != AFF_METHOD_HEAD));
    must(inbound->path.size > 0 && (inbound->path.at[0] == '/' || inbound->path.size == 1));
    struct aff_match match = aff_router_find(inbound->method, inbound->path);
    char *id = malloc(match.id.size + 1);
    size_t size = 0;
    must(id != NULL);
    if (aff_percent_decode(match.id.at, match.id.size, false, id, &size))
        must(size <= match.id.size && memchr(id, '\0', size) == NULL);
    free(id);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct aff_head head = {0};
    struct aff_inbound inbound;
    struct aff_refusal refusal = {0};

    read_head((struct aff_text){(const char *)bytes, size}, &head);
    if (aff_guard_check(&head, &inbound, &refusal))
        check_accepted(&head, &inbound);
    else
        must(refusal.status >= 400 && refusal.status < 600 && refusal.detail != NULL);
    return 0;
}

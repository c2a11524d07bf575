/* SPDX-License-Identifier: Apache-2.0 */
/* The common answer, put together from ready pieces: most requests ask for the usual fields and no
 * explanation, and for them the writing of JSON value by value would take longer than finding the products.
 */
#include "server/fragments.h"
#include "server/present.h"
#include "server/wording.h"

#define PIECE(literal)                                                                                       \
    {                                                                                                        \
        literal, sizeof(literal) - 1                                                                         \
    }

enum { FIXED_MAX = 512 }; /* all pieces of an item but the product's fragment and the ids in its reason */

static const struct aff_text kinds[] = {
#define X(name, text) PIECE(",\"kind\":\"" text "\",\"rank\":"),
    AFF_KIND_LIST(X)
#undef X
};

static const struct aff_text origins[] = {
#define X(name, text) PIECE(",\"origin\":\"" text "\",\"cta\":\""),
    AFF_ORIGIN_LIST(X)
#undef X
};

static char *put(char *at, struct aff_text text)
{
    memcpy(at, text.at, text.size);
    return at + text.size;
}

#define PUT(at, literal) put(at, (struct aff_text){literal, sizeof(literal) - 1})

static char *put_rank(char *at, uint32_t rank)
{
    char digits[10];
    size_t n = 0;

    do {
        digits[n++] = (char)('0' + rank % 10);
        rank /= 10;
    } while (rank != 0);
    while (n > 0)
        *at++ = digits[--n];
    return at;
}

static char *put_reason(char *at, const struct aff_item *item, struct aff_text via)
{
    struct aff_wording_reason reason = aff_wording_reason(item);

    at = PUT(at, "\",\"reason\":{\"code\":\"");
    at = put(at, reason.code);
    if (reason.names_via) {
        at = PUT(at, "\",\"via\":\"");
        at = put(at, via);
    }
    at = PUT(at, "\",\"text\":\"");
    at = put(at, reason.before);
    if (reason.names_via)
        at = put(at, via);
    return put(at, reason.behind);
}

static void write_item(struct aff_json *json, const struct aff_model *model, const struct aff_item *item,
                       uint32_t rank)
{
    struct aff_fragment fragment = aff_fragments_get(model, item->row);
    struct aff_text via = {0};

    if (item->via != AFF_NO_ROW)
        via = aff_fragments_get(model, item->via).id;
    char *start = aff_json_room(json, fragment.members.size + 2 * via.size + FIXED_MAX);
    if (start == NULL)
        return;
    char *at = rank == 1 ? PUT(start, "{") : PUT(start, ",{");
    at = put(at, fragment.members);
    at = put_rank(put(at, kinds[item->kind]), rank);
    at = PUT(at, ",\"score\":");
    at += aff_json_put_score(at, (double)item->score);
    at = put(put(at, origins[item->origin]), aff_wording_cta(item->kind));
    at = put_reason(at, item, via);
    at = PUT(at, "\"},\"angle\":\"");
    at = PUT(put(at, aff_wording_angle(item)), "\"}");
    aff_json_written(json, (size_t)(at - start));
}

void aff_present_plain_items(struct aff_json *json, const struct aff_model *model,
                             const struct aff_answer *answer)
{
    for (uint32_t i = 0; i < answer->n_items; i++) {
        aff_fragments_prefetch_place(model, answer->items[i].row);
        if (answer->items[i].via != AFF_NO_ROW)
            aff_fragments_prefetch_place(model, answer->items[i].via);
    }
    for (uint32_t i = 0; i < answer->n_items; i++) {
        aff_fragments_prefetch_bytes(model, answer->items[i].row);
        if (answer->items[i].via != AFF_NO_ROW)
            aff_fragments_prefetch_bytes(model, answer->items[i].via);
    }
    for (uint32_t i = 0; i < answer->n_items; i++)
        write_item(json, model, &answer->items[i], i + 1);
}

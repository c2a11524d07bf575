/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one decision about a pair: {"product", "other", "verdict", "by", "note"}. */
#include "server/batch_internal.h"

#include "core/learn/reviews.h"
#include "sql/review/review.h"

#include <string.h>

static const char *const names[AFF_REVIEW_VALUES] = {
    [AFF_REVIEW_PRODUCT] = "product",
    [AFF_REVIEW_OTHER] = "other",
    [AFF_REVIEW_BY] = "by",
    [AFF_REVIEW_NOTE] = "note",
};

struct review_reader {
    struct aff_entry_reader *base;
    struct aff_text *values;
    bool given[AFF_REVIEW_VALUES], has_verdict;
};

static void take_verdict(struct review_reader *review, struct aff_text name, const struct aff_node *value)
{
    review->has_verdict = true;
    if (aff_node_kind(value) != AFF_NODE_TEXT) {
        aff_entry_wrong_type(review->base, name, "a text", value);
        return;
    }
    for (int verdict = AFF_VERDICT_OPEN; verdict <= AFF_VERDICT_REJECT; verdict++)
        if (aff_text_equal(aff_node_text(value), aff_text_of(aff_verdict_name((enum aff_verdict)verdict)))) {
            review->base->entry->given = (unsigned)verdict;
            return;
        }
    aff_entry_error(review->base, name, "must be approve, reject or open");
}

/* Null empties it. */
static void take_text(struct review_reader *review, struct aff_text name, const struct aff_node *value,
                      size_t most, struct aff_text *ret)
{
    if (aff_node_kind(value) == AFF_NODE_NULL)
        return;
    if (aff_node_kind(value) != AFF_NODE_TEXT)
        aff_entry_wrong_type(review->base, name, "a text or null", value);
    else if (!aff_review_text_is_fit(aff_node_text(value), most))
        aff_entry_error(review->base, name,
                        "must be at most %zu bytes of UTF-8 text without control characters", most);
    else
        *ret = aff_entry_keep(review->base, aff_node_text(value));
}

static void take_member(void *context, struct aff_text name, const struct aff_node *value)
{
    struct review_reader *review = context;
    int at = 0;

    if (aff_text_equal(name, aff_text_of("verdict"))) {
        take_verdict(review, name, value);
        return;
    }
    while (at < AFF_REVIEW_VALUES && !aff_text_equal(name, aff_text_of(names[at])))
        at++;
    if (at == AFF_REVIEW_VALUES) {
        aff_entry_error(review->base, name, "is not a member of a decision about a pair");
        return;
    }
    review->given[at] = true;
    if (at <= AFF_REVIEW_OTHER)
        (void)aff_entry_take_id(review->base, name, value, &review->values[at]);
    else
        take_text(review, name, value, at == AFF_REVIEW_BY ? AFF_REVIEW_BY_MAX : AFF_REVIEW_NOTE_MAX,
                  &review->values[at]);
}

/* The same for both orders of the two: a control character, which is in no id, stands between them. */
static struct aff_text name_pair(struct review_reader *review)
{
    struct aff_text x = review->values[AFF_REVIEW_PRODUCT], y = review->values[AFF_REVIEW_OTHER];
    char text[2 * AFF_ID_MAX + 1];
    int order = memcmp(x.at, y.at, x.size < y.size ? x.size : y.size);

    if (order > 0 || (order == 0 && x.size > y.size)) {
        struct aff_text swapped = x;
        x = y;
        y = swapped;
    }
    memcpy(text, x.at, x.size);
    text[x.size] = '\n';
    memcpy(text + x.size + 1, y.at, y.size);
    return aff_entry_keep(review->base, (struct aff_text){text, x.size + 1 + y.size});
}

void aff_entry_read_review(struct aff_entry_reader *reader, const struct aff_node *object)
{
    struct review_reader review = {.base = reader};

    review.values = aff_arena_take(&reader->batch->arena, AFF_REVIEW_VALUES * sizeof *review.values);
    if (review.values == NULL) {
        reader->failed = true;
        return;
    }
    for (int i = 0; i < AFF_REVIEW_VALUES; i++)
        review.values[i] = (struct aff_text){"", 0};
    reader->entry->values = review.values;
    aff_node_members(object, take_member, &review);
    for (int i = AFF_REVIEW_PRODUCT; i <= AFF_REVIEW_OTHER; i++)
        if (!review.given[i])
            aff_entry_error(reader, aff_text_of(names[i]), "is missing");
    if (!review.has_verdict)
        aff_entry_error(reader, aff_text_of("verdict"), "is missing");
    if (reader->errors.n > 0 || reader->failed)
        return;
    if (aff_text_equal(review.values[AFF_REVIEW_PRODUCT], review.values[AFF_REVIEW_OTHER]))
        aff_entry_error(reader, aff_text_of("other"), "must be another product");
    else
        reader->entry->id = name_pair(&review);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Substitutes: products of the same category, or of the category one level up, at half to twice the price, by
 * how alike they are. */
#include "core/catalogue/likeness.h"
#include "core/recommend/run.h"

enum {
    MAX_BASES = 8,    /* of a cart; the newest count */
    MAX_LOOKED = 300, /* products of one category, the most popular first */
};

/* Shares of likeness; they add up to 1. */
#define SAME_CATEGORY 0.4f
#define PARENT_CATEGORY 0.2f
#define SAME_BRAND 0.2f
#define SAME_ATTRIBUTES 0.2f
#define SAME_WORDS 0.2f

static bool in_reach(const struct aff_product *base, const struct aff_product *other)
{
    if (base->price == AFF_NO_MONEY || other->price == AFF_NO_MONEY)
        return true;
    return other->price >= base->price / 2 + base->price % 2 &&
           other->price / 2 + other->price % 2 <= base->price;
}

static float likeness(const struct aff_product *base, const struct aff_product *other)
{
    float sum = other->category_row == base->category_row ? SAME_CATEGORY : PARENT_CATEGORY;

    if (aff_likeness_brand(base, other))
        sum += SAME_BRAND;
    sum += SAME_ATTRIBUTES * aff_likeness_attributes(base, other);
    return sum + SAME_WORDS * aff_likeness_words(base, other);
}

static void name_category(struct aff_run *run, uint32_t base_number, uint32_t category)
{
    uint32_t base_row = run->space->bases[base_number].row, n;
    const struct aff_product *base = aff_catalogue_product(run->catalogue, base_row);
    const uint32_t *rows = aff_catalogue_popular(run->catalogue, category, &n);

    for (uint32_t i = 0; i < n && i < MAX_LOOKED; i++) {
        const struct aff_product *other = aff_catalogue_product(run->catalogue, rows[i]);
        if (rows[i] == base_row || !in_reach(base, other))
            continue;
        struct aff_side *side = aff_candidate_touch(run, rows[i]);
        float value = likeness(base, other);
        if (!(side->flags & AFF_SIDE_SUBSTITUTE) || value > side->content) {
            side->flags |= AFF_SIDE_SUBSTITUTE;
            side->content = value;
            side->content_via = base_number;
        }
    }
}

void aff_candidates_from_content(struct aff_run *run)
{
    uint32_t n = 0;

    /* The page product is what the customer looks at; a cart stands in for it, newest product first. */
    for (uint32_t i = run->n_given; i-- > 0 && n < MAX_BASES;) {
        uint32_t row = run->space->bases[i].row;
        if (run->product != AFF_NO_ROW && row != run->product)
            continue;
        uint32_t category = aff_catalogue_product(run->catalogue, row)->category_row;
        n++;
        if (category == AFF_NO_ROW)
            continue;
        name_category(run, i, category);
        uint32_t parent = aff_catalogue_category_parent(run->catalogue, category);
        if (parent != AFF_NO_ROW)
            name_category(run, i, parent);
    }
}

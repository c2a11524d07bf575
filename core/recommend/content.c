/* SPDX-License-Identifier: Apache-2.0 */
/* Substitutes: products of the same category, or of the category one level up, at half to twice the price, by
 * how alike they are. */
#include "core/recommend/run.h"

enum {
    MAX_BASES = 8,    /* of a cart; the newest count */
    MAX_LOOKED = 300, /* products of one category, the most popular first */
    MAX_WORDS = 24,   /* of one name */
};

/* Shares of likeness; they add up to 1. */
#define SAME_CATEGORY 0.4f
#define PARENT_CATEGORY 0.2f
#define SAME_BRAND 0.2f
#define SAME_ATTRIBUTES 0.2f
#define SAME_WORDS 0.2f

static bool is_letter(char byte)
{
    unsigned char c = (unsigned char)byte;

    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool equal_words(struct aff_text a, struct aff_text b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (lower(a.at[i]) != lower(b.at[i]))
            return false;
    return true;
}

static bool has_word(const struct aff_text *words, uint32_t n, struct aff_text word)
{
    for (uint32_t i = 0; i < n; i++)
        if (equal_words(words[i], word))
            return true;
    return false;
}

/* The distinct words of a name. */
static uint32_t split(struct aff_text name, struct aff_text ret_words[MAX_WORDS])
{
    uint32_t n = 0;

    for (size_t i = 0; i < name.size && n < MAX_WORDS;) {
        size_t start = i;
        while (i < name.size && is_letter(name.at[i]))
            i++;
        struct aff_text word = {name.at + start, i - start};
        if (word.size > 0 && !has_word(ret_words, n, word))
            ret_words[n++] = word;
        if (word.size == 0)
            i++;
    }
    return n;
}

/* Jaccard's share of common words. */
static float common_words(struct aff_text a, struct aff_text b)
{
    struct aff_text words_a[MAX_WORDS], words_b[MAX_WORDS];
    uint32_t n_a = split(a, words_a), n_b = split(b, words_b), common = 0;

    for (uint32_t i = 0; i < n_a; i++)
        common += has_word(words_b, n_b, words_a[i]);
    return common == 0 ? 0 : (float)common / (float)(n_a + n_b - common);
}

static float common_attributes(const struct aff_product *a, const struct aff_product *b)
{
    uint32_t common = 0;
    uint32_t most = a->n_attributes > b->n_attributes ? a->n_attributes : b->n_attributes;

    for (uint32_t i = 0; i < a->n_attributes; i++)
        for (uint32_t j = 0; j < b->n_attributes; j++)
            common += aff_text_equal(a->attributes[i].name, b->attributes[j].name) &&
                      aff_text_equal(a->attributes[i].value, b->attributes[j].value);
    if (common > most) /* an attribute may come twice */
        common = most;
    return most == 0 ? 0 : (float)common / (float)most;
}

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

    if (base->brand.size > 0 && aff_text_equal(base->brand, other->brand))
        sum += SAME_BRAND;
    sum += SAME_ATTRIBUTES * common_attributes(base, other);
    return sum + SAME_WORDS * common_words(base->name, other->name);
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
    for (uint32_t i = run->n_bases; i-- > 0 && n < MAX_BASES;) {
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

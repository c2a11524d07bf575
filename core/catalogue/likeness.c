/* SPDX-License-Identifier: Apache-2.0 */
#include "core/catalogue/likeness.h"

enum { MAX_WORDS = 24 }; /* of one name */

/* Takes the first level off a category path. */
static struct aff_text take_level(struct aff_text *path)
{
    const struct aff_text separator = aff_text_of(AFF_CATEGORY_SEPARATOR);
    struct aff_text level = {path->at, 0};

    while (level.size < path->size && (path->size - level.size < separator.size ||
                                       memcmp(path->at + level.size, separator.at, separator.size) != 0))
        level.size++;
    const size_t taken = level.size < path->size ? level.size + separator.size : level.size;
    *path = (struct aff_text){path->at + taken, path->size - taken};
    return level;
}

float aff_likeness_path(const struct aff_product *a, const struct aff_product *b)
{
    struct aff_text left = a->category, right = b->category;
    uint32_t n = 0, n_common = 0;

    if (a->category_row == AFF_NO_ROW || b->category_row == AFF_NO_ROW)
        return 0;
    if (a->category_row == b->category_row)
        return 1;
    while (left.size > 0 || right.size > 0) {
        const struct aff_text level = take_level(&left), other = take_level(&right);
        n_common += n_common == n && aff_text_equal(level, other);
        n++;
    }
    return (float)n_common / (float)n;
}

bool aff_likeness_brand(const struct aff_product *a, const struct aff_product *b)
{
    return a->brand.size > 0 && aff_text_equal(a->brand, b->brand);
}

bool aff_likeness_price(const struct aff_product *a, const struct aff_product *b)
{
    if (a->price == AFF_NO_MONEY || b->price == AFF_NO_MONEY)
        return false;
    const double low = (double)(a->price < b->price ? a->price : b->price);
    const double high = (double)(a->price < b->price ? b->price : a->price);
    return low >= 0.8 * high;
}

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

float aff_likeness_words(const struct aff_product *a, const struct aff_product *b)
{
    struct aff_text words_a[MAX_WORDS], words_b[MAX_WORDS];
    uint32_t n_a = split(a->name, words_a), n_b = split(b->name, words_b), common = 0;

    for (uint32_t i = 0; i < n_a; i++)
        common += has_word(words_b, n_b, words_a[i]);
    return common == 0 ? 0 : (float)common / (float)(n_a + n_b - common);
}

float aff_likeness_attributes(const struct aff_product *a, const struct aff_product *b)
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

float aff_likeness(const struct aff_product *a, const struct aff_product *b)
{
    const float path = 0.4F, each = 0.15F;
    float sum = path * aff_likeness_path(a, b);

    sum += aff_likeness_brand(a, b) ? each : 0;
    sum += aff_likeness_price(a, b) ? each : 0;
    sum += each * aff_likeness_attributes(a, b);
    return sum + each * aff_likeness_words(a, b);
}

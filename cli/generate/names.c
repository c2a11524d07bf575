/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/names.h"

#include <stdio.h>

static const char COLOURS[] = "Black|Navy|Forest Green|Sand|Light Grey|Burgundy|White|Terracotta";
static const char SERIES[] = "Classic|Urban|Nordic|Comfort|Active|Select|Essential|Studio|Heritage|Compact|"
                             "Everyday|Signature";

static uint32_t count_of(const char *list)
{
    uint32_t n = list[0] != '\0';

    for (; *list != '\0'; list++)
        n += *list == '|';
    return n;
}

static struct aff_text entry_of(const char *list, uint32_t number)
{
    while (number > 0)
        number -= *list++ == '|';
    return (struct aff_text){list, strcspn(list, "|")};
}

/* Takes one digit of a number in mixed radix: which entry of the list. `turn` shifts the list, so that
 * neighbours in rank differ in everything; it must follow from digits already taken (and the type), or names
 * would not be unique. */
static struct aff_text take(const char *list, uint32_t *number, uint32_t *turn)
{
    uint32_t n = count_of(list);

    if (n == 0)
        return (struct aff_text){NULL, 0};
    uint32_t digit = *number % n;
    *number /= n;
    uint32_t entry = (digit + *turn) % n;
    *turn += digit;
    return entry_of(list, entry);
}

static int text_size(struct aff_text text)
{
    return (int)text.size;
}

static void write_name(struct aff_demo_description *ret, struct aff_text series, struct aff_text noun,
                       uint32_t edition)
{
    static const char *const suffixes[] = {"", " Basic", " Plus", " Pro"};
    unsigned tier = ret->tier[0] == '\0' ? 0 : ret->tier[0] == 'b' ? 1 : ret->tier[1] == 'l' ? 2 : 3;
    char number[24] = "";

    if (edition > 0)
        (void)snprintf(number, sizeof number, " %u", edition + 1);
    (void)snprintf(ret->name, sizeof ret->name, "%.*s %.*s%s %.*s%s%s%.*s%s%.*s", text_size(ret->brand),
                   ret->brand.at, text_size(series), series.at, number, text_size(noun), noun.at,
                   suffixes[tier], ret->size.size > 0 ? ", " : "", text_size(ret->size),
                   ret->size.size > 0 ? ret->size.at : "", ret->colour.size > 0 ? ", " : "",
                   text_size(ret->colour), ret->colour.size > 0 ? ret->colour.at : "");
}

void aff_demo_describe(enum aff_demo_type_name type, uint32_t rank, struct aff_demo_description *ret)
{
    static const char *const brands[] = {
#define DEPARTMENT(department, text, list) list,
#define TYPE(...)
#include "cli/generate/types.def"
#undef DEPARTMENT
#undef TYPE
    };
    static const char *const tiers[] = {"basic", "plus", "pro"};
    static const int32_t levels[] = {85, 100, 120, 145};
    const struct aff_demo_type *row = &aff_demo_types[type];
    bool tiered = (row->flags & AFF_TYPE_TIERS) != 0;
    uint32_t number = tiered ? rank / 3 : rank, turn = 0;

    *ret = (struct aff_demo_description){.tier = tiered ? tiers[rank % 3] : "",
                                         .family = tiered ? rank / 3 + 1 : 0};
    struct aff_text noun = take(row->nouns, &number, &turn);
    /* From here on every list begins elsewhere for each type: else the best sellers would all be of the first
     * brand. */
    turn += (uint32_t)type + 1;
    ret->brand = take(brands[row->department], &number, &turn);
    for (uint32_t i = 0; i < 4; i++)
        if (aff_text_equal(entry_of(brands[row->department], i), ret->brand))
            ret->price_level = levels[i];
    ret->size = take(row->sizes, &number, &turn);
    if ((row->flags & AFF_TYPE_COLOUR) != 0)
        ret->colour = take(COLOURS, &number, &turn);
    struct aff_text series = take(SERIES, &number, &turn);
    write_name(ret, series, noun, number);
    if (row->materials[0] != '\0')
        ret->material = entry_of(row->materials, turn % count_of(row->materials));
}

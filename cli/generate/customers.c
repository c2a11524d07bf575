/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/customers.h"

enum { HASH_CUSTOMER = 3, HASH_GUEST = 4 };

const char *const aff_demo_segment_names[AFF_SEGMENTS] = {"value", "regular", "premium", "business"};

static enum aff_demo_segment segment_of(uint64_t of_hundred)
{
    if (of_hundred < 34)
        return AFF_SEGMENT_VALUE;
    if (of_hundred < 75)
        return AFF_SEGMENT_REGULAR;
    return of_hundred < 92 ? AFF_SEGMENT_PREMIUM : AFF_SEGMENT_BUSINESS;
}

static const char *country_of(uint64_t of_hundred)
{
    static const struct {
        uint64_t until;
        const char *code;
    } countries[] = {{46, "DE"}, {58, "FR"}, {67, "NL"}, {75, "AT"}, {81, "BE"},
                     {87, "IT"}, {92, "ES"}, {95, "PL"}, {98, "DK"}, {100, "SE"}};
    size_t i = 0;

    while (countries[i].until <= of_hundred)
        i++;
    return countries[i].code;
}

struct aff_demo_traits aff_demo_traits_of(uint64_t seed, uint32_t customer, uint64_t order)
{
    bool guest = customer == AFF_DEMO_GUEST;
    struct aff_random random = {guest ? aff_draw_hash(seed, HASH_GUEST, order)
                                      : aff_draw_hash(seed, HASH_CUSTOMER, customer)};
    struct aff_demo_traits traits = {.segment = segment_of(aff_random_below(&random, 100)),
                                     .country = country_of(aff_random_below(&random, 100))};

    for (int i = 0; i < AFF_DEMO_FAVOURITES; i++)
        traits.favourites[i] = (uint8_t)aff_random_below(&random, AFF_DEMO_DEPARTMENTS);
    if (traits.segment == AFF_SEGMENT_BUSINESS)
        traits.favourites[0] = AFF_DEPARTMENT_OFFICE;
    return traits;
}

int aff_demo_customer_id(uint32_t customer, char ret_id[AFF_DEMO_CUSTOMER_ID])
{
    enum { LEAST_DIGITS = 7 };
    char digits[AFF_DEMO_CUSTOMER_ID];
    int n = 0, size = 0;

    /* By hand, because there is one for every order and snprintf() would be a tenth of the whole time. */
    for (uint64_t rest = (uint64_t)customer + 1; rest > 0 || n < LEAST_DIGITS; rest /= 10)
        digits[n++] = (char)('0' + rest % 10);
    ret_id[size++] = 'U';
    while (n > 0)
        ret_id[size++] = digits[--n];
    ret_id[size] = '\0';
    return size;
}

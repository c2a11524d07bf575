/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sequence/alike.h"

#include "core/sequence/gathering.h"

#include <math.h>

/* What the settings say of lengths and distances, reckoned once. */
struct tables {
    double length[AFF_SEQUENCE_LENGTH_MAX + 1];
    double places[2 * AFF_SEQUENCE_LENGTH_MAX]; /* the product's last place is at [AFF_SEQUENCE_LENGTH_MAX] */
};

struct aff_alike_settings aff_alike_default(void)
{
    return (struct aff_alike_settings){
        .keep = 50,
        .length_power = 0.25,
        .around = 2,
        .even = 0.1,
        .own = 0.6,
        .before = 0.7,
    };
}

static void fill_tables(struct tables *tables, const struct aff_alike_settings *settings)
{
    double *middle = tables->places + AFF_SEQUENCE_LENGTH_MAX;

    tables->length[0] = 0; /* no sequence is empty */
    for (int n = 1; n <= AFF_SEQUENCE_LENGTH_MAX; n++)
        tables->length[n] = pow(n, -settings->length_power);
    tables->places[0] = 0; /* no two places are so far apart */
    middle[0] = settings->own;
    for (int distance = 1; distance < AFF_SEQUENCE_LENGTH_MAX; distance++) {
        const double fade = exp(-distance / settings->around);
        middle[distance] = fade + settings->even;
        middle[-distance] = settings->before * fade + settings->even;
    }
}

/* Adds what one sequence of product `row` says. */
static void hear(const struct aff_sequences *sequences, const struct tables *tables, uint32_t sequence,
                 uint32_t row, struct aff_gathering *gathering)
{
    const uint32_t *rows = sequences->rows + sequences->starts[sequence];
    const uint32_t n = sequences->starts[sequence + 1] - sequences->starts[sequence];
    uint32_t last = 0;

    for (uint32_t i = 0; i < n; i++)
        last = rows[i] == row ? i : last;
    const double *places = tables->places + AFF_SEQUENCE_LENGTH_MAX - last;
    for (uint32_t i = 0; i < n; i++)
        aff_gathering_add(gathering, rows[i], tables->length[n] * places[i]);
}

aff_status aff_alike_build(const struct aff_sequences *sequences, const struct aff_alike_settings *settings,
                           struct aff_successors **ret_alike)
{
    struct tables tables;
    struct aff_gathering gathering;
    aff_status status = aff_gathering_begin(&gathering, sequences->n_products, settings->keep);

    fill_tables(&tables, settings);
    for (uint32_t row = 0; status == AFF_OK && row < sequences->n_products; row++) {
        for (uint32_t i = sequences->product_starts[row]; i < sequences->product_starts[row + 1]; i++)
            hear(sequences, &tables, sequences->holders[i], row, &gathering);
        status = aff_gathering_settle(&gathering, 1);
    }
    return aff_gathering_end(&gathering, status, ret_alike);
}

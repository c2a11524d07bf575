/* SPDX-License-Identifier: Apache-2.0 */
/* How often visitors come back to a product decides how much the product they look at counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/sequence/traces.h"

#include <stdlib.h>

enum { N_PRODUCTS = 4 };

static float revisits_of(const uint32_t *const *sessions, const uint32_t *lengths, uint32_t n)
{
    struct aff_sequences_builder *builder;
    struct aff_traces *traces = calloc(1, sizeof *traces);

    assert_non_null(traces);
    assert_int_equal(aff_sequences_builder_new(&builder), AFF_OK);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(aff_sequences_builder_add(builder, sessions[i], lengths[i], 1000 + i), AFF_OK);
    assert_int_equal(aff_sequences_builder_finish(builder, N_PRODUCTS, 10, &traces->sessions), AFF_OK);
    aff_sequences_builder_free(builder);
    assert_int_equal(aff_traces_learn_views(traces), AFF_OK);
    const float revisits = traces->revisits;
    aff_traces_free(traces);
    return revisits;
}

static void views_of_a_product_seen_before_are_counted_among_those_after_the_first(void **state)
{
    const uint32_t back[] = {0, 1, 0, 0}, forth[] = {2, 3};

    (void)state;
    assert_true(revisits_of((const uint32_t *const[]){back, forth}, (const uint32_t[]){4, 2}, 2) == 0.5F);
    assert_true(revisits_of((const uint32_t *const[]){forth}, (const uint32_t[]){2}, 1) == 0);
    assert_true(revisits_of((const uint32_t *const[]){forth}, (const uint32_t[]){1}, 1) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_of_a_product_seen_before_are_counted_among_those_after_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

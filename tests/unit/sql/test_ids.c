/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/intake/ids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void ids_are_found_after_any_number_of_additions(void **state)
{
    enum { N = 20000 };
    struct aff_ids ids = {0};
    char text[32];

    (void)state;
    assert_null(aff_ids_find(&ids, aff_text_of("P1")));
    for (int i = 0; i < N; i++) {
        (void)snprintf(text, sizeof text, "P%d", i);
        assert_null(aff_ids_find(&ids, aff_text_of(text)));
        assert_int_equal(aff_ids_add(&ids, aff_text_of(text), i * 3), AFF_OK);
    }
    for (int i = 0; i < N; i++) {
        (void)snprintf(text, sizeof text, "P%d", i);
        const struct aff_id *id = aff_ids_find(&ids, aff_text_of(text));
        assert_non_null(id);
        assert_int_equal(id->number, i * 3);
        assert_true(aff_text_equal(ids.all[i].text, aff_text_of(text)));
    }
    aff_ids_done(&ids);
    assert_null(aff_ids_find(&ids, aff_text_of("P1")));
    aff_ids_done(&ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_found_after_any_number_of_additions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

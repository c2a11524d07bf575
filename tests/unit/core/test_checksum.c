/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void empty_text_has_the_published_checksum(void **state)
{
    char digits[AFF_CHECKSUM_TEXT];

    (void)state;
    aff_checksum_text((struct aff_text){NULL, 0}, digits);
    assert_string_equal(digits, "99aa06d3014798d86001c324468d497f");
}

static void one_changed_byte_changes_the_checksum(void **state)
{
    char a[AFF_CHECKSUM_TEXT], b[AFF_CHECKSUM_TEXT];

    (void)state;
    aff_checksum_text(aff_text_of("CREATE TABLE a ();"), a);
    aff_checksum_text(aff_text_of("CREATE TABLE b ();"), b);
    assert_string_not_equal(a, b);
    aff_checksum_text(aff_text_of("CREATE TABLE a ();"), b);
    assert_string_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_text_has_the_published_checksum),
        cmocka_unit_test(one_changed_byte_changes_the_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

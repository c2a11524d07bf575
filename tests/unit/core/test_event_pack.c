/* SPDX-License-Identifier: Apache-2.0 */
#include "core/event/pack.h"

#include "core/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct aff_event_pack pack;

static int done(void **state)
{
    (void)state;
    aff_event_pack_done(&pack);
    return 0;
}

static struct aff_event some_event(struct aff_random *random)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    struct aff_event event = {
        .kind = (enum aff_event_kind)(1 + aff_random_below(random, AFF_EVENT_KIND_MAX - 1)),
        .has_session = aff_random_below(random, 2),
        .has_recommendation = aff_random_below(random, 2),
        .has_order = aff_random_below(random, 2),
        .has_quantity = aff_random_below(random, 2),
        .has_amount = aff_random_below(random, 2),
        .removes = aff_random_below(random, 2),
        .at_us = (int64_t)aff_random_below(random, INT64_C(1) << 60),
        .product = {letters, aff_random_below(random, 20)},
        .customer = {letters + 3, aff_random_below(random, 20)},
        .data = {letters, aff_random_below(random, 26)},
    };
    event.key[0] = (unsigned char)aff_random_next(random);
    event.session = event.has_session ? aff_random_next(random) : 0;
    event.order_key = event.has_order ? aff_random_next(random) : 0;
    event.recommendation[3] = event.has_recommendation ? 7 : 0;
    event.quantity = event.has_quantity ? 5 : 0;
    event.amount = event.has_amount ? INT64_C(1) << 40 : 0;
    event.product_key = event.product.size > 0 ? 99 : 0;
    return event;
}

static void same(const struct aff_event *a, const struct aff_event *b)
{
    assert_memory_equal(a->key, b->key, sizeof a->key);
    assert_memory_equal(a->recommendation, b->recommendation, sizeof a->recommendation);
    assert_true(a->kind == b->kind && a->at_us == b->at_us && a->session == b->session &&
                a->order_key == b->order_key && a->quantity == b->quantity && a->amount == b->amount &&
                a->product_key == b->product_key && a->removes == b->removes &&
                a->has_session == b->has_session && a->has_order == b->has_order &&
                a->has_quantity == b->has_quantity && a->has_amount == b->has_amount &&
                a->has_recommendation == b->has_recommendation);
    assert_true(aff_text_equal(a->product, b->product) && aff_text_equal(a->customer, b->customer) &&
                aff_text_equal(a->data, b->data));
}

static void what_is_packed_is_read_back(void **state)
{
    struct aff_random random = {5}, again = {5};
    struct aff_event_reader reader;
    struct aff_event event;

    (void)state;
    assert_int_equal(aff_event_pack_begin(&pack, aff_text_of("shop")), AFF_OK);
    for (int i = 0; i < 500; i++) {
        event = some_event(&random);
        assert_int_equal(aff_event_pack_add(&pack, &event), AFF_OK);
    }
    assert_int_equal(aff_event_read_begin(&reader, pack.bytes, pack.size), AFF_OK);
    assert_true(aff_text_equal(reader.store, aff_text_of("shop")));
    assert_int_equal(reader.n, 500);
    while (reader.left > 0) {
        struct aff_event expected = some_event(&again);
        assert_int_equal(aff_event_read(&reader, &event), AFF_OK);
        same(&event, &expected);
    }
    assert_ptr_equal(reader.at, reader.end);
}

/* In memory of its exact size, so that a sanitizer sees what is read beyond it. */
static void a_batch_that_is_cut_off_is_refused_everywhere(void **state)
{
    struct aff_random random = {6};

    (void)state;
    assert_int_equal(aff_event_pack_begin(&pack, aff_text_of("shop")), AFF_OK);
    for (int i = 0; i < 5; i++) {
        struct aff_event event = some_event(&random);
        assert_int_equal(aff_event_pack_add(&pack, &event), AFF_OK);
    }
    for (size_t size = 0; size < pack.size; size++) {
        unsigned char *part = malloc(size + (size == 0));
        struct aff_event_reader reader;
        struct aff_event event;
        memcpy(part, pack.bytes, size);
        aff_status status = aff_event_read_begin(&reader, part, size);
        while (status == AFF_OK && reader.left > 0)
            status = aff_event_read(&reader, &event);
        assert_int_equal(status, AFF_DATA);
        free(part);
    }
}

static void another_form_is_refused(void **state)
{
    struct aff_event_reader reader;

    (void)state;
    assert_int_equal(aff_event_pack_begin(&pack, aff_text_of("shop")), AFF_OK);
    pack.bytes[0]++;
    assert_int_equal(aff_event_read_begin(&reader, pack.bytes, pack.size), AFF_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_is_read_back),
        cmocka_unit_test(a_batch_that_is_cut_off_is_refused_everywhere),
        cmocka_unit_test(another_form_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}

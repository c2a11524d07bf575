/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers called with requests that no socket has seen. */
#include "core/base/clock.h"
#include "server/call.h"
#include "server/dispatch.h"
#include "json/document.h"

#include "random_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct {
    struct aff_stores stores;
    struct aff_board board;
    struct aff_log log;
    struct aff_counters counters;
    struct aff_shared shared;
    struct aff_context context;
    struct aff_reply reply;
    struct aff_json body;
    struct aff_document *document;
    char target[8192];
} at;

static int set_up(void **state)
{
    struct aff_live live = {
        .blend = aff_blend_default(), .body_bytes = 1024, .connections = 100, .store = "main"};

    (void)state;
    memset(&at, 0, sizeof at);
    aff_stores_init(&at.stores);
    aff_board_init(&at.board);
    aff_log_init(&at.log, 2);
    at.shared = (struct aff_shared){
        .stores = &at.stores, .board = &at.board, .log = &at.log, .counters = &at.counters, .n_counters = 1};
    assert_int_equal(aff_context_init(&at.context, &at.shared, &at.counters, &live), AFF_OK);
    aff_reader_enter();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    aff_document_free(at.document);
    aff_json_done(&at.body);
    aff_reader_leave();
    aff_context_done(&at.context);
    aff_stores_done(&at.stores);
    aff_board_done(&at.board);
    return 0;
}

static struct aff_model *publish(const char *name)
{
    struct aff_random random = {.state = 11};
    struct aff_model *model = store_model(&random, 200, 30);
    struct aff_store *store;

    (void)strcpy(model->store, name);
    (void)strcpy(model->currency, "EUR");
    model->version = 7;
    model->built_at_us = aff_clock_now_us() - 5 * AFF_SECOND_US;
    assert_int_equal(aff_stores_add(&at.stores, aff_text_of(name), &store), AFF_OK);
    aff_slot_publish(store->slot, model);
    atomic_store(&store->freshness.current_us, model->built_at_us);
    return model;
}

/* Sends a request; returns the status. */
static unsigned ask(enum aff_method method, const char *target, const char *body)
{
    char *mark;

    (void)snprintf(at.target, sizeof at.target, "%s", target);
    mark = strchr(at.target, '?');
    struct aff_call call = {
        .context = &at.context,
        .method = method,
        .path = {at.target, mark == NULL ? strlen(at.target) : (size_t)(mark - at.target)},
        .query = mark == NULL ? NULL : mark + 1,
        .query_size = mark == NULL ? 0 : strlen(mark + 1),
        .body = aff_text_of(body),
        .content_type = aff_text_of(body == NULL ? NULL : "application/json; charset=utf-8"),
        .request_id = aff_text_of("r-1"),
        .started_us = aff_clock_monotonic_us(),
        .reply = &at.reply,
    };
    struct aff_match match = aff_router_find(method, call.path);

    aff_json_reset(&at.body);
    at.reply = (struct aff_reply){.body = &at.body};
    if (aff_dispatch_admit(&call, &match, body != NULL, body == NULL ? 0 : strlen(body)))
        aff_dispatch_run(&call, &match);
    assert_false(at.body.failed);
    return at.reply.status;
}

static unsigned get(const char *target)
{
    return ask(AFF_METHOD_GET, target, NULL);
}

/* The member of an object at a path of names and array places, "items.0.product"; NULL: not there. */
struct search {
    struct aff_text name;
    const struct aff_node *found;
};

static void match_member(void *context, struct aff_text name, const struct aff_node *value)
{
    struct search *search = context;

    if (aff_text_equal(name, search->name))
        search->found = value;
}

static const struct aff_node *member(const char *path)
{
    static const struct aff_json_bounds bounds = {.depth = 64, .values = 1000000};
    struct aff_error error = {0};

    aff_document_free(at.document);
    at.document = NULL;
    if (aff_document_parse((struct aff_text){at.body.bytes, at.body.size}, &bounds, &at.document, &error) !=
        AFF_OK)
        fail_msg("%s: %.*s", error.text, (int)at.body.size, at.body.bytes);
    const struct aff_node *value = aff_document_root(at.document);
    while (value != NULL && *path != '\0') {
        struct aff_text name = {path, strcspn(path, ".")};
        if (aff_node_kind(value) == AFF_NODE_ARRAY) {
            size_t place = strtoul(path, NULL, 10);
            value = place < aff_node_size(value) ? aff_node_at(value, place) : NULL;
        } else {
            struct search search = {name, NULL};
            aff_node_members(value, match_member, &search);
            value = search.found;
        }
        path += name.size;
        path += *path == '.';
    }
    return value;
}

static void text_is(const char *path, const char *expected)
{
    const struct aff_node *value = member(path);

    if (value == NULL || aff_node_kind(value) != AFF_NODE_TEXT ||
        !aff_text_equal(aff_node_text(value), aff_text_of(expected)))
        fail_msg("%s is not '%s' in %.*s", path, expected, (int)at.body.size, at.body.bytes);
}

static int64_t whole(const char *path)
{
    const struct aff_node *value = member(path);

    if (value == NULL || aff_node_kind(value) != AFF_NODE_WHOLE)
        fail_msg("%s is no whole number in %.*s", path, (int)at.body.size, at.body.bytes);
    return aff_node_whole(value);
}

struct sum {
    int64_t all;
};

static void add_up(void *context, struct aff_text name, const struct aff_node *value)
{
    struct sum *sum = context;

    (void)name;
    sum->all += aff_node_whole(value);
}

static void a_recommendation_has_all_its_members(void **state)
{
    static const char *const names[] = {"recommendation_id", "index.built_at", "took_us", "experiment",
                                        "holdout",           "items",          "dropped", "candidates",
                                        "unknown_ids",       "short_reason"};

    (void)state;
    (void)publish("main");
    assert_int_equal(get("/recommend?cart=P1&cart=nope&limit=3"), 200);
    assert_int_equal(at.reply.media, AFF_MEDIA_JSON);
    text_is("request_id", "r-1");
    text_is("unknown_ids.0", "nope");
    assert_int_equal(whole("index.version"), 7);
    assert_in_range(whole("index.age_s"), 5, 60);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (member(names[i]) == NULL)
            fail_msg("no %s", names[i]);
    assert_int_equal(whole("items.0.rank"), 1);
    text_is("items.0.price.currency", "EUR");
    assert_null(member("items.0.evidence"));
    assert_null(member("items.0.name"));
}

static void candidates_are_items_and_dropped(void **state)
{
    (void)state;
    (void)publish("main");
    for (int i = 0; i < 200; i++) {
        char target[200];
        struct sum sum = {0};
        (void)snprintf(target, sizeof target,
                       "/v1/recommend?cart=P%d&product=P%d&customer=C%d&limit=%d&exclude=P%d", i, i * 7 % 200,
                       i % 40, 1 + i % 20, i * 3 % 200);
        assert_int_equal(get(target), 200);
        aff_node_members(member("dropped"), add_up, &sum);
        assert_int_equal(whole("candidates"), sum.all + (int64_t)aff_node_size(member("items")));
    }
}

static void get_and_post_answer_the_same(void **state)
{
    char first[65536];

    (void)state;
    (void)publish("main");
    assert_int_equal(get("/recommend?cart=P1&cart=P2&explain=full&limit=5"), 200);
    const struct aff_node *items = member("items");
    assert_int_equal(aff_node_size(items), 5);
    const char *begin = memmem(at.body.bytes, at.body.size, "\"items\"", 7);
    const char *end = memmem(at.body.bytes, at.body.size, "\"took_us\"", 9);
    size_t size = (size_t)(end - begin);
    assert_true(size < sizeof first);
    memcpy(first, begin, size);
    assert_int_equal(ask(AFF_METHOD_POST, "/recommend",
                         "{\"cart\":[\"P1\",{\"product\":\"P2\"}],\"explain\":\"full\",\"limit\":5}"),
                     200);
    begin = memmem(at.body.bytes, at.body.size, "\"items\"", 7);
    assert_memory_equal(begin, first, size);
}

static void fields_choose_what_an_item_holds(void **state)
{
    (void)state;
    (void)publish("main");
    assert_int_equal(get("/recommend?cart=P1&limit=1&fields=product,name"), 200);
    assert_non_null(member("items.0.product"));
    assert_non_null(member("items.0.name"));
    assert_null(member("items.0.price"));
    assert_null(member("items.0.rank"));
}

static void a_dry_run_has_no_recommendation_id(void **state)
{
    (void)state;
    (void)publish("main");
    assert_int_equal(get("/recommend?dry_run=true"), 200);
    assert_int_equal(aff_node_kind(member("recommendation_id")), AFF_NODE_NULL);
    assert_int_equal(get("/recommend"), 200);
    assert_int_equal(aff_node_text(member("recommendation_id")).size, 32);
}

static void evidence_is_that_of_the_counts(void **state)
{
    struct aff_model *model;
    char target[100], id[24];
    uint32_t row = 0;

    (void)state;
    model = publish("main");
    while (aff_neighbours_row(model->together, row) == NULL)
        row++;
    const struct aff_row *neighbours = aff_neighbours_row(model->together, row);
    store_product_id(row, id);
    (void)snprintf(target, sizeof target, "/v1/products/%s/affinities?limit=100", id);
    assert_int_equal(get(target), 200);
    assert_int_equal(whole("neighbours"), neighbours->n);
    assert_int_equal(aff_node_size(member("items")), neighbours->n);
    assert_int_equal(whole("items.0.evidence.pair_orders"), aff_row_counts(neighbours)[0].orders);
    assert_int_equal(whole("items.0.evidence.product_orders"),
                     aff_catalogue_product(model->catalogue, row)->orders);
    assert_int_equal(whole("items.0.evidence.total_orders"), (int64_t)model->totals.orders);
    double confidence = aff_node_real(member("items.0.evidence.confidence"));
    double orders = aff_catalogue_product(model->catalogue, row)->orders;
    if (orders > 0)
        assert_true(confidence == aff_row_counts(neighbours)[0].orders / orders);
    (void)snprintf(target, sizeof target, "/v1/products/%s/affinities?min_orders=4294967295", id);
    assert_int_equal(get(target), 200);
    assert_int_equal(aff_node_size(member("items")), 0);
}

static void a_path_id_is_decoded_once(void **state)
{
    (void)state;
    (void)publish("main");
    assert_int_equal(get("/v1/products/%501/affinities"), 200);
    text_is("product", "P1");
    assert_int_equal(get("/v1/products/%25501/affinities"), 404);
    assert_int_equal(get("/v1/products/a/b/affinities"), 404);
    assert_int_equal(get("/v1/products/%zz/affinities"), 400);
    text_is("errors.0.field", "id");
    assert_int_equal(get("/v1/products/%ff/affinities"), 400);
    assert_int_equal(get("/v1/products/P1/affinities?cart=x"), 400);
    text_is("errors.0.reason", "is no parameter here");
}

static void without_an_index_the_service_says_so(void **state)
{
    struct aff_store *store;

    (void)state;
    assert_int_equal(get("/recommend"), 503);
    text_is("type", "urn:affinityd:problem:unavailable");
    text_is("request_id", "r-1");
    assert_int_equal(at.reply.retry_after_s, 1);
    assert_int_equal(get("/recommend?store=other"), 503);
    assert_int_equal(get("/health/live"), 200);
    assert_int_equal(get("/health/ready"), 503);
    text_is("reasons.0.code", "loading");
    assert_int_equal(get("/health"), 200);
    text_is("status", "unavailable");
    assert_int_equal(aff_stores_add(&at.stores, aff_text_of("main"), &store), AFF_OK);
    assert_int_equal(get("/recommend"), 503);
    assert_int_equal(get("/v1/products/P1/affinities"), 503);
    (void)publish("main");
    assert_int_equal(get("/health/ready"), 200);
    assert_int_equal(get("/recommend"), 200);
}

static void readiness_says_what_is_wrong(void **state)
{
    struct aff_error error = {.status = AFF_BACKEND, .text = "no route to \"host\""};

    (void)state;
    aff_board_database_failed(&at.board, &error);
    assert_int_equal(get("/health/ready"), 503);
    text_is("reasons.0.code", "database");
    text_is("reasons.0.text", "no route to \"host\"");
    aff_board_load(&at.board, "main", &(struct aff_error){.status = AFF_LIMIT, .text = "too big"}, 0);
    assert_int_equal(get("/health/ready"), 503);
    text_is("reasons.0.code", "load_failed");
    (void)publish("main");
    assert_int_equal(get("/health"), 200);
    text_is("status", "degraded");
    text_is("load_errors.0.error", "too big");
    aff_board_load(&at.board, "main", NULL, 5);
    aff_board_database_good(&at.board);
    assert_int_equal(get("/health"), 200);
    text_is("status", "ok");
    atomic_store(&at.board.draining, true);
    assert_int_equal(get("/health/ready"), 503);
    text_is("reasons.0.code", "draining");
    assert_int_equal(get("/recommend"), 200);
}

static void stores_are_told_apart(void **state)
{
    (void)state;
    (void)publish("main");
    (void)publish("caf\xC3\xA9");
    assert_int_equal(get("/recommend?store=caf%C3%A9"), 200);
    assert_int_equal(get("/recommend?store=none"), 422);
    text_is("errors.0.field", "store");
    assert_int_equal(get("/recommend?currency=USD"), 422);
    text_is("errors.0.field", "currency");
    assert_int_equal(get("/recommend?currency=EUR"), 200);
}

static void wrong_requests_get_the_status_that_fits(void **state)
{
    char large[1100];

    (void)state;
    (void)publish("main");
    memset(large, ' ', sizeof large);
    large[1025] = '\0';
    assert_int_equal(get("/nothing"), 404);
    assert_int_equal(ask(AFF_METHOD_DELETE, "/recommend", NULL), 405);
    assert_string_equal(at.reply.allow, "GET, HEAD, POST, OPTIONS");
    assert_int_equal(ask(AFF_METHOD_OPTIONS, "/health", NULL), 204);
    assert_string_equal(at.reply.allow, "GET, HEAD, OPTIONS");
    assert_int_equal(ask(AFF_METHOD_OPTIONS, "/nothing", NULL), 404);
    assert_int_equal(ask(AFF_METHOD_OPTIONS, "*", NULL), 204);
    assert_int_equal(ask(AFF_METHOD_POST, "/recommend", NULL), 400);
    assert_int_equal(ask(AFF_METHOD_POST, "/recommend", large), 413);
    large[1024] = '\0';
    memcpy(large, "{}", 2);
    assert_int_equal(ask(AFF_METHOD_POST, "/recommend", large), 200);
    assert_int_equal(ask(AFF_METHOD_POST, "/recommend", "[1"), 400);
    text_is("type", "urn:affinityd:problem:malformed_request");
    assert_int_equal(ask(AFF_METHOD_POST, "/recommend?limit=1", "{}"), 400);
    assert_int_equal(get("/recommend?limit=0&x=1"), 400);
    text_is("type", "urn:affinityd:problem:invalid_fields");
    text_is("errors.1.field", "x");
}

static void why_not_tells_the_fate_of_a_product(void **state)
{
    (void)state;
    (void)publish("main");
    assert_int_equal(get("/recommend?cart=P1&why_not=P1"), 200);
    text_is("why_not.product", "P1");
    assert_int_equal(get("/recommend?cart=P1&why_not=nope"), 200);
    text_is("why_not.fate", "unknown");
}

static void metrics_count_what_was_answered(void **state)
{
    (void)state;
    (void)publish("main");
    assert_int_equal(get("/recommend?cart=P1"), 200);
    aff_counters_answer(&at.counters, AFF_SERIES_recommend, 200, 42);
    aff_counters_answer(&at.counters, AFF_SERIES_refused, 431, 3);
    assert_int_equal(get("/metrics"), 200);
    at.body.comma = false;
    aff_json_raw(&at.body, "", 1);
    assert_non_null(
        strstr(at.body.bytes, "affinity_http_requests_total{route=\"recommend\",code=\"200\"} 1\n"));
    assert_non_null(
        strstr(at.body.bytes, "affinity_http_requests_total{route=\"refused\",code=\"431\"} 1\n"));
    assert_non_null(strstr(at.body.bytes, "_bucket{route=\"recommend\",le=\"5e-05\"} 1\n"));
    assert_non_null(strstr(at.body.bytes, "_bucket{route=\"recommend\",le=\"2.5e-05\"} 0\n"));
    assert_non_null(strstr(at.body.bytes, "affinity_index_version{store=\"main\"} 7\n"));
    assert_non_null(strstr(at.body.bytes, "affinity_config_last_reload_successful 1\n"));
    assert_non_null(strstr(at.body.bytes, "process_resident_memory_bytes "));
}

#define ROUTE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROUTE_TEST(a_recommendation_has_all_its_members),
        ROUTE_TEST(candidates_are_items_and_dropped),
        ROUTE_TEST(get_and_post_answer_the_same),
        ROUTE_TEST(fields_choose_what_an_item_holds),
        ROUTE_TEST(a_dry_run_has_no_recommendation_id),
        ROUTE_TEST(evidence_is_that_of_the_counts),
        ROUTE_TEST(a_path_id_is_decoded_once),
        ROUTE_TEST(without_an_index_the_service_says_so),
        ROUTE_TEST(readiness_says_what_is_wrong),
        ROUTE_TEST(stores_are_told_apart),
        ROUTE_TEST(wrong_requests_get_the_status_that_fits),
        ROUTE_TEST(why_not_tells_the_fate_of_a_product),
        ROUTE_TEST(metrics_count_what_was_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "server/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct aff_head head;
static struct aff_inbound inbound;
static struct aff_refusal refusal;

static struct aff_text text(const char *string)
{
    return aff_text_of(string);
}

static void add(const char *name, const char *value)
{
    if (head.n_fields < AFF_HEAD_FIELDS)
        head.fields[head.n_fields] = (struct aff_field){text(name), text(value)};
    head.n_fields++;
}

static void begin(const char *method, const char *target)
{
    head = (struct aff_head){text(method), text(target), text("HTTP/1.1"), .size_bytes = 100};
    add("Host", "shop.example:8080");
}

static void accepts(void)
{
    if (!aff_guard_check(&head, &inbound, &refusal))
        fail_msg("refused with %u: %s", refusal.status, refusal.detail);
}

static void refuses(unsigned status)
{
    refusal = (struct aff_refusal){0};
    assert_false(aff_guard_check(&head, &inbound, &refusal));
    assert_int_equal(refusal.status, status);
    assert_non_null(refusal.detail);
}

static void is(struct aff_text found, const char *expected)
{
    if (!aff_text_equal(found, text(expected)))
        fail_msg("'%.*s' instead of '%s'", (int)found.size, found.at == NULL ? "" : found.at, expected);
}

static void a_plain_request_is_taken_apart(void **state)
{
    (void)state;
    begin("GET", "/recommend?cart=a%20b&x");
    add("X-Request-Id", "abc-1.2_3");
    accepts();
    assert_int_equal(inbound.method, AFF_METHOD_GET);
    assert_false(inbound.has_body);
    is(inbound.path, "/recommend");
    is(inbound.query, "cart=a%20b&x");
    is(inbound.request_id, "abc-1.2_3");
}

static void a_request_id_that_could_forge_a_log_line_is_not_taken(void **state)
{
    (void)state;
    begin("GET", "/");
    add("X-Request-Id", "a b");
    accepts();
    assert_int_equal(inbound.request_id.size, 0);
}

static void an_idempotency_key_is_visible_characters_given_once(void **state)
{
    char longest[AFF_IDEMPOTENCY_KEY_MAX + 2];

    (void)state;
    begin("POST", "/v1/orders");
    add("idempotency-key", "a~!\"1");
    accepts();
    is(inbound.idempotency_key, "a~!\"1");
    add("Idempotency-Key", "a~!\"1");
    refuses(400);
    memset(longest, 'x', sizeof longest);
    longest[AFF_IDEMPOTENCY_KEY_MAX + 1] = '\0';
    begin("POST", "/v1/orders");
    add("Idempotency-Key", longest);
    refuses(400);
    longest[AFF_IDEMPOTENCY_KEY_MAX] = '\0';
    begin("POST", "/v1/orders");
    add("Idempotency-Key", longest);
    accepts();
    begin("POST", "/v1/orders");
    add("Idempotency-Key", "");
    refuses(400);
    begin("POST", "/v1/orders");
    add("Idempotency-Key", "a b");
    refuses(400);
}

static void a_proxy_in_between_is_noticed(void **state)
{
    static const char *const names[] = {"Via", "Forwarded", "X-Forwarded-For"};

    (void)state;
    begin("GET", "/");
    accepts();
    assert_false(inbound.forwarded);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        begin("GET", "/");
        add(names[i], "");
        accepts();
        assert_true(inbound.forwarded);
    }
}

static void a_body_needs_one_plain_length_or_chunks(void **state)
{
    static const char *const wrong[] = {"+5",  "-1", "0x5", "5 ", "", "5, 5", "18446744073709551616",
                                        "5\t", "1e2"};

    (void)state;
    begin("POST", "/recommend");
    add("Content-Length", "0000000017");
    add("Content-Type", "application/json");
    accepts();
    assert_true(inbound.has_body);
    assert_int_equal(inbound.content_length, 17);
    is(inbound.content_type, "application/json");
    begin("POST", "/recommend");
    add("transfer-encoding", "chunked");
    accepts();
    assert_true(inbound.has_body);
    assert_true(inbound.chunked);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        begin("POST", "/recommend");
        add("Content-Length", wrong[i]);
        refuses(400);
    }
}

static void two_ways_to_tell_the_length_are_refused(void **state)
{
    static const char *const encodings[] = {
        "xchunked", "identity", "gzip, chunked", "chunked, identity", "\vchunked",
        "Chunked ", "",         "chunked;q=1"};

    (void)state;
    begin("POST", "/recommend");
    add("Content-Length", "5");
    add("Transfer-Encoding", "chunked");
    refuses(400);
    begin("POST", "/recommend");
    add("Transfer-Encoding", "chunked");
    add("Content-Length", "5");
    refuses(400);
    begin("POST", "/recommend");
    add("Content-Length", "5");
    add("content-length", "5");
    refuses(400);
    begin("POST", "/recommend");
    add("Transfer-Encoding", "chunked");
    add("Transfer-Encoding", "chunked");
    refuses(400);
    begin("POST", "/recommend");
    head.version = text("HTTP/1.0");
    add("Transfer-Encoding", "chunked");
    refuses(400);
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++) {
        begin("POST", "/recommend");
        add("Transfer-Encoding", encodings[i]);
        refuses(400);
    }
}

static void names_that_hide_framing_are_refused(void **state)
{
    static const char *const names[] = {"Content-Length ",
                                        "Transfer-Encodingchunked",
                                        "Content-Length-X",
                                        "HostX",
                                        "",
                                        "a b",
                                        "a\x01",
                                        "a\xC3",
                                        "a(b)",
                                        "a:b",
                                        "a\""};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        begin("POST", "/recommend");
        add(names[i], "5");
        refuses(400);
    }
}

static void control_bytes_in_values_are_refused(void **state)
{
    (void)state;
    begin("GET", "/");
    add("X", "a\tb \xC3\xA9");
    accepts();
    begin("GET", "/");
    add("X", "a\rb");
    refuses(400);
    begin("GET", "/");
    add("X", "a\x7F");
    refuses(400);
}

static void exactly_one_host_is_wanted(void **state)
{
    (void)state;
    begin("GET", "/");
    add("host", "other");
    refuses(400);
    begin("GET", "/");
    head.n_fields = 0;
    refuses(400);
    head.version = text("HTTP/1.0");
    accepts();
    begin("GET", "/");
    head.fields[0].value = text("a/b");
    refuses(400);
}

static void only_two_versions_and_known_methods_are_spoken(void **state)
{
    static const char *const versions[] = {"HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1x", "HTTP/1.", ""};
    static const char *const methods[] = {"get", "GE\x01T", "G", "GETS", "TRACE", "CONNECT", ""};

    (void)state;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        begin("GET", "/");
        head.version = text(versions[i]);
        refuses(505);
    }
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        begin(methods[i], "/");
        refuses(501);
    }
}

static void bodies_where_none_belongs_are_refused(void **state)
{
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS"};

    (void)state;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        begin(methods[i], "/");
        add("Content-Length", "1");
        refuses(400);
        begin(methods[i], "/");
        add("Transfer-Encoding", "chunked");
        refuses(400);
        begin(methods[i], "/");
        add("Content-Length", "0");
        accepts();
    }
}

static void targets_are_plain_paths_or_our_own_address(void **state)
{
    static const char *const wrong[] = {"",
                                        "recommend",
                                        "/a b",
                                        "/a\x80",
                                        "/a#b",
                                        "/%00",
                                        "/a%00b?c",
                                        "http://other/x",
                                        "http://shop.example:8080",
                                        "*",
                                        "ftp://shop.example:8080/"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        begin("GET", wrong[i]);
        refuses(400);
    }
    begin("GET", "http://SHOP.example:8080/recommend?a=b");
    accepts();
    is(inbound.path, "/recommend");
    is(inbound.query, "a=b");
    begin("OPTIONS", "*");
    accepts();
    is(inbound.path, "*");
    begin("GET", "http://shop.example/");
    head.version = text("HTTP/1.0");
    head.n_fields = 0;
    refuses(400);
}

static void limits_hold_at_their_boundary(void **state)
{
    static char target[AFF_TARGET_BYTES + 2];

    (void)state;
    memset(target, 'a', sizeof target);
    target[0] = '/';
    target[AFF_TARGET_BYTES] = '\0';
    begin("GET", target);
    accepts();
    target[AFF_TARGET_BYTES] = 'a';
    target[AFF_TARGET_BYTES + 1] = '\0';
    begin("GET", target);
    refuses(414);
    begin("GET", "/");
    while (head.n_fields < AFF_HEAD_FIELDS)
        add("X", "y");
    accepts();
    add("X", "y");
    refuses(431);
    begin("GET", "/");
    head.size_bytes = AFF_HEAD_BYTES;
    accepts();
    head.size_bytes++;
    refuses(431);
}

static void only_one_expectation_can_be_met(void **state)
{
    (void)state;
    begin("POST", "/");
    add("Content-Length", "1");
    add("Expect", "100-Continue");
    accepts();
    begin("POST", "/");
    add("Expect", "foo");
    refuses(417);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idempotency_key_is_visible_characters_given_once),
        cmocka_unit_test(a_proxy_in_between_is_noticed),
        cmocka_unit_test(a_plain_request_is_taken_apart),
        cmocka_unit_test(a_request_id_that_could_forge_a_log_line_is_not_taken),
        cmocka_unit_test(a_body_needs_one_plain_length_or_chunks),
        cmocka_unit_test(two_ways_to_tell_the_length_are_refused),
        cmocka_unit_test(names_that_hide_framing_are_refused),
        cmocka_unit_test(control_bytes_in_values_are_refused),
        cmocka_unit_test(exactly_one_host_is_wanted),
        cmocka_unit_test(only_two_versions_and_known_methods_are_spoken),
        cmocka_unit_test(bodies_where_none_belongs_are_refused),
        cmocka_unit_test(targets_are_plain_paths_or_our_own_address),
        cmocka_unit_test(limits_hold_at_their_boundary),
        cmocka_unit_test(only_one_expectation_can_be_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

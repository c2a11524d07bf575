/* SPDX-License-Identifier: Apache-2.0 */
#include "server/peer.h"
#include "server/worker.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/un.h>

#include <cmocka.h>

static bool remote4(const char *text)
{
    struct aff_peer peer = {.remote = false};
    struct sockaddr_in address = {.sin_family = AF_INET};

    assert_int_equal(inet_pton(AF_INET, text, &address.sin_addr), 1);
    aff_peer_set_address(&peer, (const struct sockaddr *)&address);
    return peer.remote;
}

static bool remote6(const char *text)
{
    struct aff_peer peer = {.remote = false};
    struct sockaddr_in6 address = {.sin6_family = AF_INET6};

    assert_int_equal(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
    aff_peer_set_address(&peer, (const struct sockaddr *)&address);
    return peer.remote;
}

static void this_machine_is_told_from_others(void **state)
{
    struct aff_peer peer = {.remote = false};
    const struct sockaddr_un local = {.sun_family = AF_UNIX};

    (void)state;
    assert_false(remote4("127.0.0.1"));
    assert_false(remote4("127.255.255.254"));
    assert_true(remote4("128.0.0.1"));
    assert_true(remote4("10.0.0.1"));
    assert_true(remote4("1.0.0.127"));
    assert_false(remote6("::1"));
    assert_false(remote6("::ffff:127.0.0.1"));
    assert_true(remote6("::ffff:10.0.0.1"));
    assert_true(remote6("::2"));
    assert_true(remote6("::127.0.0.1"));
    assert_true(remote6("fe80::1"));
    aff_peer_set_address(&peer, NULL);
    assert_true(peer.remote);
    aff_peer_set_address(&peer, (const struct sockaddr *)&local);
    assert_false(peer.remote);
}

static void a_body_that_was_taken_is_gone_and_a_new_one_can_come(void **state)
{
    struct aff_worker *worker = calloc(1, sizeof *worker);

    (void)state;
    assert_non_null(worker);
    struct aff_peer *peer = aff_peer_new(worker, -1, 0);
    assert_non_null(peer);
    assert_true(aff_peer_add_body(peer, "abc", 3));
    assert_true(aff_peer_add_body(peer, "def", 3));
    char *body = aff_peer_take_body(peer);
    assert_memory_equal(body, "abcdef", 6);
    assert_int_equal(peer->body_size, 0);
    aff_peer_reset(peer, 0);
    assert_true(aff_peer_add_body(peer, "xy", 2));
    assert_memory_equal(peer->body, "xy", 2);
    assert_memory_equal(body, "abcdef", 6);
    free(body);
    assert_true(worker->body_bytes > 0);
    aff_peer_free(peer);
    assert_int_equal(worker->body_bytes, 0);
    free(worker);
}

static void bodies_of_all_connections_share_one_limit(void **state)
{
    enum { PIECE = 1 << 20 };
    struct aff_worker *worker = calloc(1, sizeof *worker);
    char *piece = calloc(1, PIECE);
    struct aff_peer *peers[40];

    (void)state;
    assert_non_null(worker);
    assert_non_null(piece);
    for (int i = 0; i < 40; i++)
        peers[i] = aff_peer_new(worker, -1, 0);
    for (int i = 0; i < 32; i++)
        for (int part = 0; part < 4; part++)
            assert_true(aff_peer_add_body(peers[i], piece, PIECE));
    assert_int_equal(worker->body_bytes, AFF_PEER_BODIES_MAX);
    assert_false(aff_peer_add_body(peers[39], piece, 1));
    aff_peer_reset(peers[0], 0);
    assert_true(aff_peer_add_body(peers[39], piece, PIECE));
    for (int i = 0; i < 40; i++)
        aff_peer_free(peers[i]);
    assert_int_equal(worker->body_bytes, 0);
    free(piece);
    free(worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_machine_is_told_from_others),
        cmocka_unit_test(bodies_of_all_connections_share_one_limit),
        cmocka_unit_test(a_body_that_was_taken_is_gone_and_a_new_one_can_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait for another thread, over real sockets. This program has a router of its own, whose only
 * route hands each request to a thread that answers it later. */
#include "core/base/clock.h"
#include "server/job.h"
#include "server/listener.h"
#include "server/worker.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct work {
    struct aff_job job;
    struct work *next;
    char *body;
    size_t size;
    int64_t due_us;
};

static struct {
    struct aff_stores stores;
    struct aff_board board;
    struct aff_log log;
    struct aff_counters counters;
    struct aff_shared shared;
    struct aff_live live;
    struct aff_listener listener;
    struct aff_worker worker;
    _Atomic uint64_t open, waiting;
    pthread_t thread;
    pthread_mutex_t lock;
    struct work *works; /* under the lock, as the rest */
    bool held, ending;
    unsigned begun, finished;
    bool joined;
} at;

static void finish(struct aff_job *job, struct aff_call *call)
{
    struct work *work = (struct work *)job;

    aff_json_open_object(call->reply->body);
    aff_json_name(call->reply->body, "bytes");
    aff_json_uint(call->reply->body, work->size);
    aff_json_close_object(call->reply->body);
    call->reply->status = 200;
    call->reply->media = AFF_MEDIA_JSON;
    free(work->body);
    free(work);
    (void)pthread_mutex_lock(&at.lock);
    at.finished++;
    (void)pthread_mutex_unlock(&at.lock);
}

/* "?N" in the target: the work takes N milliseconds; "?0" is done before the handler returns. */
static void handle(struct aff_call *call)
{
    struct work *work = calloc(1, sizeof *work);
    long takes_ms = call->query_size == 0 ? 0 : strtol(call->query, NULL, 10);

    assert_non_null(work);
    work->job.finish = finish;
    work->due_us = aff_clock_monotonic_us() + takes_ms * 1000;
    if (!aff_call_wait(call, &work->job)) {
        free(work);
        return;
    }
    work->body = aff_call_take_body(call, &work->size);
    (void)pthread_mutex_lock(&at.lock);
    at.begun++;
    if (takes_ms > 0) {
        work->next = at.works;
        at.works = work;
    }
    (void)pthread_mutex_unlock(&at.lock);
    if (takes_ms == 0)
        aff_job_done(&work->job);
}

static void quick(struct aff_call *call)
{
    call->reply->status = 200;
    call->reply->media = AFF_MEDIA_JSON;
    aff_json_open_object(call->reply->body);
    aff_json_close_object(call->reply->body);
}

const struct aff_route aff_routes[] = {
    {"/wait", handle, AFF_METHOD_POST, AFF_SCOPE_READ, AFF_SERIES_recommend},
    {"/wait", handle, AFF_METHOD_GET, AFF_SCOPE_READ, AFF_SERIES_recommend},
    {"/quick", quick, AFF_METHOD_GET, AFF_SCOPE_READ, AFF_SERIES_health},
};
const size_t aff_routes_n = sizeof aff_routes / sizeof *aff_routes;

struct aff_match aff_router_find(enum aff_method method, struct aff_text path)
{
    for (size_t i = 0; i < aff_routes_n; i++)
        if (aff_routes[i].method == method && aff_text_equal(path, aff_text_of(aff_routes[i].path)))
            return (struct aff_match){&aff_routes[i], 0, aff_routes[i].series, {NULL, 0}};
    return (struct aff_match){NULL, 0, AFF_SERIES_unmatched, {NULL, 0}};
}

void aff_router_allow(unsigned allow, char ret_text[64])
{
    (void)allow;
    ret_text[0] = '\0';
}

/* Ends the works that are due, in no particular order. */
static void *work_on(void *unused)
{
    (void)unused;
    for (;;) {
        struct work *done = NULL;
        (void)pthread_mutex_lock(&at.lock);
        bool end = at.ending && at.works == NULL;
        int64_t now_us = at.held ? 0 : aff_clock_monotonic_us();
        for (struct work **place = &at.works; *place != NULL;) {
            struct work *work = *place;
            if (work->due_us > now_us) {
                place = &work->next;
                continue;
            }
            *place = work->next;
            work->next = done;
            done = work;
        }
        (void)pthread_mutex_unlock(&at.lock);
        while (done != NULL) {
            struct work *next = done->next;
            aff_job_done(&done->job);
            done = next;
        }
        if (end)
            return NULL;
        (void)usleep(200);
    }
}

static int set_up(void **state)
{
    struct aff_error error = {0};

    (void)state;
    memset(&at, 0, sizeof at);
    aff_stores_init(&at.stores);
    aff_board_init(&at.board);
    aff_log_init(&at.log, 2);
    (void)pthread_mutex_init(&at.lock, NULL);
    at.shared = (struct aff_shared){.stores = &at.stores,
                                    .board = &at.board,
                                    .log = &at.log,
                                    .counters = &at.counters,
                                    .n_counters = 1,
                                    .waiting = &at.waiting};
    at.live = (struct aff_live){.body_bytes = 100000,
                                .request_timeout_ms = 300,
                                .idle_timeout_ms = 60000,
                                .connections = 1000,
                                .waiting = 100};
    if (aff_listener_open("127.0.0.1", 0, &at.listener, &error) != AFF_OK)
        fail_msg("%s", error.text);
    const struct aff_worker_plan plan = {.shared = &at.shared,
                                         .counters = &at.counters,
                                         .live = &at.live,
                                         .open = &at.open,
                                         .listener = at.listener.fd,
                                         .connections = 1000,
                                         .idle_timeout_s = 60};
    if (aff_worker_start(&at.worker, &plan, &error) != AFF_OK)
        fail_msg("%s", error.text);
    assert_int_equal(pthread_create(&at.thread, NULL, work_on, NULL), 0);
    return 0;
}

static void join(void)
{
    aff_worker_stop(&at.worker);
    aff_worker_join(&at.worker);
    at.joined = true;
}

static int tear_down(void **state)
{
    (void)state;
    (void)pthread_mutex_lock(&at.lock);
    at.ending = true;
    at.held = false;
    (void)pthread_mutex_unlock(&at.lock);
    if (!at.joined)
        join();
    (void)pthread_join(at.thread, NULL);
    assert_int_equal(at.begun, at.finished);
    assert_int_equal(at.waiting, 0);
    assert_int_equal(at.counters.waiting, 0);
    assert_int_equal(at.counters.in_flight, 0);
    aff_listener_close(&at.listener);
    aff_stores_done(&at.stores);
    aff_board_done(&at.board);
    (void)pthread_mutex_destroy(&at.lock);
    return 0;
}

static void hold(bool held)
{
    (void)pthread_mutex_lock(&at.lock);
    at.held = held;
    (void)pthread_mutex_unlock(&at.lock);
}

static unsigned count(const unsigned *of)
{
    (void)pthread_mutex_lock(&at.lock);
    unsigned n = *of;
    (void)pthread_mutex_unlock(&at.lock);
    return n;
}

/* Waits until at least `n` works have begun or finished. */
static void until(const unsigned *of, unsigned n)
{
    for (int i = 0; i < 5000 && count(of) < n; i++)
        (void)usleep(1000);
    assert_true(count(of) >= n);
}

static int connect_to(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)at.listener.port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct timeval patience = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void ask(int fd, const char *target)
{
    char text[256];

    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
    say(fd, text);
}

/* Reads one answer, whose body is short; returns its status. */
static unsigned answer(int fd, char ret_text[4096])
{
    size_t size = 0;

    for (;;) {
        ssize_t got = recv(fd, ret_text + size, 4095 - size, 0);
        if (got <= 0)
            return 0;
        size += (size_t)got;
        ret_text[size] = '\0';
        const char *length = strstr(ret_text, "Content-Length: "), *end = strstr(ret_text, "\r\n\r\n");
        if (length != NULL && end != NULL &&
            size >= (size_t)(end + 4 - ret_text) + strtoul(length + 16, NULL, 10))
            return (unsigned)strtoul(ret_text + 9, NULL, 10);
    }
}

static void the_worker_answers_others_while_one_waits(void **state)
{
    char text[4096];
    int slow = connect_to(), fast = connect_to();

    (void)state;
    hold(true);
    ask(slow, "/wait?1");
    until(&at.begun, 1);
    for (int i = 0; i < 10; i++) {
        ask(fast, "/quick");
        assert_int_equal(answer(fast, text), 200);
    }
    assert_int_equal(at.counters.waiting, 1);
    assert_int_equal(count(&at.finished), 0);
    hold(false);
    assert_int_equal(answer(slow, text), 200);
    assert_non_null(strstr(text, "{\"bytes\":0}"));
    ask(slow, "/wait?1"); /* the connection goes on */
    assert_int_equal(answer(slow, text), 200);
    (void)close(slow);
    (void)close(fast);
}

static void a_job_may_be_done_before_the_handler_returns(void **state)
{
    char text[4096];
    int fd = connect_to();

    (void)state;
    for (int i = 0; i < 200; i++) {
        ask(fd, "/wait?0");
        assert_int_equal(answer(fd, text), 200);
    }
    (void)close(fd);
}

static void the_body_can_be_taken_along(void **state)
{
    static char request[60000];
    char text[4096];
    int fd = connect_to();

    (void)state;
    int head = snprintf(request, sizeof request,
                        "POST /wait?5 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                        "Content-Length: 50000\r\n\r\n");
    memset(request + head, 'x', 50000);
    request[head + 50000] = '\0';
    say(fd, request);
    assert_int_equal(answer(fd, text), 200);
    assert_non_null(strstr(text, "{\"bytes\":50000}"));
    (void)close(fd);
}

static void a_wait_may_last_longer_than_a_request_may_take_to_arrive(void **state)
{
    char text[4096];
    int fd = connect_to();

    (void)state;
    ask(fd, "/wait?900");
    assert_int_equal(answer(fd, text), 200);
    assert_int_equal(at.counters.connections_cut, 0);
    assert_true(at.counters.latency_us[AFF_SERIES_recommend] >= 900000);
    (void)close(fd);
}

static void a_client_that_leaves_costs_nothing_but_its_answer(void **state)
{
    (void)state;
    hold(true);
    for (int i = 0; i < 20; i++) {
        int fd = connect_to();
        const struct linger at_once = {.l_onoff = 1};
        ask(fd, "/wait?1");
        until(&at.begun, (unsigned)i + 1);
        if (i % 2 == 0)
            (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        (void)close(fd);
    }
    hold(false);
    until(&at.finished, 20);
}

static void too_many_waiting_are_refused(void **state)
{
    static int fds[101];
    char text[4096];

    (void)state;
    hold(true);
    for (int i = 0; i < 100; i++) {
        fds[i] = connect_to();
        ask(fds[i], "/wait?1");
    }
    until(&at.begun, 100);
    fds[100] = connect_to();
    ask(fds[100], "/wait?1");
    assert_int_equal(answer(fds[100], text), 503);
    assert_non_null(strstr(text, "Retry-After: 1\r\n"));
    assert_int_equal(at.counters.waits_refused, 1);
    hold(false);
    for (int i = 0; i < 100; i++)
        assert_int_equal(answer(fds[i], text), 200);
    ask(fds[100], "/wait?1");
    assert_int_equal(answer(fds[100], text), 200);
    for (int i = 0; i <= 100; i++)
        (void)close(fds[i]);
}

static void draining_answers_those_that_wait_and_ends_their_connections(void **state)
{
    char text[4096];
    int fd = connect_to();

    (void)state;
    hold(true);
    ask(fd, "/wait?1");
    until(&at.begun, 1);
    aff_worker_quiesce(&at.worker);
    for (int i = 0; i < 5000 && !aff_worker_is_quiesced(&at.worker); i++)
        (void)usleep(1000);
    (void)usleep(1500000); /* longer than an idle connection would be kept */
    assert_int_equal(at.open, 1);
    hold(false);
    assert_int_equal(answer(fd, text), 200);
    assert_non_null(strstr(text, "Connection: close\r\n"));
    assert_int_equal(recv(fd, text, 1, 0), 0);
    (void)close(fd);
}

static void *release_later(void *unused)
{
    (void)unused;
    (void)usleep(300000);
    hold(false);
    return NULL;
}

static void a_worker_stops_only_when_its_jobs_are_done(void **state)
{
    char text[4096];
    pthread_t thread;
    int fd = connect_to(), late = connect_to();

    (void)state;
    ask(late, "/quick");
    assert_int_equal(answer(late, text), 200);
    hold(true);
    ask(fd, "/wait?1");
    until(&at.begun, 1);
    assert_int_equal(pthread_create(&thread, NULL, release_later, NULL), 0);
    aff_worker_stop(&at.worker);
    (void)usleep(100000);
    ask(late, "/wait?1"); /* would keep the worker from stopping */
    assert_int_equal(answer(late, text), 503);
    join();
    assert_int_equal(count(&at.finished), 1);
    assert_int_equal(answer(fd, text), 200);
    (void)pthread_join(thread, NULL);
    (void)close(fd);
    (void)close(late);
}

static void *client(void *argument)
{
    struct aff_random random = {(uintptr_t)argument};
    char target[32], text[4096];

    for (int i = 0; i < 30; i++) {
        int fd = connect_to();
        for (;;) {
            (void)snprintf(target, sizeof target, "/wait?%u", (unsigned)aff_random_below(&random, 4));
            ask(fd, target);
            if (aff_random_below(&random, 4) == 0)
                break;
            assert_int_equal(answer(fd, text), 200);
        }
        (void)close(fd);
    }
    return NULL;
}

static void many_clients_come_wait_and_leave(void **state)
{
    pthread_t threads[16];

    (void)state;
    for (uintptr_t i = 0; i < 16; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, client, (void *)(i + 1)), 0);
    for (int i = 0; i < 16; i++)
        (void)pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_worker_answers_others_while_one_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_job_may_be_done_before_the_handler_returns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_body_can_be_taken_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wait_may_last_longer_than_a_request_may_take_to_arrive, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_leaves_costs_nothing_but_its_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many_waiting_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(draining_answers_those_that_wait_and_ends_their_connections, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_worker_stops_only_when_its_jobs_are_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_clients_come_wait_and_leave, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

# SPDX-License-Identifier: Apache-2.0
"""Raw bytes on the wire: no request may hide in another one, and every refusal ends its connection.

Each probe ends with a second request for /openapi.yaml (SMUGGLED), which a proxy in front would take for part of the
first one's body or head. The service may answer the first; it must never answer the second.
"""

import re
import socket
import time

import pytest

from tiny_store import SQL

HOST = b"Host: shop.example\r\n"
SMUGGLED = b"GET /openapi.yaml HTTP/1.1\r\nHost: shop.example\r\n\r\n"
MARK = b"openapi: 3.1.0"
JSON = b"Content-Type: application/json\r\n"


def get(headers=b"", target=b"/health/live", version=b"HTTP/1.1"):
    return b"GET " + target + b" " + version + b"\r\n" + HOST + headers + b"\r\n"


def post(headers, body):
    return b"POST /recommend HTTP/1.1\r\n" + HOST + JSON + headers + b"\r\n" + body


@pytest.fixture(scope="module")
def served(build, postgres, template_database, tmp_path_factory):
    from support.database import Database
    from support.service import Service

    database = Database(postgres, postgres.create(template=template_database.name))
    database.sql(SQL)
    config = {"http_request_timeout_s": 2, "http_workers": 1}
    one = Service(build, database, tmp_path_factory.mktemp("guard") / "log", config=config)
    try:
        one.wait("ready")
        yield one
    finally:
        one.finish()
        postgres.drop(database.name)


def exchange(served, sent, timeout=6.0):
    """Everything that comes back until the service closes, and whether it closed before the time was over."""
    answer = b""
    with socket.create_connection(("127.0.0.1", served.port), timeout=timeout) as connection:
        deadline = time.monotonic() + timeout
        try:
            connection.sendall(sent)
            while time.monotonic() < deadline:
                connection.settimeout(max(0.01, deadline - time.monotonic()))
                part = connection.recv(65536)
                if not part:
                    return answer, True
                answer += part
        except TimeoutError:
            return answer, False
        except ConnectionError:
            return answer, True
    return answer, False


def statuses(answer):
    return [int(code) for code in re.findall(rb"^HTTP/1\.1 (\d{3})", answer, re.M)]


# What is refused by the first answer, which must be the only one and a problem of ours.
REFUSED = {
    "length and chunks": (post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + SMUGGLED), 400),
    "chunks and length": (post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n" + SMUGGLED), 400),
    "two lengths, 0 first": (post(b"Content-Length: 0\r\nContent-Length: 50\r\n", SMUGGLED), 400),
    "two lengths": (post(b"Content-Length: 2\r\nContent-Length: 50\r\n", b"{}" + SMUGGLED), 400),
    "two equal lengths": (post(b"Content-Length: 2\r\nContent-Length: 2\r\n", b"{}" + SMUGGLED), 400),
    "blank before the colon of length": (post(b"Content-Length : 50\r\n", SMUGGLED), 400),
    "blank before the colon of chunks": (post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n" + SMUGGLED), 400),
    "folded chunks": (post(b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n" + SMUGGLED), 400),
    "chunks twice": (post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + SMUGGLED), 400),
    "chunks in HTTP/1.0": (
        post(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n" + SMUGGLED).replace(b"HTTP/1.1", b"HTTP/1.0", 1), 400),
    "unknown encoding": (post(b"Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n", b"{}" + SMUGGLED), 400),
    "body with GET": (get(b"Content-Length: 50\r\n") + SMUGGLED, 400),
    "chunks with GET": (get(b"Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n" + SMUGGLED, 400),
    "bare CR in a value": (get(b"X: a\rY: b\r\n") + SMUGGLED, 400),
    "control byte in a value": (get(b"X: a\x01\r\n") + SMUGGLED, 400),
    "control byte in a name": (get(b"X\x01: a\r\n") + SMUGGLED, 400),
    "two hosts": (get(b"Host: other\r\n") + SMUGGLED, 400),
    "no host": (b"GET /health/live HTTP/1.1\r\n\r\n" + SMUGGLED, 400),
    "another's absolute target": (get(target=b"http://other/health/live") + SMUGGLED, 400),
    "NUL in the path": (get(target=b"/a%00b") + SMUGGLED, 400),
    "blank in the target": (get(target=b"/a b") + SMUGGLED, 400),
    "8-bit byte in the target": (get(target=b"/\xe9") + SMUGGLED, 400),
    "HTTP/1.2": (get(version=b"HTTP/1.2") + SMUGGLED, 505),
    "small letters": (get().replace(b"GET", b"get") + SMUGGLED, 501),
    "unknown method": (get().replace(b"GET", b"GE\x01T") + SMUGGLED, 501),
    "unknown expectation": (post(b"Content-Length: 2\r\nExpect: foo\r\n", b"{}" + SMUGGLED), 417),
    "65 fields": (get(b"X: y\r\n" * 64) + SMUGGLED, 431),
    "head of 17 kB": (get(b"X: " + b"y" * 17000 + b"\r\n") + SMUGGLED, 431),
    "target of 4097 bytes": (get(target=b"/" + b"a" * 4096) + SMUGGLED, 414),
}

# What libmicrohttpd itself may answer, or nobody at all: but never the second request.
ENDED = {
    "length +5": post(b"Content-Length: +5\r\n", b"{}   " + SMUGGLED),
    "length -1": post(b"Content-Length: -1\r\n", SMUGGLED),
    "length 0x5": post(b"Content-Length: 0x5\r\n", SMUGGLED),
    "empty length": post(b"Content-Length:\r\n", SMUGGLED),
    "length list": post(b"Content-Length: 5, 5\r\n", b"{}   " + SMUGGLED),
    "length of 2^64": post(b"Content-Length: 18446744073709551616\r\n", SMUGGLED),
    "length of 2^64-1": post(b"Content-Length: 18446744073709551615\r\n", SMUGGLED),
    "identity": post(b"Transfer-Encoding: identity\r\n", SMUGGLED),
    "gzip, chunked": post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "chunked, identity": post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n" + SMUGGLED),
    "vertical tab before chunked": post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "NUL in length": post(b"Content-Length: 5\x000\r\n", b"{}   " + SMUGGLED),
    "chunk size 0x2": post(b"Transfer-Encoding: chunked\r\n", b"0x2\r\n{}\r\n0\r\n\r\n" + SMUGGLED),
    "chunk size -1": post(b"Transfer-Encoding: chunked\r\n", b"-1\r\n{}\r\n0\r\n\r\n" + SMUGGLED),
    "chunk size of 20 digits": post(b"Transfer-Encoding: chunked\r\n", b"2" * 20 + b"\r\n{}\r\n0\r\n\r\n" + SMUGGLED),
    "chunk without its end": post(b"Transfer-Encoding: chunked\r\n", b"2\r\n{}XX0\r\n\r\n" + SMUGGLED),
    "chunk extension": post(b"Transfer-Encoding: chunked\r\n", b"2;a=b\r\n{}\r\n0\r\n\r\n" + SMUGGLED),
    "chunk lines that end with LF": post(b"Transfer-Encoding: chunked\r\n", b"2\n{}\n0\n\n" + SMUGGLED),
    "trailer": post(b"Transfer-Encoding: chunked\r\n", b"2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n" + SMUGGLED),
    "body and more": post(b"Content-Length: 2\r\n", b"{}" + SMUGGLED),
    "wrong body and more": post(b"Content-Length: 2\r\n", b"{x" + SMUGGLED),
    "line without name": get(b": x\r\n" + SMUGGLED[:-2]),
    "line without name, whole request behind": b"GET /health/live HTTP/1.1\r\n" + HOST + b": x\r\n" + SMUGGLED,
    "colon alone": b"GET /health/live HTTP/1.1\r\n" + HOST + b":\r\n" + SMUGGLED,
    "line that begins with NUL": b"GET /health/live HTTP/1.1\r\n" + HOST + b"\0a: b\r\n" + SMUGGLED,
    "NUL alone": b"GET /health/live HTTP/1.1\r\n" + HOST + b"\0\r\n" + SMUGGLED,
    "NUL and LF": b"GET /health/live HTTP/1.1\r\n" + HOST + b"\0\n" + SMUGGLED,
    "empty line of LF": b"GET /health/live HTTP/1.1\r\n" + HOST + b"\n" + SMUGGLED,
    "lines of LF": b"GET /health/live HTTP/1.1\nHost: a\n\n" + SMUGGLED,
    "folded value": get(b"X: a\r\n b\r\n") + SMUGGLED,
    "two requests at once": get() + SMUGGLED,
    "two requests at once, unknown path": get(target=b"/nothing") + SMUGGLED,
    "HTTP/0.9": b"GET /health/live\r\n" + SMUGGLED,
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SMUGGLED,
    "http/1.1": get(version=b"http/1.1") + SMUGGLED,
    "HTTP/1.1x": get(version=b"HTTP/1.1x") + SMUGGLED,
    "header without colon": get(b"nonsense\r\n") + SMUGGLED,
    "binary": bytes(range(256)) + b"\r\n\r\n" + SMUGGLED,
    "target of 40 kB": get(target=b"/" + b"a" * 40000) + SMUGGLED,
    "head of 40 kB": get(b"X: " + b"y" * 40000 + b"\r\n") + SMUGGLED,
    "2000 fields": get(b"X: y\r\n" * 2000) + SMUGGLED,
    "8 lengths": post(b"Content-Length: 2\r\n" * 8, b"{}" + SMUGGLED),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_a_problem_and_closed(served, name):
    sent, status = REFUSED[name]
    answer, closed = exchange(served, sent)
    assert MARK not in answer
    assert statuses(answer) == [status], answer[:300]
    assert b"application/problem+json" in answer and b"Connection: close" in answer
    assert b'"request_id"' in answer
    assert closed


@pytest.mark.parametrize("name", ENDED)
def test_the_second_request_is_never_answered(served, name):
    answer, closed = exchange(served, ENDED[name])
    assert MARK not in answer, answer[:2000]
    assert closed


def test_the_second_request_would_be_answered_on_its_own(served):
    answer, _ = exchange(served, SMUGGLED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert MARK in answer


def test_a_second_request_in_the_middle_of_a_connection_is_not_answered(served):
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        for turn in range(20):
            connection.sendall(get())
            assert b"alive" in connection.recv(65536), turn
        connection.sendall(get() + SMUGGLED)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        assert b"alive" in answer and b"Connection: close" in answer and MARK not in answer


def test_a_thousand_requests_share_a_connection(served):
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        for turn in range(1000):
            connection.sendall(get(b"X-Turn: " + b"1" * (turn % 50 + 1) + b"\r\n"))
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200") and b"Connection: close" not in answer, turn


@pytest.mark.parametrize("name", ["head", "body", "nothing"])
def test_a_dripping_request_is_cut_off(served, name):
    sent = {"head": b"GET /health/live HTTP/1.1\r\nX: ", "body": post(b"Content-Length: 1000\r\n", b""), "nothing": b""}[name]
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        begun = time.monotonic()
        connection.sendall(sent)
        connection.settimeout(0.2)
        while time.monotonic() - begun < 8:
            try:
                if name != "nothing":
                    connection.sendall(b" ")
                if connection.recv(65536) == b"":
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        assert 1.5 < time.monotonic() - begun < 3.5


def test_expect_continue_is_met_before_the_body(served):
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(post(b"Content-Length: 14\r\nExpect: 100-continue\r\n", b""))
        assert connection.recv(65536).startswith(b"HTTP/1.1 100")
        connection.sendall(b'{"cart":["a"]}')
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_refusals_are_counted(served):
    exchange(served, REFUSED["two lengths"][0])
    text = served.get("/metrics").text
    found = re.search(r'affinity_http_requests_total\{route="refused",code="400"\} (\d+)', text)
    assert found and int(found.group(1)) > 0


def test_a_body_at_its_limit_is_read_and_one_beyond_is_not(served):
    text = b'{"cart":["tea"]}'
    exact = text + b" " * (262144 - len(text))
    answer, _ = exchange(served, post(b"Content-Length: %d\r\n" % len(exact), exact))
    assert statuses(answer) == [200]
    answer, _ = exchange(served, post(b"Content-Length: %d\r\n" % (len(exact) + 1), exact + b" "))
    assert statuses(answer) == [413]
    chunks = b"40001\r\n" + exact + b" \r\n0\r\n\r\n"
    answer, _ = exchange(served, post(b"Transfer-Encoding: chunked\r\n", chunks))
    assert statuses(answer) == [413]

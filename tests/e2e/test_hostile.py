"""Requests that are made to do harm: two readings of one request, more connections than one address may have, work without end.

Bad paths, bodies, tokens, certificates and slow clients are in test_http.py. Here too the server must go on serving others.
"""

import json
import re
import socket
import ssl

import pytest

from conftest import make_server
from keepalive import wait_until
from test_http import raw, read_all, serves

pytestmark = pytest.mark.fast

# Requests whose end two servers could see at different places, each followed by a request that would be smuggled in. The
# server stands alone; a proxy before it may not. One answer that refuses, and the end of the connection.
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Smuggled: yes\r\n\r\n"
AMBIGUOUS = {
    "two-lengths": b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n",
    "two-lengths-in-one": b"Content-Length: 0, %d\r\n\r\n",
    "length-and-chunks": b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks-and-length": b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n",
    "chunks-twice": b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n",
    "chunks-misspelled": b"Transfer-Encoding: xchunked\r\nContent-Length: %d\r\n\r\n",
    "chunks-with-blank": b"Transfer-Encoding : chunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n",
    "length-with-blank": b"Content-Length : %d\r\n\r\n",
    "length-with-sign": b"Content-Length: +%d\r\n\r\n",
    "length-hexadecimal": b"Content-Length: 0x%x\r\n\r\n",
    "length-folded": b"Content-Length:\r\n %d\r\n\r\n",
    "chunks-folded": b"Transfer-Encoding:\r\n chunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n",
    "chunks-after-vt": b"Transfer-Encoding: \x0bchunked\r\nContent-Length: %d\r\n\r\n0\r\n\r\n",
}


def statuses(data):
    """Of all answers in what was read."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", data)]


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_a_request_has_one_end(server, name):
    head = f"POST /adfs/oauth2/token HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n".encode()
    with raw(server) as connection:
        connection.sendall(head + AMBIGUOUS[name] % len(SMUGGLED) + SMUGGLED)
        connection.settimeout(3)
        try:
            answers = statuses(read_all(connection))
        except TimeoutError:
            answers = []  # it waits for more of what cannot be understood
    # Either the server refused and read nothing more, or all that followed was the body (of a form that makes no sense):
    # /healthz, which would be 200, was not answered.
    assert all(400 <= status < 500 for status in answers), answers
    assert serves(server)


def test_requests_in_one_piece_are_answered_in_order(server):
    piece = f"GET {server.s}?api-version=1 HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with raw(server) as connection:
        connection.sendall(SMUGGLED + piece + SMUGGLED + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert statuses(read_all(connection)) == [200, 401, 200, 200]


def answers_again(server):
    """Those that say nothing are sent away, and then there is room."""
    def tried():
        try:
            return serves(server)
        except (OSError, ssl.SSLError):
            return False
    wait_until(tried, 30, "an answer")


def test_more_connections_than_an_address_may_have():
    server = make_server("--max-per-address", "20", "--receive-seconds", "2")
    try:
        held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(60)]
        answers_again(server)
        for connection in held:
            connection.close()
        for _ in range(200):  # connections that come and go at once
            socket.create_connection(("127.0.0.1", server.port)).close()
        answers_again(server)
    finally:
        assert server.stop() == 0, server.log()


@pytest.mark.parametrize("bytes_sent", [b"", b"\x16\x03\x01", b"\x16\x03\x01\x40\x00\x01", b"\x80\x2e\x01\x00\x02", b"\xff" * 5000])
def test_a_handshake_that_is_none(server, bytes_sent):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(bytes_sent)
        assert serves(server)


# ---- work without end ----

def query(server, text):
    return server.call("POST", "/providers/Microsoft.ResourceGraph/resources", {"query": text}, version="2021-03-01")


@pytest.mark.parametrize("text", [
    "resources | where " + "(" * 5000 + "true" + ")" * 5000,
    "resources | where " + "not(" * 2000 + "true" + ")" * 2000,
    "resources | extend a = " + "-" * 20_000 + "1",
    "resources | where " + " and ".join(["name == 'x'"] * 20_000),
    "resources" + " | where true" * 20_000,
    "resources | project " + ", ".join(f"c{i} = name" for i in range(20_000)),
    "resources | where name matches regex '(a+)+$'",
    "resources | where name matches regex '" + "(" * 3000 + "a" + ")" * 3000 + "'",
    "resources | union " + ", ".join(["resources"] * 2000),
    "resources | extend s = " + "strcat(name, " * 300 + "name" + ")" * 300,
    "resources | where name == '\u0000'",
    "'" * 10_001,
    "",
], ids=["parentheses", "not", "minus", "and", "pipes", "columns", "regex", "regex-depth", "union", "strcat", "nul", "quotes", "empty"])
def test_queries_end(server, text):
    answer = query(server, text)
    assert answer.status in (200, 400, 413), answer.body[:300]
    if answer.status != 200:
        assert answer.json["error"]["code"] in ("BadRequest", "InvalidParameter", "InvalidRequestContent", "RequestEntityTooLarge")
    assert serves(server)


def test_a_join_that_multiplies_is_stopped(server):
    grow = "resourcecontainers | project k = 1, x = name"
    for _ in range(24):
        grow = f"({grow}) | union ({grow})" if len(grow) < 200_000 else grow
    answer = query(server, grow)
    assert answer.status in (200, 400, 413), answer.body[:300]
    assert serves(server)


def test_documents_at_the_edge(server):
    """As deep as JSON may be, as long as names may be, numbers at their ends: taken and given back, or refused with a reason."""
    path = f"{server.g}/providers/Contoso.Edge/things/edge"
    deep = "x"
    for _ in range(60):
        deep = [deep]
    for properties in ({"deep": deep}, {"k" * 10_000: 1}, {"n": [2**63 - 1, -2**63, 2**64 - 1, 1e308, -0.0, 5e-324]},
                       {"t": "\u0000\u001f\ud7ff\ufffd\U0010ffff"}, {"a": {str(i): i for i in range(20_000)}}, {"": {"": ""}}):
        answer = server.call("PUT", path, {"properties": properties})
        assert answer.status in (200, 201, 400, 413), answer.body[:300]
        if answer.status < 300:
            back = server.call("GET", path).json["properties"]
            assert json.dumps(back, sort_keys=True) == json.dumps(properties, sort_keys=True)
    server.call("DELETE", path)
    assert serves(server)

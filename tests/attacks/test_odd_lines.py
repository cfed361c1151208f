"""Lines that a proxy and the service could read differently, beyond bare line feeds (``test_slow_requests``)."""

import re

import pytest

from serving.http.guard import Guard
from tests.support.listening import JSON, ended, head, listening, status

CHUNKED = head("POST", "/api/v1/scores", JSON, "Transfer-Encoding: chunked")
NEXT = head("GET", "/livez", "Connection: close")


async def application(scope, receive, send):
    more = True
    while more and scope["method"] == "POST":
        more = (await receive()).get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize(
    "sent",
    [
        b"2;\x00\r\n{}\r\n0\r\n\r\n",
        b"2;a=\xc2\xa0\r\n{}\r\n0\r\n\r\n",
        b"2;a=\x0b\r\n{}\r\n0\r\n\r\n",
        b"2;" + b"a" * 257 + b"\r\n{}\r\n0\r\n\r\n",
        b"2 2\r\n{}\r\n0\r\n\r\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
        b"+2\r\n{}\r\n0\r\n\r\n",
        b"00000000000000002\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}\r\n0\r\nX: a\r\n Content-Length: 9\r\n\r\n",
    ],
    ids=["NUL", "no ASCII", "control", "long", "two sizes", "prefix", "sign", "many digits", "folded trailer"],
)
def test_an_odd_line_of_a_chunked_body_ends_the_connection(sent):
    """Before, extensions of a chunk could hold any bytes, and as many as a head."""
    with listening(Guard(application)) as connect:
        connection = connect()
        connection.sendall(CHUNKED + sent + NEXT)
        assert status(connection) == 400
        assert ended(connection)


@pytest.mark.parametrize("sent", [b"2\r\n", b"2;a=b\r\n", b'2;a="b c"; d\r\n', b"0000000000000002\r\n"])
def test_plain_sizes_and_extensions_are_read(sent):
    with listening(Guard(application)) as connect:
        connection = connect()
        connection.sendall(CHUNKED + sent + b"{}\r\n0\r\n\r\n" + NEXT)
        assert re.findall(rb"HTTP/1.1 (\d+)", connection.makefile("rb").read()) == [b"200", b"200"]


@pytest.mark.parametrize(
    "lines",
    [
        ("Transfer-Encoding:\r\n chunked",),
        ("X: a\r\n\tb",),
        ("Host: a\r\n b",),
        ("Transfer-Encoding : chunked",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: \x0bchunked",),
        ("Content-Length: 2, 3",),
        ("Content-Length: 0x2",),
        ("Content-Length: +2",),
    ],
)
def test_a_head_that_can_be_read_in_two_ways_ends_the_connection(lines):
    """Before, a header could go on in a second line, which some proxies take for another header."""
    with listening(Guard(application)) as connect:
        connection = connect()
        connection.sendall(head("POST", "/api/v1/scores", JSON, *lines) + b"0\r\n\r\n" + NEXT)
        answers = connection.makefile("rb").read()
        assert re.findall(rb"HTTP/1.1 (\d+)", answers) in ([b"400"], [b"501"]), answers

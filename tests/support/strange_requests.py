"""Strange requests for the real server: bodies with odd values, and bytes that are barely HTTP."""

import json

CANARY = "ZZCANARYZZ"
PUPIL = {"pupil_id": "A1", "date_of_birth": "2014-05-01", "authority": "801"}
SPELL = {"pupil_id": "A1", "urn": "100", "entry_date": "2018-09-04"}
BODIES = {
    "/api/v1/score": {
        "as_of": "2025-01-13",
        "histories": {
            "pupils": [PUPIL],
            "enrolments": [SPELL],
            "attendance": [{"pupil_id": "A1", "date": "2025-01-08", "session": "AM", "code": "O"}],
            "termly_attendance": [
                {"pupil_id": "A1", "term_start": "2024-09-01", "term_end": "2024-12-20", "code": "/", "sessions": 70}
            ],
            "schools": [{"urn": "100", "phase": "primary"}],
            "areas": [{"lsoa": "E01", "idaci_decile": 3}],
            "addresses": [{"pupil_id": "A1", "start_date": "2020-01-01", "lsoa": "E01", "temporary": True}],
            "cme": [{"pupil_id": "A1", "missing_from": "2020-01-01", "reported_on": "2020-01-02"}],
        },
    },
    "/api/v1/scores": {"pupil_ids": ["p1", "p2"], "as_of": "2025-01-13"},
    "/api/v1/worklist": {"as_of": "2025-01-13", "limit": 5, "urn": "100", "year_group": 5, "band": "high"},
    "/api/v1/counts": {"by": "band"},
}
VALUES = [
    CANARY,
    CANARY.lower(),
    CANARY * 300,
    "",
    " ",
    "\x00",
    f"\x00{CANARY}",
    "\ud800",
    "é" * 50,
    "2025-02-30",
    "0001-01-01",
    "9999-12-31",
    "2025-01-13T00:00:00",
    "NaN",
    0,
    -1,
    1.5,
    1e308,
    -1e308,
    2**53,
    2**63,
    10**30,
    True,
    False,
    None,
    [],
    {},
    [[]],
    [CANARY],
    {CANARY: CANARY},
    {CANARY.lower(): 1},
    "' or 1=1 --",
    "../../etc/passwd",
    "${jndi:x}",
    "\u202e",
]
RAW = [
    b"",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"limit": NaN}',
    b'{"limit": Infinity}',
    b'{"limit": -Infinity}',
    b'{"limit": 1e999}',
    b'{"limit": ' + b"9" * 10_000 + b"}",
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"\x00",
    b"{\x00}",
    b'{"urn": "\x00"}',
    b'{"urn": "\\ud800"}',
    b'{"urn": "\\u0000"}',
    b"{'limit': 1}",
    b"limit=1",
    b"\x80\x04\x95",
    b"\x1f\x8b\x08",
    b'{"limit": 1, "limit": 2}',
    f'{{"{CANARY}": '.encode(),
    b'"' + CANARY.encode() * 1000,
    b"nul",
    b"-",
    b"1" * 5000,
    b"/* */{}",
    b" " * 300_000,
    b"\xed\xa0\x80",
    b'{"a":1}' * 1000,
]


def changed(chance, value):
    """Return a JSON value with some part of it replaced, left out, or given a strange name."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(sorted(value))
        kind = chance.random()
        if kind < 0.08:
            return {k: v for k, v in value.items() if k != key}
        if kind < 0.16:
            return {**value, chance.choice([CANARY, CANARY.lower(), "", "\x00", "a" * 1000]): chance.choice(VALUES)}
        return {**value, key: changed(chance, value[key])}
    if isinstance(value, list) and value and chance.random() < 0.8:
        if chance.random() < 0.2:
            return value * chance.choice([2, 50])
        return [changed(chance, value[0]), *value[1:]]
    return chance.choice(VALUES)


def every(value):
    """Yield a JSON value with each of its leaves in turn replaced by each strange value."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from ({**value, key: other} for other in every(part))
    elif isinstance(value, list):
        yield from ([other, *value[1:]] for other in every(value[0]))
    else:
        yield from VALUES


def plain(path, body, key):
    """Return the bytes of a request that is strange in its body only."""
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    return [head.encode() + f"Content-Length: {len(data)}\r\n\r\n".encode(), data]


def request(chance, keys):
    """Return the bytes of one strange request, in as many pieces as they are sent."""
    path = chance.choice(
        [*BODIES] * 12
        + [
            "/api/v1/model",
            "/readyz",
            f"/{CANARY}",
            f"/api/v1/scores?x={CANARY}",
            "/" + "a" * 9000,
            "/%00",
            "/..%2f",
            "/\xe9",
            "*",
            f"http://{CANARY}/",
            "//",
            "/api/v1/score/",
        ]
    )
    method = chance.choice(
        ["POST"] * 12 + ["GET", "PUT", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PATCH", CANARY, "G\x00T"]
    )
    kind = chance.random()
    if kind < 0.25:
        body = chance.choice(RAW)
    else:
        body = BODIES.get(path, {})
        for _ in range(chance.choice([0, 1, 1, 1, 2, 3])):
            body = changed(chance, body)
        body = json.dumps(body).encode()
    headers = [
        ("Host", "x"),
        ("Connection", "close"),
        (
            "Content-Type",
            chance.choice(
                ["application/json"] * 9
                + [
                    "application/vnd.bentoml+pickle",
                    "text/plain",
                    "multipart/form-data; boundary=" + "x" * 200,
                    "application/json; charset=utf-16",
                    "",
                ]
            ),
        ),
        (
            "Authorization",
            chance.choice(
                [f"Bearer {keys[0]}"] * 9
                + [
                    f"Bearer {keys[1]}",
                    "Bearer ",
                    f"Basic {CANARY}",
                    f"Bearer {CANARY}",
                    "Bearer onroll_" + CANARY,
                    "Bearer a.b.c",
                    "Bearer é",
                ]
            ),
        ),
    ]
    chunked = chance.random() < 0.15
    headers.append(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body))))
    smuggled = [
        ("Content-Length", "0"),
        ("Content-Length", str(len(body))),
        ("Content-Length", "-1"),
        ("Content-Length", "9" * 400),
        ("Content-Length", "1e3"),
        ("Transfer-Encoding", "chunked"),
        ("Transfer-Encoding", "xchunked"),
        ("Transfer-Encoding", " chunked"),
        ("X-Request-ID", CANARY),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Onroll-Proxy-Secret", CANARY),
        ("Authorization", f"Bearer {keys[1]}"),
        ("Host", CANARY),
        ("Content-Encoding", "gzip"),
        ("Expect", "100-continue"),
        ("traceparent", CANARY),
        (CANARY, CANARY),
        ("X", "a" * 20_000),
        ("Bad Name", "x"),
        ("X-Null", "a\x00b"),
        ("Upgrade", "websocket"),
        ("Cookie", CANARY),
        ("Range", "bytes=0-1"),
        ("X-Split", "a\r\nSet-Cookie: x"),
        ("Content-Type", "text/html"),
    ]
    if chance.random() < 0.3:
        headers.insert(chance.randrange(len(headers) + 1), chance.choice(smuggled))
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers) + "\r\n"
    if chunked:
        parts = [body[i : i + 4000] for i in range(0, len(body), 4000)]
        ended = chance.choice([b"0\r\n\r\n"] * 5 + [b"zz\r\n", b"0\r\n" + CANARY.encode() + b": x\r\n\r\n"])
        body = b"".join(f"{len(p):x}\r\n".encode() + p + b"\r\n" for p in parts) + ended
    return [head.encode("latin-1", "replace"), body]

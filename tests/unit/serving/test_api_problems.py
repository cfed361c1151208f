"""Every invalid request is answered with a problem that does not contain the submitted value."""

import json

import pytest

from tests.support.interface import BODY, CANARY, ROWS

BODIES = [
    *(
        ("/api/v1/score", b)
        for b in (
            b"",
            b"{",
            b"[]",
            b"null",
            b"5",
            b'"x"',
            b"{}",
            b"\xff\xfe",
            b'{"as_of": "2025-01-13"}',
            b'{"as_of": NaN, "histories": {}}',
            b"[" * 5000,
            {**BODY, "as_of": CANARY},
            {**BODY, "as_of": "2025-02-30"},
            {**BODY, "as_of": 5.5},
            {**BODY, "as_of": None},
            {**BODY, "as_of": "0001-01-01"},
            {**BODY, "as_of": "9999-12-31"},
            {**BODY, CANARY: 1},
            {**BODY, "histories": None},
            {**BODY, "histories": []},
            {**BODY, "histories": {}},
            {**BODY, "histories": CANARY},
            {**BODY, "histories": {"pupils": ROWS["pupils"]}},
            {**BODY, "histories": {**ROWS, "sen": CANARY}},
            {**BODY, "histories": {**ROWS, "sen": [5]}},
            {**BODY, "histories": {**ROWS, "sen": [{"pupil_id": "A1", "start_date": CANARY, "provision": "K"}]}},
            {**BODY, "histories": {**ROWS, "sen": [{"pupil_id": "A1", "start_date": "2024-01-01"}]}},
            {
                **BODY,
                "histories": {
                    **ROWS,
                    "sen": [{"pupil_id": {"x": CANARY}, "start_date": "2024-01-01", "provision": "K"}],
                },
            },
            {
                **BODY,
                "histories": {
                    **ROWS,
                    "termly_attendance": [
                        {
                            "pupil_id": "A1",
                            "term_start": "2024-01-01",
                            "term_end": "2024-04-01",
                            "code": "/",
                            "sessions": 10**40,
                        }
                    ],
                },
            },
            {**BODY, "histories": {**ROWS, "pupils": [{"pupil_id": "", "date_of_birth": "2014-05-01"}]}},
            {**BODY, "histories": {**ROWS, "pupils": [{"pupil_id": "A\x00", "date_of_birth": "2014-05-01"}]}},
            {**BODY, "histories": {**ROWS, "pupils": [{"pupil_id": 10**600, "date_of_birth": "2014-05-01"}]}},
            json.dumps(BODY).encode("utf-16"),
            {**BODY, "histories": {**ROWS, "pupils": ROWS["pupils"] * 1001}},
            {**BODY, "histories": {**ROWS, "pupils": [{"pupil_id": "A\ud800", "date_of_birth": "2014-05-01"}]}},
        )
    ),
    *(
        ("/api/v1/scores", b)
        for b in (
            {},
            {"pupil_ids": []},
            {"pupil_ids": CANARY},
            {"pupil_ids": [CANARY * 99]},
            {"pupil_ids": [5]},
            {"pupil_ids": [None]},
            {"pupil_ids": ["a\x00"]},
            {"pupil_ids": ["a"] * 1001},
            {"pupil_ids": ["a"], "as_of": CANARY},
            {"pupil_ids": ["a"], "as_of": "2025-13-01"},
            {"pupil_ids": ["a"], "x": 1},
            {"pupil_ids": {}},
            b"\x80abc",
            b"{'a': 1}",
        )
    ),
    *(
        ("/api/v1/worklist", b)
        for b in (
            {"limit": 0},
            {"limit": -1},
            {"limit": 10**30},
            {"limit": CANARY},
            {"limit": 1.5},
            {"limit": None},
            {"urn": CANARY * 9},
            {"urn": "'; drop table scores"},
            {"urn": [5]},
            {"urn": True},
            {"year_group": 99},
            {"year_group": -1},
            {"year_group": CANARY},
            {"band": 5},
            {"list": CANARY},
            {"band": CANARY * 9},
            {"band": "\x00"},
            {"as_of": CANARY},
            {"as_of": 1e400},
            {"nothing": 1},
            [],
            b'{"limit": Infinity}',
            b'{"limit": 1',
            b"limit=1",
        )
    ),
]


@pytest.mark.parametrize(("path", "body"), BODIES, ids=range(len(BODIES)))
def test_a_wrong_body_is_a_problem_without_its_value(service, caplog, path, body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = service.post(path, content=data, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert CANARY not in answer.text + caplog.text


@pytest.mark.parametrize("undeclared", [CANARY, [5], [{CANARY: CANARY}], {CANARY: [CANARY]}, None])
def test_an_undeclared_table_is_ignored_without_its_name_or_values(service, caplog, undeclared):
    answer = service.post("/api/v1/score", json={**BODY, "histories": {**ROWS, f"{CANARY} 1": undeclared}})
    assert answer.status_code == 200, answer.text
    assert f"the table at position {len(ROWS) + 1} is not declared and is ignored" in answer.json()["warnings"]
    assert CANARY not in answer.text + caplog.text


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/api/v1/score", {"Content-Type": "application/vnd.bentoml+pickle"}, 415),
        ("POST", "/api/v1/score", {"Content-Type": "text/plain"}, 415),
        ("POST", "/api/v1/worklist", {"Content-Type": ""}, 415),
        ("GET", f"/{CANARY}", {}, 404),
        ("GET", "/api/v1/score", {}, 405),
        ("DELETE", "/api/v1/model", {}, 405),
        ("GET", "/docs", {}, 404),
        ("GET", "/../etc/passwd", {}, 404),
    ],
)
def test_an_unknown_path_is_answered_with_a_problem(service, method, path, headers, status):
    answer = service.request(method, path, content=b"{}" if method == "POST" else None, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_body_that_is_too_large_is_refused(service):
    answer = service.post("/api/v1/score", content=b" " * 2_000_001, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413

    def chunks():
        for _ in range(30):
            yield b" " * 100_000

    chunked = service.post("/api/v1/score", content=chunks(), headers={"Content-Type": "application/json"})
    assert chunked.status_code == 413
    assert chunked.json()["title"]

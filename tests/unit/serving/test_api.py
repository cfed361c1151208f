"""The interface: who may see what, and that whatever is wrong is a problem without a value."""

import json
import os
import sys
from datetime import date, timedelta

import pytest

CANARY = "ZZCANARYZZ"
ROWS = {
    "pupils": [{"pupil_id": "A1", "date_of_birth": "2014-05-01", "authority": "801"}],
    "enrolments": [{"pupil_id": "A1", "urn": "100", "entry_date": "2018-09-04"}],
    "attendance": [{"pupil_id": "A1", "date": "2025-01-08", "session": s, "code": "O"} for s in ("AM", "PM")],
}
BODY = {"as_of": "2025-01-13", "histories": ROWS}


@pytest.fixture
def service(bundle, tmp_path, monkeypatch):
    from starlette.testclient import TestClient

    from histories.settings import settings
    from serving.http.api import make_app
    from serving.http.guard import Guard

    monkeypatch.setenv("ONROLL_MODEL", str(bundle))
    app = make_app(settings())
    guard = Guard(app, limit=2_000_000, refusals=app.state.store.refusals)
    client = TestClient(guard, raise_server_exceptions=False)
    client.store = app.state.store
    _, key = client.store.create_key("lead", "801")
    client.headers["Authorization"] = f"Bearer {key}"
    return client


def test_a_score_of_posted_rows_is_explained_and_adds_up(service):
    answer = service.post("/api/v1/score", json=BODY)
    assert answer.status_code == 200, answer.text
    (score,) = answer.json()["scores"]
    parts = score["reasons"] + score["protective"] + score["context"]
    assert score["base"] + sum(p["contribution"] for p in parts) == pytest.approx(score["margin"], abs=1e-9)
    assert 0 < score["risk_low"] <= score["risk"] <= score["risk_high"] < 1
    assert "sen" in score["missing_tables"]
    assert score["model_version"] == answer.json()["model"]["version"]


def test_stored_scores_are_seen_within_the_scope_of_the_key(service):
    first = service.post("/api/v1/score", json=BODY).json()["scores"][0]
    service.store.save(
        [
            first,
            {**first, "pupil_id": "B2", "authority": "802", "rank": 1},
            {**first, "pupil_id": "C3", "urn": "200", "rank": 2},
        ]
    )
    asked = {"pupil_ids": ["A1", "B2", "C3"]}
    assert [s["pupil_id"] for s in service.post("/api/v1/scores", json=asked).json()["scores"]] == ["A1", "C3"]
    assert service.post("/api/v1/scores", json={"pupil_ids": ["A1"]}).json()["scores"] == [first]
    assert [s["pupil_id"] for s in service.post("/api/v1/worklist", json={"limit": 1}).json()["scores"]] == ["A1"]
    _, narrow = service.store.create_key("worker", "801", ["200"])
    listed = service.post("/api/v1/worklist", json={}, headers={"Authorization": f"Bearer {narrow}"}).json()["scores"]
    assert [s["pupil_id"] for s in listed] == ["C3"]
    _, everyone = service.store.create_key("administrator")
    seen = service.post("/api/v1/scores", json=asked, headers={"Authorization": f"Bearer {everyone}"}).json()["scores"]
    assert len(seen) == 3
    for choice, expected in (
        ({"urn": "200"}, ["C3"]),
        ({"year_group": 11}, []),
        ({"band": first["band"]}, ["A1", "C3"]),
    ):
        assert [s["pupil_id"] for s in service.post("/api/v1/worklist", json=choice).json()["scores"]] == expected


def audited(service):
    import sqlalchemy as sa

    from serving.store.tables import AuditEntry

    with service.store.engine.connect() as connection:
        rows = connection.execute(sa.select(AuditEntry.action, AuditEntry.pupils).order_by(AuditEntry.seq)).all()
    return [(r.action, len(json.loads(r.pupils))) for r in rows]


def test_whom_an_answer_shows_is_in_the_audit(service):
    first = service.post("/api/v1/score", json=BODY).json()["scores"][0]
    service.store.save([{**first, "pupil_id": f"p{n}", "rank": n} for n in range(5)])
    service.post("/api/v1/worklist", json={"limit": 2})
    service.post("/api/v1/scores", json={"pupil_ids": ["p1", "nobody"]})
    seen = [(action, n) for action, n in audited(service) if not action.startswith("key.")]
    assert seen == [("rows.scored", 1), ("scores.stored", 0), ("worklist.seen", 2), ("scores.seen", 1)]


def test_while_the_database_does_not_answer_nothing_is_shown(service, monkeypatch):
    from histories.errors import Fault
    from serving.store import Unavailable

    def broken(*_, **__):
        raise Unavailable(Fault("the database does not answer", CANARY, ""))

    monkeypatch.setattr(service.store.recorder, "append", broken)
    assert service.post("/api/v1/score", json=BODY).status_code == 503
    monkeypatch.setattr(service.store, "caller", broken)
    answer = service.get("/api/v1/model")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert CANARY not in answer.text


def test_a_whole_number_is_one_however_it_is_written(service):
    terms = {"pupil_id": "A1", "term_start": "2024-09-01", "term_end": "2024-12-20", "code": "O"}
    scored = [
        service.post(
            "/api/v1/score", json={**BODY, "histories": {**ROWS, "termly_attendance": [{**terms, "sessions": n}]}}
        )
        for n in (70, 70.0)
    ]
    assert scored[0].json()["scores"] == scored[1].json()["scores"]
    assert service.post("/api/v1/worklist", json={"limit": 5.0, "year_group": 7.0}).status_code == 200


def test_pages_of_the_list_follow_each_other_until_it_changes(service):
    first = service.post("/api/v1/score", json=BODY).json()["scores"][0]
    ranked = [{**first, "pupil_id": f"p{n}", "rank": n // 2, "authority": f"80{1 + n % 2}"} for n in range(7)]
    service.store.save(ranked)
    _, everyone = service.store.create_key("administrator")
    headers = {"Authorization": f"Bearer {everyone}"}
    asked, seen, pages = {"limit": 3}, [], 0
    while True:
        page = service.post("/api/v1/worklist", json=asked, headers=headers).json()
        seen, pages = seen + [s["pupil_id"] for s in page["scores"]], pages + 1
        if page["next"] is None:
            break
        assert "p" + page["next"] not in seen
        asked = {"limit": 3, "after": page["next"]}
    assert (seen, pages) == ([s["pupil_id"] for s in ranked], 3)
    service.store.save([{**first, "model_version": "9"}])
    changed = service.post("/api/v1/worklist", json=asked, headers=headers)
    assert changed.status_code == 409
    lead = service.post("/api/v1/worklist", json=asked).json()
    assert lead["status"] == 409
    for nonsense in ("x", "W10", "IiI", "WzEsMl0", "a" * 300):
        assert service.post("/api/v1/worklist", json={"after": nonsense}).status_code == 409


def test_counts_name_nobody_and_hide_what_is_small(service):
    first = service.post("/api/v1/score", json=BODY).json()["scores"][0]
    many = [(b, n) for b, size in (("high", 3), ("raised", 23), ("usual", 101)) for n in range(size)]
    service.store.save({**first, "pupil_id": f"{b}{n}", "band": b, "rank": k} for k, (b, n) in enumerate(many))
    service.store.save([{**first, "pupil_id": "far", "authority": "802", "band": "elsewhere"}])
    _, analyst = service.store.create_key("analyst", "801")
    answer = service.post("/api/v1/counts", json={}, headers={"Authorization": f"Bearer {analyst}"})
    assert answer.json() == {
        "as_of": "2025-01-13",
        "by": "band",
        "all": 125,
        "counts": [
            {"group": "high", "pupils": None},
            {"group": "raised", "pupils": None},
            {"group": "usual", "pupils": 100},
        ],
    }
    for by in ("urn", "year_group"):
        (count,) = service.post("/api/v1/counts", json={"by": by}).json()["counts"]
        assert count["pupils"] == 125
    _, nowhere = service.store.create_key("analyst", "803")
    empty = service.post("/api/v1/counts", json={}, headers={"Authorization": f"Bearer {nowhere}"}).json()
    assert (empty["counts"], empty["all"]) == ([], None)


def test_storing_a_score_again_replaces_it(service):
    first = service.post("/api/v1/score", json=BODY).json()["scores"][0]
    service.store.save([first])
    service.store.save([{**first, "band": "other"}])
    assert [s["band"] for s in service.post("/api/v1/worklist", json={}).json()["scores"]] == ["other"]


def test_another_authority_gets_no_score_of_posted_rows(service):
    _, other = service.store.create_key("lead", "802")
    assert service.post("/api/v1/score", json=BODY, headers={"Authorization": f"Bearer {other}"}).json()["scores"] == []


def test_keys_are_refused_when_wrong_revoked_expired_or_of_the_wrong_role(service):
    key_id, revoked = service.store.create_key("worker", "801")
    service.store.revoke(key_id)
    _, expired = service.store.create_key("worker", "801", expires=date.today() - timedelta(days=1))
    _, analyst = service.store.create_key("analyst", "801")
    for header, status in (
        (f"Bearer {revoked}", 401),
        (f"Bearer {expired}", 401),
        ("Bearer x", 401),
        ("Basic x", 401),
        ("", 401),
        ("Bearer ", 401),
        (f"Bearer {analyst}", 403),
    ):
        answer = service.post("/api/v1/worklist", json={}, headers={"Authorization": header})
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
    assert service.get("/api/v1/model", headers={"Authorization": f"Bearer {analyst}"}).status_code == 200


def test_keys_are_kept_as_hashes(service):
    _, key = service.store.create_key("worker", "801")
    assert key not in json.dumps(service.store.list_keys(), default=str)
    assert all("digest" not in k for k in service.store.list_keys())


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
            {**BODY, "histories": {**ROWS, CANARY: CANARY}},
            {**BODY, "histories": {**ROWS, CANARY: [5]}},
            {**BODY, "histories": {**ROWS, CANARY: None}},
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
            {"urn": 5},
            {"year_group": 99},
            {"year_group": -1},
            {"year_group": CANARY},
            {"band": 5},
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
    said = answer.json()
    assert said["status"] == answer.status_code
    assert said["title"]
    assert CANARY not in answer.text + caplog.text


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/api/v1/score", {"Content-Type": "application/vnd.bentoml+pickle"}, 415),
        ("POST", "/api/v1/score", {"Content-Type": "text/plain"}, 415),
        ("POST", "/api/v1/worklist", {"Content-Type": ""}, 415),
        ("GET", f"/{CANARY}", {}, 404),
        ("GET", "/api/v1/score", {}, 404),
        ("DELETE", "/api/v1/model", {}, 404),
        ("GET", "/docs", {}, 404),
        ("GET", "/../etc/passwd", {}, 404),
    ],
)
def test_what_is_not_there_is_a_problem(service, method, path, headers, status):
    answer = service.request(method, path, content=b"{}" if method == "POST" else None, headers=headers)
    assert answer.status_code in (status, 405)
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


def test_metrics_hold_templates_and_no_path(service):
    service.get(f"/api/v1/{CANARY}")
    service.post("/api/v1/worklist", json={})
    page = service.get("/metrics").text
    assert "/api/v1/worklist" in page
    assert CANARY not in page


def test_without_a_model_the_answer_is_503(tmp_path):
    from starlette.testclient import TestClient

    from histories.settings import settings
    from serving.http.api import make_app

    app = make_app(settings())
    _, key = app.state.store.create_key("lead", "801")
    client = TestClient(app)
    assert client.get("/readyz").status_code == 503
    assert client.post("/api/v1/score", json=BODY, headers={"Authorization": f"Bearer {key}"}).status_code == 503


def test_the_description_names_every_route_and_its_errors(service):
    described = service.get("/api/v1/openapi.json").json()
    assert set(described["paths"]) == {
        "/api/v1/score",
        "/api/v1/scores",
        "/api/v1/worklist",
        "/api/v1/counts",
        "/api/v1/model",
    }
    errors = {"400", "401", "403", "405", "408", "413", "415", "422", "429", "500", "503"}
    of = lambda call: set(described["paths"][f"/api/v1/{call}"]["post"]["responses"]) - {"200"}  # noqa: E731
    assert (of("score"), of("counts"), of("scores"), of("worklist")) == (
        errors,
        errors,
        errors | {"404"},
        errors | {"409"},
    )
    sent = described["components"]["schemas"]["ScoreRequest"]["properties"]["histories"]
    assert sent["required"] == ["pupils", "enrolments"]
    assert sent["properties"]["sen"]["items"]["required"] == ["pupil_id", "start_date", "provision"]
    assert service.get("/openapi.json").json() == described


def test_a_changed_model_file_is_refused(bundle, tmp_path):
    import shutil

    from histories.errors import Faults
    from training.risk_model import RiskModel

    copy = tmp_path / "model"
    shutil.copytree(bundle, copy)
    (copy / "booster.txt").write_text((copy / "booster.txt").read_text().replace("0.", "1.", 1))
    with pytest.raises(Faults, match="changed after it was made"):
        RiskModel.load(copy)


def test_plain_modules_of_serving_do_not_import_mlflow_or_shap():
    import subprocess

    program = "import sys, serving.http.api; assert not {'mlflow', 'shap'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr


def test_scores_that_are_served_and_requests_that_are_refused_are_in_the_audit(service):
    from serving.store import Caller
    from serving.store.audit import audit_log

    service.post("/api/v1/score", json=BODY)
    service.post("/api/v1/scores", json={"pupil_ids": [CANARY]})
    service.post("/api/v1/worklist", json={}, headers={"Authorization": "Bearer x"})
    with service.store.view(Caller("test", "administrator", None)) as view:
        found = list(audit_log.entries(view))
        view.record("audit.seen")
    kept = {e["action"]: e for e in found}
    assert kept["rows.scored"]["pupils"] == [service.store.chain.reference("A1")]
    assert kept["scores.seen"]["details"]["withheld"] == [service.store.chain.reference(CANARY)]
    assert kept["request.refused"]["details"] == {"status": 401, "route": "POST /api/v1/worklist", "more_since_last": 0}
    assert len({e["request_id"] for e in found} - {None}) == 3
    assert CANARY not in json.dumps(found)


def test_every_kind_of_refusal_is_in_the_audit_with_who_was_refused(service, monkeypatch):
    from serving.access.rate_limit import Buckets
    from serving.store import Caller
    from serving.store.audit import audit_log

    analyst_id, analyst = service.store.create_key("analyst", "801")
    key_id = next(k["key_id"] for k in service.store.list_keys() if k["key_id"] != analyst_id)
    big = json.dumps({"pupil_ids": ["x" * 90] * 5000})
    plain = {"Content-Type": "text/plain"}
    too_many = {"as_of": "2025-01-13", "histories": {**ROWS, "pupils": ROWS["pupils"] * 1001}}
    for expected, path, sent in (
        (400, "/api/v1/scores", {"content": "{"}),
        (401, "/api/v1/model", {"method": "GET", "headers": {"Authorization": "Bearer x"}}),
        (403, "/api/v1/worklist", {"json": {}, "headers": {"Authorization": f"Bearer {analyst}"}}),
        (404, "/api/v1/scores", {"json": {"pupil_ids": [CANARY]}}),
        (404, f"/{CANARY}", {"json": {}}),
        (405, "/api/v1/model", {"json": {}}),
        (413, "/api/v1/scores", {"content": big}),
        (413, "/api/v1/score", {"json": too_many}),
        (415, "/api/v1/counts", {"content": "{}", "headers": plain}),
    ):
        content = {"headers": {"Content-Type": "application/json"}, **sent} if "content" in sent else sent
        assert service.request(content.pop("method", "POST"), path, **content).status_code == expected
    monkeypatch.setattr(Buckets, "wait", lambda *_: 3.0)
    assert service.post("/api/v1/counts", json={}).status_code == 429
    with service.store.view(Caller("test", "administrator", None)) as view:
        found = list(audit_log.entries(view, action="request.refused"))
        view.record("audit.seen")
    by_whom = {(e["details"]["status"], e["details"]["route"]): e["who"] for e in found}
    assert by_whom == {
        (400, "POST /api/v1/scores"): key_id,
        (401, "GET /api/v1/model"): "nobody",
        (403, "POST /api/v1/worklist"): analyst_id,
        (404, "POST /api/v1/scores"): key_id,
        (404, "POST unmatched"): "nobody",
        (405, "POST unmatched"): "nobody",
        (413, "POST /api/v1/scores"): "nobody",
        (413, "POST /api/v1/score"): key_id,
        (415, "POST /api/v1/counts"): "nobody",
        (429, "POST /api/v1/counts"): key_id,
    }
    assert len(found) == len(by_whom)  # and none of them twice
    assert all(e["request_id"] for e in found)
    assert CANARY not in json.dumps(found)

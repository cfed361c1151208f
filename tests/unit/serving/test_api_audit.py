"""The audit records the pupils in each answer, and every refusal."""

import json

from tests.support.interface import BODY, CANARY, ROWS


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
    seen = [(action, n) for action, n in audited(service) if not action.startswith(("key.", "model."))]
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


def test_scores_that_are_served_and_requests_that_are_refused_are_in_the_audit(service):
    from serving.store import Caller
    from serving.store.audit import audit_log

    service.post("/api/v1/score", json=BODY)
    service.post("/api/v1/scores", json={"pupil_ids": [CANARY]})
    service.post("/api/v1/worklist", json={}, headers={"Authorization": "Bearer x"})
    with service.store.view(Caller("test", "administrator", None)) as view:
        entries = list(audit_log.entries(view))
        view.record("audit.seen")
    kept = {e["action"]: e for e in entries}
    assert kept["rows.scored"]["pupils"] == [service.store.chain.reference("A1")]
    assert kept["scores.seen"]["details"]["withheld"] == [service.store.chain.reference(CANARY)]
    assert kept["request.refused"]["details"] == {"status": 401, "route": "POST /api/v1/worklist", "more_since_last": 0}
    assert len({e["request_id"] for e in entries} - {None}) == 3
    assert CANARY not in json.dumps(entries)


def test_every_kind_of_refusal_is_audited_with_its_caller(service, monkeypatch):
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
        refusals = list(audit_log.entries(view, action="request.refused"))
        view.record("audit.seen")
    by_whom = {(e["details"]["status"], e["details"]["route"]): e["who"] for e in refusals}
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
    assert len(refusals) == len(by_whom)  # and none of them twice
    assert all(e["request_id"] for e in refusals)
    assert CANARY not in json.dumps(refusals)

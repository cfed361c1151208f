"""What an incident leaves behind: who and from where, also for refused credentials, and alarms that a machine can read.

Before, a revoked or expired key was "nobody", no entry or log line had an address, and nothing counted failed sign-ins.
"""

import logging
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from histories.settings import settings
from serving.http.api import make_app
from serving.http.guard import Guard
from serving.store.audit.audit_log import entries
from serving.store.caller import command_line
from serving.store.ledger.entry import Entry
from serving.telemetry import metrics
from serving.telemetry.audit_watch import AuditWatch
from serving.telemetry.bulk_reading import HOUR, BulkReading
from tests.support.forms import submit
from tests.support.identity_provider import jwks, signing_key, token
from tests.support.scores import full_score
from tests.support.stores import tamper

ADDRESS = "203.0.113.9"
TOKENS = """
[tokens]
issuer = "https://id.example"
audience = "onroll"
jwks = "jwks.json"
[roles]
"Onroll.Worker" = "worker"
"""


@pytest.fixture
def signer():
    return signing_key()


@pytest.fixture
def app(tmp_path, bundle, monkeypatch, signer):
    (tmp_path / "jwks.json").write_text(jwks(signer))
    (tmp_path / "access.toml").write_text(TOKENS)
    monkeypatch.setenv("ONROLL_ACCESS", "access.toml")
    monkeypatch.setenv("ONROLL_MODEL", str(bundle))
    app = make_app(settings(), "127.0.0.1")
    yield app
    app.state.store.engine.dispose()


def from_(app, address=ADDRESS):
    guarded = Guard(app, people=app.state.people, refusals=app.state.store.refusals)
    return TestClient(guarded, base_url="http://127.0.0.1", follow_redirects=False, client=(address, 50000))


def refusals(app):
    with app.state.store.view(command_line()) as view:
        refused = list(entries(view, action="request.refused"))
        view.record("audit.seen")
    return [
        (e["who"], e["details"]["status"], e["details"].get("reason"), e["details"].get("address")) for e in refused
    ]


def expired(signer, **claims):
    return f"Bearer {token(signer, -timedelta(hours=1), **claims)}"


def test_a_refused_credential_names_its_holder_reason_and_address(app, signer, caplog):
    store, client = app.state.store, from_(app)
    revoked_id, revoked = store.create_key("lead", "801")
    store.revoke(revoked_id)
    old_id, old = store.create_key("worker", "801", expires=date(2020, 1, 1))
    sent = {
        f"Bearer {revoked}": (revoked_id, 401, "revoked", ADDRESS),
        f"Bearer {old}": (old_id, 401, "expired", ADDRESS),
        "Bearer onroll_x_y": ("nobody", 401, "unknown", ADDRESS),
        expired(signer): ("token:ann", 401, "expired", ADDRESS),
        expired(signer, aud="another"): ("nobody", 401, "expired", ADDRESS),
        expired(signing_key()): ("nobody", 401, "invalid", ADDRESS),
    }
    with caplog.at_level(logging.INFO, logger="onroll.guard"):
        details = {client.get("/api/v1/model", headers={"Authorization": a}).json()["detail"] for a in sent}
    assert refusals(app) == list(sent.values())
    assert len(details) == 2, "the answer does not say why: one text for keys, one for tokens"
    logged = [record.fields for record in caplog.records if record.name == "onroll.guard"]
    assert [line["caller"] for line in logged] == [None if who == "nobody" else who for who, *_ in sent.values()]
    assert {line["address"] for line in logged} == {ADDRESS}


def test_a_failed_sign_in_at_the_pages_is_evidence_too(app):
    key_id, key = app.state.store.create_key("lead", "801")
    app.state.store.revoke(key_id)
    before = metrics.page()[0].count(b'onroll_sign_in_failures_total{reason="revoked"}')
    assert submit(from_(app), "/sign-in", "/sign-in", key=key).status_code == 401
    assert refusals(app) == [(key_id, 401, "revoked", ADDRESS)]
    assert metrics.page()[0].count(b'onroll_sign_in_failures_total{reason="revoked"}') >= max(before, 1)


def test_what_is_seen_and_changed_has_the_address_of_its_request(app):
    _, key = app.state.store.create_key("lead", "801")
    app.state.store.save([full_score("p1", "801")])
    from_(app).post("/api/v1/worklist", json={}, headers={"Authorization": f"Bearer {key}"})
    from_(app, "no address").post("/api/v1/counts", json={"by": "band"}, headers={"Authorization": f"Bearer {key}"})
    with app.state.store.view(command_line()) as view:
        found = {e["action"]: e["details"].get("address") for e in entries(view)}
        view.record("audit.seen")
    assert found["worklist.seen"] == ADDRESS
    assert found["counts.seen"] is None, "what is not an address is not kept"
    assert found["key.created"] is None, "a command has none"


def shown(who, pupils):
    return [Entry(who=who, role="lead", authority="801", action="worklist.seen", pupils=pupils, details={})]


def test_bulk_reading_raises_one_alarm_for_each_caller_and_hour(caplog):
    now = [0.0]
    watch = BulkReading(most=10, clock=lambda: now[0])
    with caplog.at_level(logging.ERROR, logger="onroll.alarm"):
        for _ in range(5):
            watch.seen(shown("ann", [f"p{n}" for n in range(10)]))
        assert caplog.records == [], "the same children again are no bulk reading"
        watch.seen(shown("ben", ["p1"]))
        for n in range(10, 14):
            watch.seen(shown("ann", [f"p{n}"]))
        assert [r.fields["caller"] for r in caplog.records] == ["ann"]
        now[0] = HOUR
        watch.seen(shown("ann", [f"p{n}" for n in range(11)]))
    assert len(caplog.records) == 2
    assert b'onroll_bulk_reads_total{role="lead"}' in metrics.page()[0]


def test_the_service_itself_watches_for_bulk_reading(app, monkeypatch):
    seen = []
    monkeypatch.setattr(app.state.store, "on_view", seen.extend)
    _, key = app.state.store.create_key("lead", "801")
    app.state.store.save([full_score("p1", "801")])
    from_(app).post("/api/v1/worklist", json={}, headers={"Authorization": f"Bearer {key}"})
    assert [len(e.pupils) for e in seen] == [1]


def test_the_alarms_of_the_newest_monitoring_are_metrics(app):
    """Of two runs of 'onroll monitor' the second counts: an alarm that went down is 0, and nothing names a list."""
    watch, store = AuditWatch(app.state.store), app.state.store
    for up in (["A001", "A010"], ["A010", "A011"]):
        with store.view(command_line()) as view:
            view.record("alarms.seen", up=up)
    assert watch.check()
    watch_first = metrics.page()[0]
    assert b'onroll_alarm_up{code="A010"} 1.0' in watch_first
    assert b'code="A001"' not in watch_first
    with store.view(command_line()) as view:
        view.record("alarms.seen", up=["A001"])
    watch.check()
    page = metrics.page()[0].decode()
    states = {code: f'onroll_alarm_up{{code="{code}"}} {state}' for code, state in (("A001", 1.0), ("A010", 0.0))}
    assert all(line in page for line in states.values())
    (seconds,) = re.findall(r"^onroll_monitored_seconds (\S+)", page, re.MULTILINE)
    assert abs(float(seconds) - datetime.now(UTC).timestamp()) < 600


def test_a_look_at_another_day_or_with_other_limits_is_no_metric(app):
    watch, store = AuditWatch(app.state.store), app.state.store
    for up, default_look in ((["A001"], True), ([], False)):
        with store.view(command_line()) as view:
            view.record("alarms.seen", up=up, day="2026-01-05", default_look=default_look)
    assert watch.check()
    assert b'onroll_alarm_up{code="A001"} 1.0' in metrics.page()[0]


def test_what_came_of_lists_is_a_metric_as_the_page_shows_it(app):
    """Of the newest report of all records, rounded, and nothing where small numbers are hidden."""
    spring, autumn = (
        {"term": f"2025/26 {name}", "expected": 31.5, "observed": o} for name, o in (("spring", 35), ("autumn", None))
    )
    with app.state.store.view(command_line()) as view:
        view.record("monitor.reported", report={"authority": None, "whole": True, "terms": [spring, autumn]})
        view.record(
            "monitor.reported", report={"authority": "801", "whole": False, "terms": [{**spring, "observed": 5}]}
        )
    assert AuditWatch(app.state.store).check()
    page = metrics.page()[0].decode()
    for number, term, value in (
        ("expected", "spring", 31.5),
        ("observed", "spring", 35.0),
        ("observed", "autumn", "NaN"),
    ):
        assert f'onroll_list_outcomes{{number="{number}",term="2025/26 {term}"}} {value}' in page


def test_a_broken_chain_raises_an_alarm(app, caplog):
    watch = AuditWatch(app.state.store)
    app.state.store.create_key("lead", "801")
    assert watch.check()
    assert b"onroll_audit_broken 0.0" in metrics.page()[0]
    tamper(app.state.store, "UPDATE audit SET who = 'somebody else' WHERE seq = 1")
    with caplog.at_level(logging.ERROR, logger="onroll.alarm"):
        assert not watch.check()
    assert b"onroll_audit_broken 1.0" in metrics.page()[0]
    assert caplog.records[0].fields == {"entry": 1}

"""Whoever can write to the database puts a row into the audit that is no entry: it is named, and nothing that watches stumbles over it.

Before, one row `audit.pruned` with the details `x` ended the thread that watches the audit while its metric said that all was well;
`onroll audit verify` failed too, and named no entry.
"""

import logging

import pytest
import sqlalchemy as sa

from histories.errors import Faults
from serving.monitoring.stored import ACTION, newest
from serving.scoring.live_model import LiveModel
from serving.store import Caller
from serving.store.audit import audit_log
from serving.store.audit.approvals import open_approvals
from serving.store.audit.taken_back import lost_by_log, must_not_be_withdrawn, once_served
from serving.store.audit.unrecorded import unrecorded_keys
from serving.store.caller import command_line
from serving.store.database import reading
from serving.store.ledger.believed import believed
from serving.store.tables import AuditEntry
from serving.telemetry import metrics
from serving.telemetry.audit_watch import AuditWatch
from tests.support.stores import tamper
from training.release.promotion_log import readable
from training.release.resolve import MOVES, Release

ACTIONS = (
    "audit.pruned",
    "audit.anchored",
    "audit.key_changed",
    "key.created",
    "model.serves",
    "model.withdrawn",
    "alarms.seen",
    "monitor.reported",
    "approval.requested",
    "trial.planned",
)
JUNK = (
    "x",
    "",
    "null",
    "[]",
    "{}",
    '{"until": 0, "mac": 5, "anchors": 5, "keys": 5}',
    '{"until": "x", "anchors": {"entries": "x", "minutes": []}, "key": {}, "keys": {}, "model": "onroll", "hash": 1}',
    "[" * 100_000,
)
OF_MOVES = (
    '{"model": "onroll", "alias": "champion", "version": 1, "hash": [1]}',
    '{"model": "onroll", "alias": "champion", "version": 1e999, "before": -1e999, "hash": "x"}',
    '{"model": "\\u0000", "alias": "champion", "version": 1, "hash": "x"}',
)


def put_in(store, action, details):
    with reading(store.engine) as connection:
        seq = connection.scalar(sa.select(sa.func.max(AuditEntry.seq))) + 1
    row = {"seq": seq, "at": "2026-11-30T10:00:00.000+00:00", "who": "service", "role": "administrator"}
    row |= {"action": action, "pupils": "x", "details": details, "mac": "0" * 64}
    with store.engine.begin() as connection:
        connection.execute(sa.insert(AuditEntry), row)
    return seq


def broken():
    (line,) = (x for x in metrics.page()[0].decode().splitlines() if x.startswith("onroll_audit_broken "))
    return line.split()[1] == "1.0"


@pytest.mark.parametrize("action", ACTIONS)
def test_a_row_that_is_no_entry_is_named_and_stops_nothing(service, action, caplog):
    store = service.app.state.store
    watch = AuditWatch(store)
    watch.watched(watch.declare, watch.keep_up, watch.check)
    assert not broken()
    first = None
    for details in JUNK:
        seq = put_in(store, action, details)
        first = first or seq
        caplog.clear()
        watch.watched(AuditWatch(store).declare, watch.keep_up, watch.check)
        (alarm,) = (r for r in caplog.records if r.name == "onroll.alarm")
        assert ("does not verify" in alarm.getMessage(), alarm.fields) == (True, {"entry": first}), details
        assert broken()
        with store.view(command_line()) as view:
            verified = audit_log.verify(view.connection, store.chain, store.anchors)
            assert len(list(audit_log.entries(view, last=1000))) >= seq - 1
            unrecorded_keys(view.connection)
            view.record("audit.verified", bad=verified.bad)
        assert verified.bad == first
        store.note(command_line(), "something.done")  # others go on


@pytest.mark.parametrize("details", [*JUNK, *OF_MOVES])
def test_what_was_taken_back_is_known_whatever_was_put_in(service, releases, details):
    """Before, a hash that is a list, or a number beyond all others, failed every page with a list, and every start."""
    engine = service.app.state.store.engine
    for action in ("model.promoted", "model.withdrawn"):
        put_in(service.app.state.store, action, details)
    assert once_served(engine)
    assert lost_by_log(engine, "onroll", readable(releases / "onroll" / MOVES)) <= {"1"}
    folder = releases / "onroll" / "v1"
    must_not_be_withdrawn(engine, releases, Release(folder=folder, name=str(folder), alias="", version="", bundle="x"))


@pytest.mark.parametrize("caller", [Caller("k", "lead", "801"), command_line()])
def test_a_report_that_was_put_in_is_shown_to_nobody(service, caller):
    """Before, a row without a report failed the page, and one with a report was shown until the audit was verified."""
    store = service.app.state.store
    store.note(command_line(), ACTION, report={"authority": "801", "lists": 1})
    for details in (*JUNK, '{"report": {"authority": "801", "lists": 2}}'):
        put_in(store, ACTION, details)
        with store.view(caller) as view:
            view.record("monitor.seen")
            _, report = newest(view)
            assert report["lists"] == 1


def test_a_confirmation_that_was_put_in_confirms_nothing(service):
    store = service.app.state.store
    put_in(store, "approval.confirmed", '{"approval": "1"}')
    with store.view(command_line()) as view:
        view.record("approvals.seen")
        with pytest.raises(Faults, match="does not carry"):
            open_approvals(view)


def test_nobody_acts_on_a_row_without_its_code_wherever_it_stands(service):
    """Before, a row with a gap before it counted as the first one after a pruning, which was believed as it was."""
    store = service.app.state.store
    for gap in (1, 10):
        with store.engine.begin() as connection:
            seq = connection.scalar(sa.select(sa.func.max(AuditEntry.seq))) + gap
            row = {"seq": seq, "at": "x", "who": "x", "role": "x", "action": f"trial.gap{gap}", "pupils": "[]"}
            connection.execute(sa.insert(AuditEntry), {**row, "details": "{}", "mac": "0" * 64})
        with reading(store.engine) as connection, pytest.raises(Faults, match=f"entry {seq} does not carry"):
            list(believed(connection, store.chain, AuditEntry.action == f"trial.gap{gap}"))


def test_a_changed_plan_of_a_trial_is_not_acted_on(service):
    store = service.app.state.store
    store.note(command_line(), "trial.planned", name="t", plan="p", salt="s")
    with reading(store.engine) as connection:
        assert [e["details"]["salt"] for e in believed(connection, store.chain, AuditEntry.action == "trial.planned")]
    tamper(store, """UPDATE audit SET details = '{"name": "t", "salt": "mine"}' WHERE action = 'trial.planned'""")
    with reading(store.engine) as connection, pytest.raises(Faults, match="does not carry the audit's code"):
        list(believed(connection, store.chain, AuditEntry.action == "trial.planned"))


@pytest.mark.parametrize("error", [OSError(116, "Stale file handle"), ValueError("x"), KeyError("x"), MemoryError()])
def test_a_watch_goes_on_whatever_happens_and_says_so_once(service, releases, error, caplog, monkeypatch):
    def failing(*_):
        raise error

    caplog.set_level(logging.ERROR, "onroll.alarm")
    watch, live, done = AuditWatch(service.app.state.store), LiveModel("onroll@champion", releases), []
    live.look()
    with monkeypatch.context() as away:
        away.setattr(live, "_state", failing)
        for _ in range(2):
            watch.watched(failing, failing, lambda: done.append(1))
            live.look()
    said = [r.getMessage() for r in caplog.records if r.name == "onroll.alarm"]
    kind = type(error).__name__
    assert sorted(said) == [f"the audit cannot be watched: {kind}", f"the model cannot be watched: {kind}"]
    assert (len(done), broken()) == (2, True)
    assert live.model() is not None

"""The audit is cut within a day, and the day's first anchor stays.

Before, one anchor a day was enough: entries since the first could lose theirs, and their end, and the audit verified.
"""

import json
import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from serving.cli.main import onroll
from serving.store import Caller, Store
from serving.store.audit import pruning
from serving.store.audit.unanchored import declaration
from serving.store.database import reading
from serving.store.ledger import chain
from serving.store.ledger.anchors import DECLARED, ONLY_OWN, Anchors
from serving.store.tables import AuditEntry
from serving.telemetry import audit_watch
from serving.telemetry.audit_watch import AuditWatch
from tests.support.databases import KEY
from tests.support.stores import do, tamper, verified, verified_anew

LEAD = Caller("token:ann", "lead", "801")
START = datetime(2025, 1, 6, 9, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch):
    """The time of the next entry; each entry takes a minute."""
    minutes = iter(range(1000))
    monkeypatch.setattr(chain, "datetime", SimpleNamespace(now=lambda _: START + timedelta(minutes=next(minutes))))


def keep_anchors(store, kept):
    lines = store.anchors.file.read_text().splitlines()
    store.anchors.file.write_text("".join(f"{line}\n" for line in lines if kept(json.loads(line)["seq"])))


def append(store, count):
    for n in range(count):
        store.note(LEAD, "test", count=n)


def test_entries_that_lost_their_anchors_within_a_day_do_not_verify(store, clock):
    AuditWatch(store).declare()
    append(store, 30)
    assert verified_anew(store).whole
    keep_anchors(store, lambda seq: seq == 1)
    assert "no anchor is left of entries 2 to 9," in verified_anew(store).why  # five minutes, and one for the clocks
    assert "which this process anchored" in verified(store).why


def test_a_cut_that_leaves_entries_after_the_last_anchor_for_long_does_not_verify(store, clock):
    AuditWatch(store).declare()
    append(store, 30)
    tamper(store, "DELETE FROM audit WHERE seq > 20")
    keep_anchors(store, lambda seq: seq < 10)
    assert "no anchor is left of entries 7 to 14," in verified_anew(store).why


def test_many_entries_at_once_need_an_anchor_too(store):
    store.note(LEAD, DECLARED, entries=4, minutes=5)
    append(store, 4)
    assert verified_anew(store).whole
    append(store, 1)
    assert "no anchor is left of entries 2 to 5," in verified_anew(store).why


def test_many_entries_of_one_append_cannot_have_an_anchor_between_them(store):
    store.note(LEAD, DECLARED, entries=4, minutes=5)
    with store.view(LEAD) as view:
        for n in range(9):
            view.record("test", count=n)
    assert verified_anew(store).whole


def test_an_append_of_several_entries_after_a_pause_needs_one_anchor(store, monkeypatch):
    """Two commands half an hour apart; the second writes several entries at once, of which the last can be anchored."""
    minutes = iter([0, 1, 31, 32])
    monkeypatch.setattr(chain, "datetime", SimpleNamespace(now=lambda _: START + timedelta(minutes=next(minutes))))
    store.note(LEAD, DECLARED, **declaration())
    append(store, 1)
    with store.view(LEAD) as view:
        for n in range(3):
            view.record("test", count=n)
    append(store, 1)
    assert verified_anew(store).whole


def test_an_audit_from_before_the_declaration_needs_one_anchor_a_day(store, clock):
    append(store, 30)
    keep_anchors(store, lambda seq: seq == 1)
    assert verified_anew(store).whole
    AuditWatch(store).declare()
    append(store, 30)
    keep_anchors(store, lambda seq: seq == 1 or seq > 30)
    assert verified_anew(store).whole


def test_what_is_declared_holds_after_retention_removed_the_declaration(store, clock):
    AuditWatch(store).declare()
    append(store, 10)
    assert do(store, pruning.prune, START + timedelta(minutes=3)) == 3
    append(store, 20)
    assert (verified_anew(store).first, verified_anew(store).whole) == (4, True)
    keep_anchors(store, lambda seq: seq == 6)
    assert "no anchor is left of entries 7 to 14," in verified_anew(store).why


def actions(store):
    with reading(store.engine) as connection:
        return connection.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.seq)).all()


def test_the_service_declares_once_how_often_it_anchors(store):
    for _ in range(2):
        AuditWatch(store).declare()
    assert actions(store) == [DECLARED]
    assert declaration() == {"entries": 1000, "minutes": 5}


def test_the_service_anchors_what_other_processes_appended_and_were_killed_before_they_could(store, tmp_path):
    other = Store(store.engine.url.render_as_string(False), KEY, tmp_path / "elsewhere")
    append(other, 3)
    AuditWatch(store).keep_up()
    assert [a.seq for a in store.anchors.read()] == [3]
    other.engine.dispose()


def test_a_running_service_sees_a_cut_within_a_minute(store, monkeypatch, caplog):
    watch, checked = AuditWatch(store), []
    append(store, 9)
    watch.keep_up()
    tamper(store, "DELETE FROM audit WHERE seq > 1")
    keep_anchors(store, lambda seq: seq == 1)
    assert verified_anew(store).whole, "nothing else shows it"
    monkeypatch.setattr(audit_watch.metrics, "audit_is_whole", lambda *, whole: checked.append(whole))
    with caplog.at_level(logging.ERROR, logger="onroll.alarm"):
        for _ in range(3):
            watch.keep_up()
    assert checked == [False], "once; the hourly check goes on"
    assert [r.fields for r in caplog.records] == [{"entry": 2}]


@pytest.mark.parametrize(("syslog", "warns"), [(None, True), ("unix:{}/log", False)])
def test_it_is_said_where_only_this_account_has_the_anchors(tmp_path, monkeypatch, caplog, syslog, warns):
    monkeypatch.setenv("ONROLL_AUDIT_KEY", KEY.decode())
    if syslog:
        monkeypatch.setenv("ONROLL_AUDIT_SYSLOG", syslog.format(tmp_path))
    run = CliRunner().invoke(onroll, ["audit", "verify"])
    assert (run.exit_code, ONLY_OWN in run.output) == (0, warns)
    output = json.loads(CliRunner().invoke(onroll, ["audit", "verify", "--json"]).output)
    assert output["only_own_anchors"] is warns
    store = Store("sqlite:///onroll.db", KEY, syslog=syslog and syslog.format(tmp_path))
    watch = AuditWatch(store)
    monkeypatch.setattr(watch, "_run", lambda: None)
    watch.watch()
    assert (ONLY_OWN in caplog.text) is warns


def test_a_file_of_another_owner_in_a_folder_of_another_owner_is_another_place(tmp_path, monkeypatch):
    file = tmp_path / "anchors"
    file.touch()
    monkeypatch.setattr("os.access", lambda *_: False)
    assert Anchors(file).only_own
    monkeypatch.setattr("os.geteuid", lambda: file.stat().st_uid + 1)
    assert not Anchors(file).only_own

"""An alarm has to reach somebody. Before, it was a metric and a line of the log, and failed sign-ins were counted only."""

import json
import logging
import socket

import pytest
from starlette.testclient import TestClient

from histories.errors import Faults
from histories.settings import settings
from serving.access import evidence
from serving.http.api import make_app
from serving.http.guard import Guard
from serving.store.caller import command_line
from serving.telemetry import alarm_hook, failed_sign_ins
from serving.telemetry.alarm_hook import HOUR, MOST, TAG, WITHHELD, AlarmHook
from serving.telemetry.audit_watch import AuditWatch
from serving.telemetry.bulk_reading import BulkReading
from serving.telemetry.failed_sign_ins import IN_ALL, OF_ADDRESS, WINDOW, FailedSignIns
from tests.support.stores import tamper

CRITICAL = "<82>"  # authpriv, critical
ALARMS = logging.getLogger("onroll.alarm")


@pytest.fixture
def syslog(tmp_path):
    """The address of a syslog, and what it has received as soon as there are so many."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "log"))
        receiver.settimeout(20)
        yield f"unix:{tmp_path / 'log'}", lambda count: [receiver.recv(4096).decode() for _ in range(count)]


@pytest.fixture
def app(tmp_path, bundle, monkeypatch, syslog):
    monkeypatch.setenv("ONROLL_MODEL", str(bundle))
    monkeypatch.setenv("ONROLL_ALARM_SYSLOG", syslog[0])
    app = make_app(settings(), "127.0.0.1")
    yield app
    app.state.store.engine.dispose()


def told(lines):
    assert all(line.startswith(CRITICAL + TAG) for line in lines)
    return [json.loads(line.partition(TAG)[2]) for line in lines]


def test_each_alarm_reaches_the_syslog_without_holding_anybody_up(app, syslog, monkeypatch):
    monkeypatch.setattr(evidence, "FAILURES", FailedSignIns())
    store = app.state.store
    guarded = Guard(app, people=app.state.people, refusals=store.refusals)
    with TestClient(app, base_url="http://127.0.0.1"):  # the application runs, and with it the hook
        client = TestClient(guarded, base_url="http://127.0.0.1", client=("203.0.113.9", 50000))
        for _ in range(OF_ADDRESS + 1):
            assert client.get("/api/v1/model", headers={"Authorization": "Bearer onroll_x_y"}).status_code == 401
        store.on_view = BulkReading(most=1).seen
        with store.view(command_line()) as view:
            view.record("worklist.seen", ["ZZCHILDZZ1", "ZZCHILDZZ2"])
        tamper(store, "UPDATE audit SET who = 'x' WHERE seq = 1")
        AuditWatch(store).check()
        lines = syslog[1](3)
    first, second, third = told(lines)
    assert first == {"alarm": "failed sign-ins", "more_than": OF_ADDRESS, "address": "203.0.113.9"}
    assert (second["alarm"], second["more_than"]) == ("bulk reading", 1)
    assert ("does not verify" in third["alarm"], third["entry"]) == (True, 1)
    assert "ZZCHILDZZ" not in "".join(lines)


def test_many_refused_credentials_raise_one_alarm_by_address_and_one_in_all(caplog):
    now = [0.0]
    watch = FailedSignIns(clock=lambda: now[0])
    with caplog.at_level(logging.ERROR, logger="onroll.alarm"):
        for _ in range(OF_ADDRESS):
            watch.failed("192.0.2.1")
        assert caplog.records == []
        for _ in range(9):
            watch.failed("192.0.2.1")
        for n in range(IN_ALL):
            watch.failed(f"198.51.100.{n}")
        now[0] = WINDOW
        for _ in range(OF_ADDRESS + 1):
            watch.failed("192.0.2.1")
    by_address = {"more_than": OF_ADDRESS, "address": "192.0.2.1"}
    assert [r.fields for r in caplog.records] == [by_address, {"more_than": IN_ALL}, by_address]


def test_a_hook_sends_few_knows_no_other_fields_and_never_waits(syslog):
    now = [0.0]
    hook = AlarmHook(syslog[0], clock=lambda: now[0])
    hook.watch()
    for n in range(MOST + 5):
        ALARMS.error("alarm %s", n, extra={"fields": {"caller": "token:ann", "pupil": "ZZCHILDZZ"}})
        if n < MOST:
            said = {"then": WITHHELD} if n == MOST - 1 else {}
            assert told(syslog[1](1)) == [{"alarm": f"alarm {n}", "caller": "token:ann", **said}]
    now[0] = HOUR
    ALARMS.error("alarm %s", "later")
    ALARMS.warning("no alarm")
    hook.stop()
    assert told(syslog[1](1)) == [{"alarm": "alarm later"}]
    ALARMS.error("after its end")
    assert hook not in ALARMS.handlers


def test_alarms_that_strangers_raise_silence_no_others(syslog):
    """Before, 1,281 requests of one IPv6 network took the sixty alarms of an hour, and a broken audit reached nobody."""
    failed, hook = FailedSignIns(), AlarmHook(syslog[0])
    hook.watch()
    for n in range(70):
        for _ in range(OF_ADDRESS + 1):
            failed.failed(f"2001:db8::{n:x}")  # of one network
    for n in range(70):
        for _ in range(OF_ADDRESS + 1):
            failed.failed(f"2001:db8:{n:x}::1")  # of many
    ALARMS.error("the audit does not verify: %s", "x", extra={"fields": {"entry": 5}})
    ALARMS.error("bulk reading", extra={"fields": {"caller": "token:x", "more_than": 2000}})
    alarms = told(syslog[1](MOST + 2))
    hook.stop()
    assert [a["address"] for a in alarms[:2] if "address" in a] == ["2001:db8::/64"]
    assert [a["alarm"] for a in alarms[-2:]] == ["the audit does not verify: x", "bulk reading"]
    assert alarms[-3]["then"] == WITHHELD


def test_new_addresses_push_out_none_that_failed_often(caplog, monkeypatch):
    monkeypatch.setattr(failed_sign_ins, "MAX_ADDRESSES", 10)
    watch = FailedSignIns()
    for _ in range(OF_ADDRESS):
        watch.failed("192.0.2.1")
    for n in range(30):
        watch.failed(f"198.51.100.{n}")
    watch.failed("192.0.2.1")
    assert [r.fields for r in caplog.records] == [{"more_than": OF_ADDRESS, "address": "192.0.2.1"}]


def test_a_syslog_that_is_not_there_or_is_full_stops_nobody(tmp_path, caplog, monkeypatch):
    hook = AlarmHook(f"unix:{tmp_path / 'nobody'}")
    hook.watch()
    ALARMS.error("one")
    hook.stop()
    assert "an alarm could not be sent: FileNotFoundError" in caplog.text
    monkeypatch.setattr(alarm_hook, "MAX_WAITING", 2)
    full = AlarmHook(f"unix:{tmp_path / 'nobody'}")  # its thread does not run
    for n in range(3):
        full.emit(logging.makeLogRecord({"msg": f"alarm {n}"}))
    assert "an alarm is not sent" in caplog.text


def test_without_an_address_nothing_is_sent_and_a_wrong_one_is_named():
    hook = AlarmHook(None)
    hook.watch()
    assert hook not in ALARMS.handlers
    hook.stop()
    with pytest.raises(Faults, match="ONROLL_ALARM_SYSLOG"):
        AlarmHook("tcp:host:514")

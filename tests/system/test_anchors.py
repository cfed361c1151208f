"""Anchors: how often, where, and what shows when they, the audit, or both are cut.

Before, an anchor was written once a day to one file beside the database; an audit emptied together with its anchors verified.
"""

import json
import os
import socket
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from histories.errors import Faults
from serving.cli.main import onroll
from serving.store import Caller, Store
from serving.store.audit import audit_log
from serving.store.database import reading
from serving.store.ledger.anchor_places import TAG, AnchorFile, AnchorSyslog, read_anchors
from serving.store.ledger.anchors import ENTRIES, Anchors
from serving.store.ledger.entry import End
from serving.telemetry.audit_watch import AuditWatch
from tests.support.databases import KEY
from tests.support.scores import score
from tests.support.stores import tamper, verified, verified_anew

LEAD = Caller("token:ann", "lead", "801")
START = datetime(2025, 1, 6, 9, tzinfo=UTC)


def end(seq, **later):
    return End(seq, f"m{seq}", (START + timedelta(**later)).isoformat(timespec="milliseconds"))


@pytest.fixture
def syslog(tmp_path):
    """A syslog: its address, and a function that returns what it received, one line a message."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "log"))
        receiver.settimeout(5)

        def received(count):
            return [receiver.recv(4096).decode() for _ in range(count)]

        yield f"unix:{tmp_path / 'log'}", received


@pytest.mark.parametrize(
    ("ends", "anchored"),
    [
        ([end(1), end(2), end(3, minutes=4)], [1]),
        ([end(1), end(2, minutes=4), end(3, minutes=5), end(4, minutes=9), end(5, minutes=10)], [1, 3, 5]),
        ([end(1), end(ENTRIES), end(ENTRIES + 1), end(ENTRIES + 2)], [1, ENTRIES + 1]),
        ([end(1, hours=14, minutes=59), end(2, hours=15, minutes=1)], [1, 2]),  # midnight
        ([end(1), end(2, seconds=-1)], [1, 2]),  # the clock was set back
    ],
)
def test_an_end_is_anchored_when_minutes_or_entries_have_passed(tmp_path, ends, anchored):
    anchors = Anchors(tmp_path / "anchors")
    for one in ends:
        anchors.note(one)
    assert [a.seq for a in anchors.read()] == anchored
    anchors.flush()
    anchors.flush()
    assert [a.seq for a in anchors.read()] == sorted({*anchored, ends[-1].seq})


def test_the_service_anchors_its_last_entry_a_minute_later_and_when_it_stops(store):
    watch = AuditWatch(store)
    for n in range(3):
        store.note(LEAD, "test", count=n)
    assert verified(store).since_anchor == 2
    watch.stop()
    assert verified(store).since_anchor == 0


def test_a_file_of_anchors_is_only_appended_to(tmp_path, monkeypatch):
    """So it may belong to another account, which forbids everything else."""
    opened, really = [], os.open

    def watched(path, flags, *more, **named):
        opened.append(flags)
        return really(path, flags, *more, **named)

    file = tmp_path / "anchors"
    file.write_text("")
    file.chmod(0o660)
    monkeypatch.setattr(os, "open", watched)
    AnchorFile(file).append(end(1))
    AnchorFile(file).append(end(2))
    assert opened
    assert all(
        flags & os.O_APPEND and flags & os.O_ACCMODE == os.O_WRONLY and not flags & os.O_TRUNC and flags & os.O_NONBLOCK
        for flags in opened
    )
    assert file.stat().st_mode & 0o777 == 0o660
    assert [a.seq for a in read_anchors(file)] == [1, 2]


def test_a_pipe_in_the_place_of_the_anchors_takes_none_and_is_named(tmp_path):
    """Before, an append waited for whoever would read it, and the audit with it; or the pipe took the anchor."""
    pipe = tmp_path / "anchors"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(OSError, match="not a file"):
            AnchorFile(pipe).append(end(1))
    finally:
        os.close(reader)
    with pytest.raises(Faults, match="cannot be read"):
        list(read_anchors(pipe))


def test_a_place_that_fails_is_tried_again_and_the_other_has_its_anchors(tmp_path, caplog):
    anchors = Anchors(tmp_path / "anchors", [AnchorSyslog(f"unix:{tmp_path / 'nobody'}")])
    anchors.note(end(1))
    anchors.note(end(2))
    assert [a.seq for a in anchors.read()] == [1]
    assert [r.getMessage().partition(" in ")[0] for r in caplog.records] == [
        "the audit's end could not be anchored"
    ] * 2
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "nobody"))
        receiver.settimeout(5)
        anchors.note(end(3))
        assert '"seq": 3' in receiver.recv(4096).decode()


def test_a_syslog_receives_over_udp_and_other_addresses_are_refused():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        AnchorSyslog(f"udp:127.0.0.1:{receiver.getsockname()[1]}").append(end(7))
        text = receiver.recv(4096).decode()
    assert json.loads(text.partition(TAG)[2])["seq"] == 7
    for address in ("", "log", "unix:log", "udp:host", "udp:host:x", "udp:host:99999", "tcp:host:514"):
        with pytest.raises(Faults, match="not the address of a syslog"):
            AnchorSyslog(address)


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "[" * 100_000,
        '{"seq": "2", "mac": "m", "at": "2025-01-01"}',
        '{"seq": true, "mac": "m", "at": "2025-01-01"}',
        '{"seq": 2, "mac": null, "at": "2025-01-01"}',
        '{"seq": 2, "mac": "m", "at": 7}',
        '{"seq": 2, "mac": "m", "at": "yesterday"}',
        '[2, "m", "2025-01-01"]',
    ],
    ids=["none", "deep", "text", "flag", "no code", "number", "no day", "list"],
)
def test_a_line_that_is_no_anchor_is_named(tmp_path, line):
    """Before, a line with a text for a number, or one that was nested deeply, ended the command with an unexpected error."""
    file = tmp_path / "anchors"
    file.write_text(f'{{"seq": 1, "mac": "m", "at": "2025-01-01"}}\n{line}\n')
    with pytest.raises(Faults, match="line 2"):
        list(read_anchors(file))


@pytest.mark.parametrize("attack", ["anchors", "anchors and entries", "all"])
def test_an_audit_that_is_cut_with_its_anchors_does_not_verify(store, attack):
    store.save([score("p1", 1)])
    for n in range(5):
        store.note(LEAD, "test", count=n)
    assert verified(store).whole
    if attack != "anchors":
        tamper(store, "DELETE FROM audit WHERE seq > 3" if attack == "anchors and entries" else "DELETE FROM audit")
    store.anchors.file.unlink()
    why = verified_anew(store).why
    assert ("was emptied" if attack == "all" else "no anchor is left of") in why
    assert not verified(store).whole, "nor for a process that remembers its anchors"


def test_a_new_store_without_an_entry_verifies(store):
    assert verified(store).whole


def test_what_a_syslog_collected_shows_a_cut_that_the_file_hides(database_url, syslog, tmp_path):
    """Before, there was no second place: who could write the file could hide a cut."""
    address, received = syslog
    store = Store(database_url, KEY, tmp_path / "anchors", syslog=address)
    for n in range(5):
        store.note(LEAD, "test", count=n)
    store.anchors.flush()
    collected = tmp_path / "collected.log"
    collected.write_text("Jan  6 09:00:00 host sshd[1]: session opened\n" + "\n".join(received(2)) + "\n")

    def check():
        with reading(store.engine) as connection:
            return audit_log.verify(connection, store.chain, store.anchors, [collected])

    assert check().whole
    tamper(store, "DELETE FROM audit WHERE seq > 2")
    first = store.anchors.file.read_text().splitlines()[0]
    store.anchors.file.write_text(first + "\n")
    tamper(
        store, "DELETE FROM audit WHERE seq > 1"
    )  # exactly at an anchor: without another place nothing is left to show it
    assert verified_anew(store).whole
    assert (verified(store).bad, check().bad) == (2, 2)  # but to the process that appended it, and to the syslog
    store = Store(database_url, KEY, tmp_path / "anchors")  # as after a restart
    assert (check().bad, "were removed" in check().why) == (2, True)
    forged = json.loads(first) | {"mac": "0" * 64}
    collected.write_text(json.dumps(forged) + "\n")
    assert not check().whole
    store.engine.dispose()


def test_the_verb_reads_further_anchors(tmp_path, monkeypatch):
    monkeypatch.setenv("ONROLL_AUDIT_KEY", "k" * 32)
    monkeypatch.setenv("ONROLL_DATABASE_URL", "sqlite:///onroll.db")
    store = Store("sqlite:///onroll.db", KEY)
    for n in range(3):
        store.note(LEAD, "test", count=n)
    moved = store.anchors.file.rename(tmp_path / "elsewhere")
    run = CliRunner().invoke(onroll, ["audit", "verify"])
    assert (run.exit_code, "no anchor is left of" in run.output) == (1, True)
    (tmp_path / "empty").touch()
    run = CliRunner().invoke(onroll, ["audit", "verify", "--anchors", str(tmp_path / "empty")])
    assert "there is no anchor in it" in str(run.exception)
    run = CliRunner().invoke(onroll, ["audit", "verify", "--anchors", str(moved)])
    assert (run.exit_code, "2 since the newest anchor" in run.output) == (0, True)

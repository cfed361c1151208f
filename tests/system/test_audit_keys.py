"""Key rotation: the audit verifies across it, whichever process appends and wherever it was interrupted."""

import json

import pytest
import sqlalchemy as sa

from histories.errors import Faults
from serving.cli.main import main
from serving.store import Caller, Store, Unavailable
from serving.store.audit import audit_log, rotation
from serving.store.database import writing
from serving.store.tables import AuditEntry
from serving.store.unit_of_work import NotRecorded
from tests.support.stores import verified

LEAD = Caller("lead", "lead", "801")
FIRST = "a" * 40


@pytest.fixture
def keys(tmp_path):
    file = tmp_path / "keys"
    file.write_text(FIRST + "\n")
    file.chmod(0o640)
    return file


@pytest.fixture
def opened(database_url, keys, tmp_path):
    stores = []

    def open_one():
        stores.append(Store(database_url, keys, tmp_path / "anchors"))
        return stores[-1]

    yield open_one
    for store in stores:
        store.engine.dispose()


def rotate(store):
    with store.change(LEAD) as change:
        return rotation.rotate(change)


def rotate_and_forget(store):
    with store.change(LEAD) as change:
        rotation.rotate(change)
        change.entries.clear()


def seen(store, pupil):
    with store.view(LEAD) as view:
        view.record("pupil.seen", [pupil])


def test_the_chain_verifies_across_rotations_whoever_appends(opened, keys):
    one, other = opened(), opened()
    for _ in range(2):
        seen(one, "p1")
        seen(other, "p1")
        rotate(one)
        seen(other, "p1")  # a process that was running throughout
        seen(one, "p1")
    seen(opened(), "p1")  # and one that starts with all three keys
    assert len(keys.read_text().split()) == 3
    assert keys.stat().st_mode & 0o777 == 0o640
    for store in (one, other, opened()):
        assert (verified(store).why, verified(store).entries) == ("", 11)
    with other.view(LEAD) as view:
        entries = [e for e in audit_log.entries(view, pupils=["p1"])]  # noqa: C416
        view.record("audit.seen")
    assert len(entries) == 9  # found by references under every key
    assert len({e["pupils"][0] for e in entries}) == 3


def test_an_interrupted_rotation_changes_nothing_and_the_next_completes_it(opened, keys, monkeypatch):
    store = opened()
    seen(store, "p1")
    with pytest.raises(NotRecorded):
        rotate_and_forget(store)  # the file has the key, the chain has not
    assert len(keys.read_text().split()) == 2
    for each in (store, opened()):
        seen(each, "p1")
    assert verified(opened()).why == ""
    rotate(opened())
    assert len(keys.read_text().split()) == 2
    seen(store, "p1")
    assert (verified(opened()).why, verified(opened()).entries) == ("", 5)


def test_a_process_without_the_new_key_records_nothing(opened, keys, database_url, tmp_path):
    old = tmp_path / "copy"
    old.write_text(keys.read_text())
    stale = Store(database_url, old, tmp_path / "anchors")
    seen(stale, "p1")
    rotate(opened())
    with pytest.raises(Unavailable):
        seen(stale, "p1")
    seen(opened(), "p1")
    assert verified(opened()).why == ""
    assert "not in the file of keys" in verified(stale).why
    stale.engine.dispose()


def test_an_entry_by_the_old_key_after_its_end_does_not_hold(opened):
    store = opened()
    seen(store, "p1")
    before = store.chain.current
    rotate(store)
    with writing(store.engine) as connection:
        last = (
            connection.execute(sa.select(AuditEntry.__table__).order_by(AuditEntry.seq.desc()).limit(1))
            .mappings()
            .one()
        )
        row = {**last, "seq": last["seq"] + 1, "action": "pupil.seen", "details": "{}"}
        connection.execute(sa.insert(AuditEntry), {**row, "mac": before.code(last["mac"], row)})
    assert verified(store).bad == row["seq"]


def test_a_key_that_is_not_in_a_file_is_not_rotated(database_url, tmp_path):
    store = Store(database_url, b"k" * 32, tmp_path / "anchors")
    with pytest.raises(Faults):
        rotate(store)
    store.engine.dispose()


def test_the_verb_rotates_the_key_beside_a_sqlite_database(tmp_path, capsys):
    for words in (["database", "upgrade"], ["audit", "rotate-key"], ["audit", "verify"]):
        with pytest.raises(SystemExit) as left:
            main([*words, "--json"])
        assert left.value.code == 0, words
        output = json.loads(capsys.readouterr().out)
    assert output["whole"] is True
    assert len((tmp_path / "onroll.audit-key").read_text().split()) == 2

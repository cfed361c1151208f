"""Backups taken during writes are complete, and restored databases verify; the steps are those of docs/operations.md."""

import json
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from histories.errors import Usage
from serving.cli.main import main
from serving.store import Caller, Store, schema
from serving.store.database import copy, open_engine, reading
from serving.store.tables import AuditEntry
from tests.support.databases import KEY, database_of, owner, programs
from tests.support.scores import parsed, score
from tests.support.stores import verified

LEAD = Caller("lead", "lead", "801")


def take_sqlite(store, out, monkeypatch, capsys):
    monkeypatch.setenv("ONROLL_DATABASE_URL", str(store.engine.url))
    with pytest.raises(SystemExit) as left:
        main(["database", "backup", str(out), "--json"])
    assert left.value.code == 0
    assert json.loads(capsys.readouterr().out)["bytes"] == out.stat().st_size
    assert out.stat().st_mode & 0o077 == 0


def run(*words):
    subprocess.run(words, check=True, cwd="/", **owner())


def folder_of(url):
    return Path(url.rpartition("host=")[2])


@pytest.fixture
def backed_up(store, database_url, tmp_path, monkeypatch, capsys):
    """A store, and the URL of a store restored from its backup with the anchors of that moment."""
    store.save([score(f"p{n}", n) for n in range(1, 300)])
    ended = threading.Event()

    def work():
        while not ended.is_set():
            store.note(LEAD, "bench")

    writing = threading.Thread(target=work)
    writing.start()
    try:
        if database_url.startswith("sqlite"):
            take_sqlite(store, tmp_path / "backup.db", monkeypatch, capsys)
        else:
            there = folder_of(database_url)
            name = sa.make_url(database_url).database
            run(programs() / "pg_dump", "-h", there, "-U", "onroll", "-Fc", "-f", there / "backup", name)
    finally:
        ended.set()
        writing.join()
    shutil.copy(tmp_path / "anchors", tmp_path / "anchors-then")
    if database_url.startswith("sqlite"):
        (tmp_path / "restored").mkdir()
        shutil.copy(tmp_path / "backup.db", tmp_path / "restored" / "onroll.db")
        yield store, f"sqlite:///{tmp_path / 'restored' / 'onroll.db'}"
    else:
        with database_of(database_url.replace(f"/{name}?", "/postgres?")) as empty:
            new = sa.make_url(empty).database
            run(programs() / "pg_restore", "-h", there, "-U", "onroll", "-d", new, "--exit-on-error", there / "backup")
            yield store, empty
        (there / "backup").unlink()


def test_a_restored_store_verifies_and_continues(backed_up, tmp_path):
    store, url = backed_up
    restored = Store(url, KEY, tmp_path / "anchors-then")
    try:
        assert schema.differences(restored.engine) == []
        assert parsed(restored.worklist(LEAD, None, 3)) == parsed(store.worklist(LEAD, None, 3))
        verification = verified(restored)
        assert (verification.why, verification.anchors) == ("", 2)  # the backup's, and that of this first entry
        with reading(store.engine) as connection:
            assert verification.entries <= connection.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) + 1
    finally:
        restored.engine.dispose()


def test_entries_missing_from_a_backup_are_shown_by_the_present_anchors(backed_up, tmp_path):
    _, url = backed_up
    with (tmp_path / "anchors").open("a") as anchors:
        anchors.write(json.dumps({"seq": 10**6, "mac": "0" * 64, "at": "2099-01-01T00:00:00.000+00:00"}) + "\n")
    restored = Store(url, KEY, tmp_path / "anchors")
    try:
        assert "2099-01-01" in verified(restored).why
    finally:
        restored.engine.dispose()


def test_a_database_of_a_server_is_not_copied_as_a_file(tmp_path):
    with pytest.raises(Usage):
        copy(open_engine("postgresql://nobody@/nothing"), tmp_path / "x")
    assert not (tmp_path / "x").exists()

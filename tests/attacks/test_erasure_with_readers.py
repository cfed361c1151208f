"""A child's records are erased while somebody reads the database: the files keep them, and the command says so.

Before, the note stayed in the write-ahead log and the command said "erased 1".
"""

import json
import sqlite3
from contextlib import closing
from datetime import date

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from serving.cli.main import onroll
from serving.store import Store, database
from serving.store.cases import cases, doubts
from serving.store.database import reading
from serving.store.records.places import NOT_REACHED
from serving.store.records.remains import remains
from serving.store.tables import Pupil
from tests.support.databases import KEY
from tests.support.scores import score
from tests.support.stores import do, verified

NOTE = "a note on the child that is gone"
PUPIL = "gone-1234567"


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("ONROLL_AUDIT_KEY", "k" * 32)
    monkeypatch.setattr(database, "PATIENCE", 1)
    store = Store("sqlite:///onroll.db", KEY)
    store.save([score(PUPIL, 1)])
    with reading(store.engine) as connection:
        ref = connection.scalar(sa.select(Pupil.pupil_ref))
    case = do(store, cases.open_case, ref)
    do(store, doubts.doubt, case, 1, "attendance", date(2025, 1, 2), reason="not_so", text=NOTE)
    (tmp_path / "pupils.txt").write_text(PUPIL + "\n")
    return store


def erase(*options):
    done = CliRunner().invoke(onroll, ["erase", "--pupil-file", "pupils.txt", "--reason", "asked", *options])
    return done.exit_code, done.output


def files(folder):
    return b"".join(f.read_bytes() for f in sorted(folder.glob("onroll.db*")))


def test_an_open_reader_that_keeps_bytes_is_reported_and_the_command_fails(store, tmp_path):
    with closing(sqlite3.connect("onroll.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM pupils").fetchone()
        code, text = erase("--json")
        output = json.loads(text)
        assert (code, output["erased"], output["purged"]) == (1, 1, False)
        assert NOTE.encode() in files(tmp_path)
        code, text = erase()
        assert code == 1
        assert "still hold what was removed" in text
    code, text = erase("--json")
    output = json.loads(text)
    assert (code, output["purged"], output["looked_for"], output["found_in"]) == (0, True, 1, [])
    for gone in (NOTE, PUPIL):
        assert gone.encode() not in files(tmp_path)
    assert verified(store).whole


def test_what_is_found_afterwards_is_said_and_the_command_fails(store, tmp_path):
    """A note on another child that names the erased one, and a copy in a folder that somebody names."""
    store.save([score("stays-7654321", 2)])
    with reading(store.engine) as connection:
        ref = connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == "stays-7654321"))
    case = do(store, cases.open_case, ref)
    do(store, doubts.doubt, case, 1, "attendance", date(2025, 1, 2), reason="not_so", text=f"like {PUPIL}")
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "old.csv").write_text(f"pupil_id\n{PUPIL}\n")
    (tmp_path / "exports" / "new.csv").write_text("pupil_id\n")
    code, text = erase("--json", "--look-in", "exports")
    output = json.loads(text)
    assert (code, output["erased"], output["purged"], output["looked_in"] >= 3) == (1, 1, False, True)
    assert output["found_in"] == ["onroll.db", "old.csv"]
    code, text = erase("--look-in", "exports")
    assert (code, "Still found in: onroll.db, old.csv" in text, PUPIL in text) == (1, True, False)


def test_an_identifier_that_is_short_or_part_of_anothers_is_not_looked_for(store):
    store.save([score("pupil-12345", 2), score("x9", 3)])
    assert remains(store.engine, ["pupil-1234", "x9", "nobody-1234"]).looked_for == 1


def test_places_that_erasure_did_not_reach_are_named(store):
    code, text = erase()
    assert code == 0
    assert all(place in text for place in NOT_REACHED)
    assert PUPIL not in text

"""Everything that is held on a child comes out in one private file, from the same places that erasure empties.

Before, there was no such command: a request of a parent was answered by hand, from tables that somebody remembered.
"""

import json
import pathlib
from datetime import date

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from serving.cli.main import onroll
from serving.store.cases import cases, casework, doubts
from serving.store.database import reading
from serving.store.people import details
from serving.store.people.cipher import cipher_of
from serving.store.records import holds
from serving.store.records.places import BY_CASE, BY_PUPIL
from serving.store.tables import Base, FormerReference, Pupil
from tests.support.named_children import VALUES, write_key
from tests.support.scores import score
from tests.support.stores import begin_trial, do, draw_checks, gathered

CHILD, OTHER = "P0000001", "OTHER-7"


@pytest.fixture
def held(tmp_path, monkeypatch):
    """A store that holds something on two children in every table."""
    monkeypatch.setenv("ONROLL_AUDIT_KEY", "k" * 32)
    key = write_key(tmp_path.parent / f"{tmp_path.name}-keys")
    monkeypatch.setenv("ONROLL_PEOPLE_KEY_FILE", str(key))
    from histories.settings import settings
    from serving.store import Store

    store = Store.of(settings())
    store.save([score(CHILD, 1), score(OTHER, 2)])
    do(store, casework.keep, gathered(CHILD, OTHER, off_roll=(CHILD, OTHER)), "1")
    begin_trial(store, (CHILD, OTHER))
    draw_checks(store, (CHILD, OTHER))
    for pupil in (CHILD, OTHER):
        with reading(store.engine) as connection:
            ref = connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == pupil))
        case = do(store, cases.open_case, ref)
        do(store, cases.contact, case, 1, date(2025, 1, 2), "spoke_well", text=f"rang about {pupil}")
        do(store, doubts.doubt, case, 2, "sen", None, reason="twice", text=f"doubt of {pupil}")
        do(store, holds.place, [pupil], "court")
        do(store, details.save, cipher_of(settings()), {pupil: {**VALUES, "name": f"Name of {pupil}"}})
        do(store, refer, pupil)
    yield store
    store.engine.dispose()


def refer(change, pupil):
    """Add the reference of a former pseudonym, as a rotation of the key does."""
    row = {"pupil_id": pupil, "reference": change.chain.reference(f"former {pupil}")}
    change.connection.execute(sa.insert(FormerReference), [row])
    change.record("pseudonyms.rekeyed")


def run(*arguments):
    return CliRunner().invoke(onroll, ["subject-access", *arguments])


def test_every_table_that_names_a_child_is_on_the_one_list_of_places():
    """A new table with a pupil or a case must be on it, or erasure and subject access would miss it."""
    named = {t.name for t in Base.metadata.tables.values() if {"pupil_id", "case_id"} & set(t.columns.keys())}
    assert named == {t.__tablename__ for t in (*BY_PUPIL, *BY_CASE)}


def test_all_that_is_held_comes_out_and_nothing_of_another_child(held, tmp_path):
    done = run(CHILD, "--json")
    assert done.exit_code == 0, done.output
    file = tmp_path / json.loads(done.output)["out"]
    text = file.read_text()
    written = json.loads(text)
    assert {name: len(rows) > 0 for name, rows in written["tables"].items()} == {
        t.__tablename__: True for t in (*BY_PUPIL, *BY_CASE)
    }
    assert f"rang about {CHILD}" in text
    assert f"Name of {CHILD}" in text
    assert OTHER not in text
    assert {"case.contact", "hold.placed", "case.opened"} <= {e["action"] for e in written["seen_by"]}
    assert all(held.chain.reference(pupil) not in text for pupil in (CHILD, OTHER))


def test_the_file_is_private_and_neither_its_name_nor_the_output_holds_a_value(held, tmp_path):
    done = run(CHILD)
    assert CHILD not in done.output
    (file,) = tmp_path.glob("subject-access-*.json")
    assert CHILD not in file.name
    assert file.stat().st_mode & 0o777 == 0o600
    named = run(CHILD, "--out", f"{CHILD.lower()}.json")
    assert named.exit_code != 0
    assert not (tmp_path / f"{CHILD.lower()}.json").exists()


def test_the_identifier_may_come_from_a_file(held, tmp_path):
    (tmp_path / "pupils.txt").write_text(f"{CHILD}\n")
    assert run("--pupil-file", "pupils.txt", "--out", "one.json").exit_code == 0
    (tmp_path / "pupils.txt").write_text(f"{CHILD}\n{OTHER}\n")
    for wrong in (("--pupil-file", "pupils.txt"), (), (CHILD, "--pupil-file", "pupils.txt")):
        assert run(*wrong).exit_code != 0


def test_histories_are_looked_in_when_named(held, small_histories):
    from histories.reading.frames import collect
    from histories.reading.histories import Histories

    histories = Histories.open(small_histories)
    pupil = collect(histories.frame("pupils"))["pupil_id"][0]
    assert run(pupil, "--histories", str(small_histories), "--out", "with.json").exit_code == 0
    with pathlib.Path("with.json").open(encoding="utf-8") as file:
        (tables,) = json.load(file)["histories"].values()
    assert len(tables["pupils"]) == 1
    assert len(tables["enrolments"]) >= 1
    assert {row["pupil_id"] for rows in tables.values() for row in rows} == {pupil}

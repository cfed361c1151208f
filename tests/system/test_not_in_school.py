"""Records for the register of children not in school: what they start and stop, who sees them, and what is exported and erased."""

import csv
import json
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from histories.errors import Faults
from serving.casework import Gathered
from serving.cli.main import onroll
from serving.pages.settings import PageSettings
from serving.store import Caller, Store
from serving.store.caller import command_line
from serving.store.cases import cases, casework, not_in_school
from serving.store.cases.casework_tables import StoredDeadline
from serving.store.cases.tables import CaseEntry
from serving.store.database import reading
from serving.store.records.erasure import erase
from serving.store.records.subject_access import held_on
from serving.store.records.timeline import timeline
from serving.store.scores import week_list
from tests.support.databases import KEY
from tests.support.scores import score

ANN, FAR = Caller("token:ann", "worker", "801", ("10001",)), Caller("token:far", "lead", "802")
DAY, DUE = date(2025, 2, 3), date(2025, 2, 17)
RECORDS = {
    "home_education": {"code": "parent", "due_on": DUE},
    "part_time": {"code": "agreed", "review_on": DUE, "due_on": DUE},
    "consent": {"code": "special_school", "due_on": DUE},
    "earlier_address": {"text": "1 Old Road"},
    "destination": {"code": "school"},
}


def do(store, caller, work, *arguments, **named):
    with store.change(caller) as change:
        return work(change, *arguments, **named)


def look(store, caller, work, *arguments, **named):
    with store.view(caller) as view:
        view.record("looked")
        return work(view, *arguments, **named)


def running(store, caller=ANN):
    return {d["kind"]: (d["started_on"], d["due_on"]) for d in look(store, caller, casework.deadlines)}


@pytest.fixture
def opened(store):
    """The store with pupil p1, and Ann's case of p1."""
    store.save([score("p1", 1), score("p2", 2)])
    with reading(store.engine) as connection:
        ref = connection.scalar(sa.text("SELECT pupil_ref FROM pupils WHERE pupil_id = 'p1'"))
    return store, do(store, ANN, cases.open_case, ref)


def record_all(store, case_id):
    version = 1
    for kind, fields in RECORDS.items():
        version = do(store, ANN, not_in_school.record, case_id, version, kind=kind, on=DAY, **fields)
    return version


@pytest.mark.parametrize("kind", ["home_education", "part_time", "consent"])
def test_a_record_starts_a_duty_that_only_a_person_or_a_later_record_stops(opened, kind):
    store, case_id = opened
    duty, day_of_end = not_in_school.DUTIES[kind], DAY + timedelta(days=3)
    version = do(store, ANN, not_in_school.record, case_id, 1, kind=kind, on=DAY, **RECORDS[kind])
    assert running(store) == {duty: (DAY, DUE)}
    listed = look(store, ANN, week_list.next_deadlines, ["p1"])
    assert listed == {"p1": {"kind": duty, "due_on": DUE}}
    later = Gathered(as_of=date.today() + timedelta(days=90), authorities=frozenset(["801"]))
    do(store, command_line(), casework.keep, later, "1")
    assert running(store) == {duty: (DAY, DUE)}, "the histories know nothing of it"
    end = not_in_school.ENDS[kind][0]
    version = do(store, ANN, not_in_school.record, case_id, version, kind=kind, on=day_of_end, code=end, due_on=DUE)
    assert running(store) == {}
    do(store, ANN, not_in_school.record, case_id, version, kind=kind, on=DAY, **RECORDS[kind])
    assert running(store) == {duty: (DAY, DUE)}, "recorded again, it runs again"


def test_a_review_replaces_the_one_before(opened):
    store, case_id = opened
    version = do(store, ANN, not_in_school.record, case_id, 1, kind="part_time", on=DAY, **RECORDS["part_time"])
    again = {"code": "reviewed", "review_on": DUE + timedelta(days=28), "due_on": DUE + timedelta(days=28)}
    do(store, ANN, not_in_school.record, case_id, version, kind="part_time", on=DUE, **again)
    assert running(store) == {"part_time_review": (DUE, DUE + timedelta(days=28))}


def test_a_confirmed_destination_stops_its_duty_until_it_turns_out_wrong(opened):
    store, case_id = opened
    duty = {"pupil_id": "p1", "kind": "destination", "urn": "10001", "started_on": DAY, "due_on": DUE}
    who = {"as_of": DAY, "version": 1, "changed_by": "x", "changed_at": look(store, ANN, lambda v: v.now)}
    with store.engine.begin() as connection:
        connection.execute(sa.insert(StoredDeadline), {"clock_id": "c" * 32, **duty, **who})
    version = do(store, ANN, not_in_school.record, case_id, 1, kind="destination", on=DAY, code="school")
    assert running(store) == {}
    assert look(store, ANN, not_in_school.with_destination, ["p1", "p2"]) == {"p1": DAY}
    do(store, ANN, not_in_school.record, case_id, version, kind="destination", on=DUE, code="not_so")
    assert running(store) == {"destination": (DAY, DUE)}
    assert look(store, ANN, not_in_school.with_destination, ["p1"]) == {}


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"kind": "secret"}, "kind"),
        ({"kind": "part_time", "code": "agreed"}, "review"),
        ({"kind": "part_time", "code": "agreed", "review_on": DAY}, "review"),
        ({"kind": "consent", "code": " "}, "code"),
        ({"kind": "earlier_address", "text": " "}, "text"),
        ({"kind": "destination", "code": "school", "text": "x" * 5001}, "text"),
    ],
)
def test_a_wrong_record_writes_nothing(opened, wrong, where):
    store, case_id = opened
    with pytest.raises(Faults) as refused:
        do(store, ANN, not_in_school.record, case_id, 1, on=DAY, due_on=DUE, **wrong)
    assert [f.where for f in refused.value.faults] == [where]
    assert look(store, ANN, cases.case, case_id)["entries"] == []
    assert running(store) == {}


def test_records_and_their_duties_stay_with_the_case_when_the_child_moves(opened):
    store, case_id = opened
    record_all(store, case_id)
    everybody = Caller("token:lea", "lead", "801")
    assert len(look(store, everybody, not_in_school.records, "p1")) == 5
    assert look(store, FAR, not_in_school.records, "p1") == []
    assert look(store, FAR, not_in_school.rows) == []
    store.save([{**score("p1", 1, day="2025-04-28"), "authority": "802", "urn": "20001"}])
    assert running(store, FAR) == {}, "the new authority does not learn of a record of the old one"
    assert look(store, FAR, week_list.next_deadlines, ["p1"]) == {}
    assert look(store, FAR, not_in_school.with_destination, ["p1"]) == {}


def test_records_are_part_of_subject_access_and_the_timeline_and_are_erased_with_the_child(opened):
    store, case_id = opened
    record_all(store, case_id)
    entries = look(store, command_line(), held_on, "p1")["tables"][CaseEntry.__tablename__]
    assert [e["record"] for e in entries] == list(RECORDS)
    assert "1 Old Road" in [e["text"] for e in entries]
    events = [e for e in look(store, command_line(), timeline, "p1") if e["what"] == "done"]
    assert [e["record"] for e in events] == list(RECORDS)
    assert "Old Road" not in str(events)
    do(store, command_line(), erase, ["p1"], "asked for")
    with reading(store.engine) as connection:
        for table in (CaseEntry, StoredDeadline):
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0


def test_the_export_is_one_table_for_its_owner_with_the_rule_of_each_day(monkeypatch, tmp_path):
    rules = Path("pages.toml")
    rules.write_text(
        '[[clocks.home_education]]\nschool_days = 10\nsource = "ours"\n'
        '[[clocks.home_education]]\nschool_days = 15\nsource = "the law"\nsince = 2025-02-01\n'
    )
    monkeypatch.setenv("ONROLL_PAGES", str(rules))
    monkeypatch.setenv("ONROLL_AUDIT_KEY", "k" * 32)
    store = Store("sqlite:///onroll.db", KEY)
    store.save([score("p1", 1)])
    with reading(store.engine) as connection:
        ref = connection.scalar(sa.text("SELECT pupil_ref FROM pupils"))
    case_id = do(store, ANN, cases.open_case, ref)
    version = record_all(store, case_id)
    do(store, ANN, not_in_school.record, case_id, version, kind="home_education", on=date(2025, 1, 6), code="=cmd")
    command = ["not-in-school", "export", "--out", "out.csv", "--json"]
    assert json.loads(CliRunner().invoke(onroll, command).output) == {"rows": 6, "out": "out.csv"}
    assert Path("out.csv").stat().st_mode & 0o077 == 0
    rows = list(csv.DictReader(Path("out.csv").read_text().splitlines()))
    assert list(rows[0]) == [*not_in_school.COLUMNS, "rule"]
    by_kind = {row["record"]: row for row in rows[:5]}
    assert set(by_kind) == set(not_in_school.RECORDS)
    assert (by_kind["home_education"]["rule"], rows[5]["rule"], rows[5]["what"]) == ("the law", "ours", "'=cmd")
    assert (by_kind["part_time"]["review_on"], by_kind["part_time"]["duty_due_on"]) == (str(DUE), str(DUE))
    assert by_kind["home_education"]["duty_done_on"], "the later record stopped its duty"
    assert "Old Road" not in Path("out.csv").read_text()
    CliRunner().invoke(onroll, [*command, "--addresses", "--since", "2025-02-01"])
    rows = list(csv.DictReader(Path("out.csv").read_text().splitlines()))
    assert [row["address"] for row in rows] == ["", "", "", "1 Old Road", ""]


def test_a_duty_is_counted_by_the_rule_of_its_day_and_the_general_calendar(tmp_path):
    file = tmp_path / "pages.toml"
    file.write_text(
        "[calendar]\nclosed = [2025-01-08]\n"
        '[[clocks.consent]]\nschool_days = -1\nsource = "no duty yet"\n'
        '[[clocks.consent]]\nschool_days = 3\nsource = "in force"\nsince = 2025-01-06\n'
    )
    settings = PageSettings.load(file)
    assert settings.due_on("consent", date(2025, 1, 5)) is None
    assert settings.due_on("consent", date(2025, 1, 6)) == date(2025, 1, 10), "the 8th is closed"
    assert settings.due_on("part_time_review", DAY) == DAY


def test_no_rule_that_is_not_known_to_be_in_force_starts_a_duty():
    """Section 434A needs regulations: consent is recorded, and no duty runs until an authority adds the rule."""
    settings = PageSettings.load(None)
    assert settings.due_on("consent", date.today()) is None
    for kind in ("home_education", "consent", "part_time_review"):
        source = settings.source(kind, date.today())
        assert any(words in source for words in ("own aim", "look up at legislation.gov.uk")), kind

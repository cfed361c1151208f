"""Records for the register of children not in school: what they start and stop, who sees them, and what is exported and erased."""

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from histories.calendar import london_today
from histories.errors import Faults
from serving.casework import Gathered
from serving.cli.main import onroll
from serving.pages.case_forms import changing
from serving.pages.settings import PageSettings
from serving.store import Caller, Conflict, NotThere, Store
from serving.store.caller import command_line
from serving.store.cases import cases, casework, not_in_school
from serving.store.cases.casework_tables import StoredDeadline
from serving.store.cases.hand_over import hand_over
from serving.store.cases.tables import CaseEntry
from serving.store.database import reading
from serving.store.records.erasure import erase
from serving.store.records.subject_access import held_on
from serving.store.records.timeline import timeline
from serving.store.scores import week_list
from tests.support.acting import do, look
from tests.support.databases import KEY
from tests.support.scores import score

ANN, FAR = Caller("token:ann", "worker", "801", ("10001",)), Caller("token:far", "lead", "802")
DAY, DUE, LATER = date(2025, 2, 3), date(2025, 2, 17), date(2025, 3, 3)
RECORDS = {
    "home_education": {"code": "parent", "due_on": DUE},
    "part_time": {"code": "agreed", "review_on": DUE, "due_on": DUE},
    "consent": {"code": "special_school", "due_on": DUE},
    "earlier_address": {"text": "1 Old Road"},
    "destination": {"code": "school"},
}


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
    later = Gathered(as_of=london_today() + timedelta(days=90), authorities=frozenset(["801"]))
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


def start_destination(store, *days):
    """Let the duty to find out where p1 has gone run from some days."""
    duty = {"pupil_id": "p1", "kind": "destination", "urn": "10001", "due_on": DUE}
    who = {"as_of": DAY, "version": 1, "changed_by": "x", "changed_at": look(store, ANN, lambda v: v.now)}
    with store.engine.begin() as connection:
        for day in days:
            row = {"clock_id": f"{day:%Y%m%d}".ljust(32, "c"), "started_on": day, **duty, **who}
            connection.execute(sa.insert(StoredDeadline), row)


def started(store):
    return sorted(d["started_on"] for d in look(store, ANN, casework.deadlines))


def test_a_wrong_destination_starts_only_the_newest_duty_again(opened):
    store, case_id = opened
    long_ago, between = DAY - timedelta(days=365), DAY + timedelta(days=7)
    start_destination(store, long_ago)
    version = do(store, ANN, not_in_school.record, case_id, 1, kind="destination", on=long_ago, code="school")
    start_destination(store, DAY)
    version = do(store, ANN, not_in_school.record, case_id, version, kind="destination", on=DAY, code="school")
    assert started(store) == []
    version = do(store, ANN, not_in_school.record, case_id, version, kind="destination", on=DUE, code="not_so")
    assert started(store) == [DAY], "the duty of the year before was done"
    start_destination(store, between)
    version = do(store, ANN, not_in_school.record, case_id, version, kind="destination", on=DUE, code="school")
    start_destination(store, DUE)
    (newest,) = look(store, ANN, casework.deadlines)
    do(store, ANN, casework.stop, newest["clock_id"], newest["version"], "found")
    do(store, ANN, not_in_school.record, case_id, version, kind="destination", on=DUE, code="not_so")
    assert started(store) == [], "a person stopped the newest"


@pytest.mark.parametrize("kind", ["consent", "destination"])
def test_a_form_from_before_a_duty_was_stopped_and_started_again_is_refused(opened, kind):
    store, case_id = opened
    version = 1
    if kind == "destination":
        start_destination(store, DAY)
        moves = [("school", DAY), ("not_so", DUE)]
    else:
        version = do(store, ANN, not_in_school.record, case_id, 1, kind=kind, on=DAY, **RECORDS[kind])
        moves = [("given", DUE), (RECORDS[kind]["code"], DAY)]
    (stale,) = look(store, ANN, casework.deadlines)
    for code, on in moves:
        version = do(store, ANN, not_in_school.record, case_id, version, kind=kind, on=on, code=code, due_on=DUE)
    (fresh,) = look(store, ANN, casework.deadlines)
    assert fresh["clock_id"] == stale["clock_id"]
    with pytest.raises(Conflict):
        do(store, ANN, casework.stop, stale["clock_id"], stale["version"], "by an old form")
    do(store, ANN, casework.stop, fresh["clock_id"], fresh["version"], "by the new form")
    assert running(store) == {}


def test_a_confirmed_destination_stops_its_duty_until_it_turns_out_wrong(opened):
    store, case_id = opened
    start_destination(store, DAY)
    version = do(store, ANN, not_in_school.record, case_id, 1, kind="destination", on=DAY, code="school")
    assert running(store) == {}
    assert look(store, ANN, not_in_school.with_destination, {"p1": DAY, "p2": DAY}) == {"p1": DAY}
    do(store, ANN, not_in_school.record, case_id, version, kind="destination", on=DUE, code="not_so")
    assert running(store) == {"destination": (DAY, DUE)}
    assert look(store, ANN, not_in_school.with_destination, {"p1": DAY}) == {}


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
    assert look(store, FAR, not_in_school.with_destination, {"p1": DAY}) == {}


def begun_in_both(store, case_id, kind):
    """Let 801 record a kind for p1, p1 move to 802, and 802 open a case of its own; return that case."""
    do(store, ANN, not_in_school.record, case_id, 1, kind=kind, on=DAY, **RECORDS[kind])
    store.save([{**score("p1", 1, day="2025-04-28"), "authority": "802", "urn": "20001"}])
    with reading(store.engine) as connection:
        ref = connection.scalar(sa.text("SELECT pupil_ref FROM pupils WHERE pupil_id = 'p1'"))
    return do(store, FAR, cases.open_case, ref)


@pytest.mark.parametrize("kind", ["home_education", "part_time", "consent"])
def test_a_second_authority_with_its_own_case_neither_sees_nor_moves_the_duty_of_the_first(opened, kind):
    store, case_id = opened
    own, duty = begun_in_both(store, case_id, kind), not_in_school.DUTIES[kind]
    (first,) = look(store, command_line(), casework.deadlines)
    with pytest.raises(NotThere):
        do(store, FAR, casework.stop, first["clock_id"], first["version"], "not ours")
    later = {**RECORDS[kind], "review_on": LATER, "due_on": LATER}
    version = 1
    for on, code, shown in (
        (DAY, not_in_school.ENDS[kind][0], {}),  # on the day on which the other began
        (DUE, RECORDS[kind]["code"], {duty: (DUE, LATER)}),
        (DUE, not_in_school.ENDS[kind][0], {}),
    ):
        version = do(store, FAR, not_in_school.record, own, version, kind=kind, on=on, **{**later, "code": code})
        assert running(store, FAR) == shown
        listed = look(store, FAR, week_list.next_deadlines, ["p1"])
        assert {pupil: row["due_on"] for pupil, row in listed.items()} == dict.fromkeys(["p1"] if shown else [], LATER)
        assert {row["duty_due_on"] for row in look(store, FAR, not_in_school.rows)} <= {None, LATER}
        all_running = look(store, command_line(), casework.deadlines)
        assert first in all_running, "the duty of 801 runs on as it was"


@pytest.mark.parametrize("kind", ["home_education", "part_time", "consent"])
def test_two_authorities_that_record_the_same_kind_on_the_same_day_have_a_duty_each(opened, kind):
    """Before, they shared one row: each moved, stopped and saw the other's."""
    store, case_id = opened
    own = begun_in_both(store, case_id, kind)
    (first,) = look(store, command_line(), casework.deadlines)
    do(store, FAR, not_in_school.record, own, 1, kind=kind, on=DAY, **RECORDS[kind] | {"due_on": LATER})
    (theirs,) = look(store, FAR, casework.deadlines)
    assert (theirs["case_id"], theirs["started_on"], theirs["due_on"]) == (own, DAY, LATER)
    assert first in look(store, command_line(), casework.deadlines), "the duty of 801 is as it was"
    do(store, FAR, casework.stop, theirs["clock_id"], theirs["version"], "seen")
    assert look(store, command_line(), casework.deadlines) == [first]


def test_a_new_case_of_the_same_authority_moves_the_duty_of_its_closed_case(opened):
    store, case_id = opened
    version = do(store, ANN, not_in_school.record, case_id, 1, kind="consent", on=DAY, **RECORDS["consent"])
    do(store, ANN, cases.close, case_id, version, "done")
    with reading(store.engine) as connection:
        ref = connection.scalar(sa.text("SELECT pupil_ref FROM pupils WHERE pupil_id = 'p1'"))
    again = do(store, ANN, cases.open_case, ref)
    assert running(store) == {"consent": (DAY, DUE)}
    do(store, ANN, not_in_school.record, again, 1, kind="consent", on=DUE, code="given")
    assert running(store) == {}


def test_a_duty_comes_with_the_case_that_is_handed_over(opened):
    store, case_id = opened
    version = do(store, ANN, not_in_school.record, case_id, 1, kind="consent", on=DAY, **RECORDS["consent"])
    store.save([{**score("p1", 1, day="2025-04-28"), "authority": "802", "urn": "20001"}])
    assert running(store, FAR) == {}
    version = do(store, Caller("token:lea", "lead", "801"), hand_over, case_id, version, "parent")
    assert running(store, FAR) == {"consent": (DAY, DUE)}
    do(store, FAR, not_in_school.record, case_id, version, kind="consent", on=DUE, code="given")
    assert running(store, FAR) == {}


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


@pytest.mark.parametrize("kind", not_in_school.RECORDS)
def test_a_record_may_be_as_old_as_a_childhood_and_no_older(opened, kind):
    store, _ = opened
    context = SimpleNamespace(settings=PageSettings.load(None))
    with reading(store.engine) as connection:
        ref = connection.scalar(sa.text("SELECT pupil_ref FROM pupils WHERE pupil_id = 'p1'"))
    fields = {"code": RECORDS[kind].get("code", ""), "text": "1 Old Road", "review": str(london_today())}
    for version, days in enumerate((548, 2 * 366, 18 * 366), 1):
        written = {**fields, "version": str(version), "on": str(london_today() - timedelta(days=days))}
        do(store, ANN, changing(context, ref, kind, written))
    assert len(look(store, ANN, not_in_school.records, "p1")) == 3
    for on in (london_today() - timedelta(days=20 * 366), london_today() + timedelta(days=1)):
        with pytest.raises(Faults) as refused:
            do(store, ANN, changing(context, ref, kind, {**fields, "version": "4", "on": str(on)}))
        assert [fault.where for fault in refused.value.faults] == ["on"]


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
    assert settings.due_on("consent", london_today()) is None
    for kind in ("home_education", "consent", "part_time_review"):
        source = settings.source(kind, london_today())
        assert any(words in source for words in ("own aim", "look up at legislation.gov.uk")), kind

"""A child on no roll is shown where the child lives; the last school's authority sees what that school owes it, and no more.

Before, the authority of the last school had the child, and the one whose duty it is (Education Act 1996, section 436A) never learnt of it.
"""

import html
import re
from datetime import date
from types import SimpleNamespace
from typing import get_args

import pytest
import sqlalchemy as sa

from histories.reading.histories import Histories
from serving.casework.no_roll import KINDS
from serving.pages.settings import ClockKind, PageSettings
from serving.store import Caller
from serving.store.audit.audit_log import entries
from serving.store.caller import command_line
from serving.store.cases import cases, casework, due_list, no_roll
from serving.store.cases.not_in_school import DUTIES, OF_RECORDS
from serving.store.database import reading, writing
from serving.store.scores import boards, week_list
from serving.store.scores.own_schools import own_schools
from serving.store.tables import Pupil
from tests.support.forms import submit
from tests.support.scores import full_score

DAY = date(2025, 3, 10)
SPELL = {"urn": "100", "entry_date": "2020-09-02"}
LEFT = SPELL | {"leaving_date": "2025-02-20", "leaving_recorded_on": "2025-02-21"}
OF_SCHOOL = {
    "deletion_return",
    "transfer_file",
    "unauthorised_10",
    "unauthorised_20",
    "sickness_15",
    "home_not_told",
}
CALLERS = {
    "former": Caller("dev:worker", "worker", "801"),
    "its school": Caller("x", "worker", "801", ("100",)),
    "home": Caller("dev:worker-2", "worker", "802"),
    "another school": Caller("x", "worker", "801", ("101",)),
    "a school of the home": Caller("x", "worker", "802", ("200",)),
    "a third": Caller("x", "lead", "803"),
    "analyst": Caller("x", "analyst", "801"),
    "analyst of the home": Caller("x", "analyst", "802"),
}

NOBODY = {name: set() for name in CALLERS}


def score_on(store, child, day, *, home="802", spells=(LEFT,), authorities=("801",)):
    """Store what a scoring of some authorities' children stores of a child and of one at a school of each."""
    there = [{"pupil_id": f"at {a}", "urn": f"{int(a) - 800}00", "entry_date": "2020-09-02"} for a in authorities]
    born = {"date_of_birth": "2013-05-01"}
    rows = {
        "pupils": [
            {"pupil_id": child, "authority": home, **born},
            *({"pupil_id": f"at {a}", "authority": a, **born} for a in authorities),
        ],
        "enrolments": [*({"pupil_id": child, **spell} for spell in spells), *there],
        "schools": [{"urn": f"{n}00", "phase": "secondary", "authority": f"80{n}"} for n in (1, 2)],
    }
    listed = [
        SimpleNamespace(pupil_id=f"at {a}", as_of=day, rank=1, authority=a, model_version="1") for a in authorities
    ]
    store.keep(Histories.from_rows(rows), listed, PageSettings.load(None).rules(), ())


@pytest.fixture
def elsewhere(staffed):
    """A child who left a school of 801 for nobody knows where, and lives in 802."""
    score_on(staffed.store, staffed.child, DAY)
    return staffed


def place_of(staffed):
    with reading(staffed.store.engine) as connection:
        return connection.execute(sa.select(Pupil.__table__).where(Pupil.pupil_id == staffed.child)).mappings().one()


def groups_of(store, caller, child):
    with store.view(caller) as view:
        counts = no_roll.counts(view)
        parts = {group: no_roll.part(view, group, 9).rows for group in (*KINDS, no_roll.ELSEWHERE)}
        to_tell = no_roll.to_tell(view, [child])
        view.record("test")
    shown = {group for group, rows in parts.items() if child in {row["pupil_id"] for row in rows}}
    assert shown == {group for group, n in counts.items() if n}
    assert bool(to_tell) == (no_roll.ELSEWHERE in shown)
    return shown


def duties_of(store, caller, child):
    """Return the kinds of the child's duties that a caller meets, and that they are the same wherever duties are read."""
    with store.view(caller) as view:
        running = [d for d in casework.deadlines(view) if d["pupil_id"] == child]
        listed = [d for group in due_list.GROUPS for d in due_list.part(view, group, DAY, 99).rows]
        counted = sum(due_list.counts(view, DAY).values())
        soonest = week_list.next_deadlines(view, [child])
    kinds = {d["kind"] for d in running}
    assert {d["kind"] for d in listed if d["pupil_id"] == child} == kinds
    assert counted == len(listed)
    assert bool(soonest) == bool(kinds)
    return kinds


def test_each_authority_sees_its_part_of_the_child_and_nobody_else_any(elsewhere):
    shown = {name: groups_of(elsewhere.store, caller, elsewhere.child) for name, caller in CALLERS.items()}
    assert shown == {
        **NOBODY,
        "former": {"elsewhere"},
        "its school": {"elsewhere"},
        "home": {"left"},
    }


def test_each_kind_of_duty_is_one_authoritys_alone(elsewhere):
    with writing(elsewhere.store.engine) as connection:
        table = casework.StoredDeadline.__table__
        row = dict(connection.execute(sa.select(table)).mappings().first())
        connection.execute(sa.delete(table))
        for kind in get_args(ClockKind):
            connection.execute(sa.insert(table), {**row, "kind": kind, "clock_id": f"{kind:.32}"})
    of_cases = {DUTIES[kind] for kind in OF_RECORDS}  # seen with the case of the record that began them
    met = {name: duties_of(elsewhere.store, caller, elsewhere.child) for name, caller in CALLERS.items()}
    home = set(get_args(ClockKind)) - OF_SCHOOL - of_cases
    assert met == {**NOBODY, "former": OF_SCHOOL, "its school": OF_SCHOOL, "home": home}


def test_a_duty_is_done_by_whom_it_is_shown_and_by_nobody_else(elsewhere):
    with elsewhere.store.view(command_line()) as view:
        duties = {d["kind"]: d for d in casework.deadlines(view)}
    assert {"deletion_return", "home_not_told", "destination", "case_not_opened"} <= duties.keys()
    users = {"former": elsewhere.visit("worker"), "home": elsewhere.visit("worker-2")}
    for kind, duty in duties.items():
        mine, other = ("former", "home") if kind in OF_SCHOOL else ("home", "former")
        done = {"version": str(duty["version"]), "text": "rang"}
        assert submit(users[other], "/about", f"/clocks/{duty['clock_id']}", **done).status_code == 404, kind
        assert submit(users[mine], "/about", f"/clocks/{duty['clock_id']}", **done).status_code == 303, kind


def test_the_home_is_shown_who_and_what_next_and_opens_the_case(elsewhere):
    worker = elsewhere.visit("worker-2")
    page = html.unescape(worker.get("/no-roll").text)
    assert "Left a school, and nobody knows where the child is (1)" in page
    assert (
        "Off roll since 20 February 2025. Last school: 100. The last school is one of authority 801: ask the team there"
        in page
    )
    assert submit(worker, "/no-roll", f"/no-roll/{elsewhere.path.rpartition('/')[2]}").status_code == 303
    assert worker.get(elsewhere.path).status_code == 200


def test_the_last_schools_authority_is_told_where_the_child_lives_and_reads_nothing_else(elsewhere):
    worker = elsewhere.visit("worker")
    for address in ("/no-roll", "/clocks"):
        page = worker.get(address).text
        assert "Lives in authority 802." in page, address
        assert elsewhere.path not in page, "the page of the child is not theirs to open"
    assert "The team of that area looks for the child." in worker.get("/no-roll").text
    assert worker.get(elsewhere.path).status_code == 404
    ref = elsewhere.path.rpartition("/")[2]
    assert submit(worker, "/about", f"/no-roll/{ref}").status_code == 404
    assert submit(worker, "/about", f"{elsewhere.path}/note", version="0", text="n").status_code == 404
    assert elsewhere.child not in worker.get("/transition").text


def test_who_saw_the_child_is_in_the_audit_of_either(elsewhere):
    for user in ("worker", "worker-2"):
        elsewhere.visit(user).get("/no-roll")
    with elsewhere.store.view(command_line()) as view:
        seen = {e["who"]: len(e["pupils"]) for e in entries(view, action="no_roll.seen")}
        view.record("audit.seen")
    assert seen == {"dev:worker": 1, "dev:worker-2": 1}


def by_saying_so(staffed):
    worker = staffed.visit("worker")
    form = re.search(r'action="(/clocks/\w+)".*?name="version" value="(\d+)"', worker.get("/no-roll").text, re.DOTALL)
    assert submit(worker, "/no-roll", form[1], version=form[2], text="rang their team").status_code == 303


def by_a_case_of_the_home(staffed):
    worker = staffed.visit("worker-2")
    assert submit(worker, "/no-roll", f"/no-roll/{staffed.path.rpartition('/')[2]}").status_code == 303


@pytest.mark.parametrize("told", [by_saying_so, by_a_case_of_the_home])
def test_the_line_stays_until_the_home_knows_and_the_return_until_it_is_there(elsewhere, told):
    score_on(elsewhere.store, elsewhere.child, date(2025, 3, 17))
    assert groups_of(elsewhere.store, CALLERS["former"], elsewhere.child) == {"elsewhere"}
    told(elsewhere)
    for day in (date(2025, 3, 17), date(2025, 3, 24)):
        score_on(elsewhere.store, elsewhere.child, day)
        assert groups_of(elsewhere.store, CALLERS["former"], elsewhere.child) == set()
        assert duties_of(elsewhere.store, CALLERS["former"], elsewhere.child) == {"deletion_return", "transfer_file"}
        assert groups_of(elsewhere.store, CALLERS["home"], elsewhere.child) == {"left"}


def test_a_case_of_the_last_schools_authority_is_named_there_and_stays_unread_until_it_is_handed_over(staffed):
    worker = staffed.visit("worker")
    assert submit(worker, staffed.path, f"{staffed.path}/note", version="0", text="the aunt knows").status_code == 303
    score_on(staffed.store, staffed.child, DAY)
    assert "The lead can hand the case over" in worker.get("/no-roll").text
    assert "the aunt knows" not in staffed.visit("worker-2").get(staffed.path).text
    with staffed.store.view(CALLERS["former"]) as view:
        (case,) = cases.cases(view)
    form = f"/cases/{case['case_id']}/hand-over"
    handed = submit(staffed.visit("lead"), "/team", form, version=str(case["version"]), consent="parent")
    assert handed.status_code == 303
    assert groups_of(staffed.store, CALLERS["former"], staffed.child) == set()
    assert "the aunt knows" in staffed.visit("worker-2").get(staffed.path).text


@pytest.mark.parametrize(
    "now",
    [
        {"home": "801"},
        {"home": "803"},
        {"spells": [LEFT, {"urn": "200", "entry_date": "2025-03-12"}]},
        {"spells": [LEFT, {"urn": "100", "entry_date": "2025-03-12"}]},
        {"spells": [LEFT | {"destination": "abroad"}]},
    ],
    ids=["the home was wrong", "moved on", "at a school of the home", "back at the school", "found abroad"],
)
def test_what_no_longer_holds_is_shown_to_nobody_any_more(elsewhere, now):
    score_on(elsewhere.store, elsewhere.child, date(2025, 3, 17), **now)
    shown = {name: groups_of(elsewhere.store, caller, elsewhere.child) for name, caller in CALLERS.items()}
    told_of = "home_not_told" in duties_of(elsewhere.store, CALLERS["former"], elsewhere.child)
    assert told_of == ("elsewhere" in shown["former"])
    homes = {"801": {"former": {"left"}, "its school": {"left"}}}
    homes["803"] = {"former": {"elsewhere"}, "its school": {"elsewhere"}, "a third": {"left"}}
    assert shown == {**NOBODY, **homes.get(now.get("home"), {})}
    left_from = {"801": None, "803": "801"}.get(now.get("home"), None if len(now.get("spells", ())) > 1 else "801")
    assert place_of(elsewhere)["left_from"] == left_from


def test_figures_count_the_child_where_the_list_was_made_and_name_no_school_of_another_authority(staffed):
    staffed.store.save([full_score("at 802", "802", "200")])
    score_on(staffed.store, staffed.child, DAY, spells=(LEFT | {"destination": "missing_education"},))
    missing, schools = {}, {}
    for name in ("former", "home"):
        with staffed.store.view(CALLERS[name]) as view:
            outcome = boards.list_outcome(view, 8, [], DAY)
            missing[name], schools[name] = outcome.missing + outcome.unlisted, own_schools(view)
    assert missing == {"former": 1, "home": 0}
    assert schools == {"former": [], "home": ["200"]}


def test_records_that_know_no_school_of_the_child_take_nothing_from_those_that_do(elsewhere):
    score_on(elsewhere.store, elsewhere.child, date(2025, 3, 17), spells=(), authorities=("802",))
    assert groups_of(elsewhere.store, CALLERS["former"], elsewhere.child) == {"elsewhere"}
    assert groups_of(elsewhere.store, CALLERS["home"], elsewhere.child) == {"left"}
    place = place_of(elsewhere)
    assert (place["authority"], place["left_from"], place["urn"]) == ("802", "801", "100")


def test_a_home_is_followed_also_long_after_the_last_school_when_nothing_is_due_any_more(elsewhere):
    with elsewhere.store.change(command_line()) as change:
        for duty in casework.deadlines(change):
            casework.stop(change, duty["clock_id"], duty["version"], "rang")
    score_on(elsewhere.store, elsewhere.child, date(2026, 3, 9), home="803")
    assert place_of(elsewhere)["authority"] == "803"
    assert groups_of(elsewhere.store, CALLERS["a third"], elsewhere.child) == {"none"}

"""A child who moves to another authority does not take the case along; handing it over is an act with consent.

Before, the new authority read the notes of the old one.
"""

import re
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from histories.calendar import london_today
from serving.store import Caller, NotThere
from serving.store.audit.audit_log import entries
from serving.store.caller import command_line
from serving.store.cases import cases, casework, doubts, due_list, enquiries, not_in_school, silence
from serving.store.cases.actions import export
from serving.store.cases.casework_tables import StoredDeadline, StoredHistory, StoredSilence
from serving.store.cases.tables import Case
from serving.store.database import reading, writing
from serving.store.parts import Position
from serving.store.scores import week_list
from serving.store.scores.chosen import Chosen
from serving.store.scores.stored_scores import newest_list
from serving.store.scores.tops import top_of
from serving.store.scores.week_list import week
from tests.support.forms import submit
from tests.support.scores import full_score

NOTE = "The aunt in Mill Lane knows where they are"
OLD, NEW = Caller("dev:lead", "lead", "801"), Caller("dev:lead-2", "lead", "802")
NEW_ANALYST = Caller("dev:cat", "analyst", "802")


@pytest.fixture
def moved(staffed):
    """A child with a case and a doubt in 801 who has moved to 802."""
    worker = staffed.visit("worker")
    assert submit(worker, staffed.path, f"{staffed.path}/note", version="0", text=NOTE).status_code == 303
    doubt = {"version": "2", "table": "sen", "reason": "not_so", "text": NOTE}
    assert submit(worker, staffed.path, f"{staffed.path}/doubt", **doubt).status_code == 303
    staffed.store.save([{**full_score(staffed.child, "802", "200"), "as_of": "2025-02-10"}])
    with reading(staffed.store.engine) as connection:
        staffed.case = {"case_id": connection.scalar(sa.select(Case.case_id))}
    staffed.form = f"/cases/{staffed.case['case_id']}/hand-over"
    return staffed


@pytest.fixture
def old_duty(moved):
    """The duty that a record in the case of 801 began, which nobody in 802 knows of."""
    begun = {"kind": "home_education", "code": "parent", "on": date(2021, 2, 2), "due_on": date(2031, 3, 3)}
    with moved.store.change(OLD) as change:
        not_in_school.record(change, moved.case["case_id"], 3, **begun)
    with moved.store.view(command_line()) as view:
        (duty,) = casework.deadlines(view)
    return duty


@pytest.fixture
def new_duty(moved):
    """A duty of the child's new place, which concerns nobody in 801; the old list of 801 still shows the child."""
    fields = {"clock_id": "c" * 32, "pupil_id": moved.child, "kind": "unauthorised_20", "urn": "900", "case_id": ""}
    days = {"started_on": date(2021, 1, 20), "due_on": date(2021, 2, 1), "as_of": date(2025, 2, 10)}
    with writing(moved.store.engine) as connection:
        changed = {"version": 1, "changed_at": datetime.now(UTC), "changed_by": "service"}
        connection.execute(sa.insert(StoredDeadline), {**fields, **days, **changed})
    return days


def due(view, caller, child):
    """Return what each reader of duties says of a child."""
    today, position = date(2025, 2, 11), Position("c" * 32)
    return {
        "next": week_list.next_deadlines(view, [child]),
        "list": [c.clock for c in week(view, Chosen(), 20, today).children if c.pupil_id == child and c.clock],
        "all": casework.deadlines(view),
        "counts": sum(due_list.counts(view, today).values()),
        "part": due_list.part(view, "late", today, 5, position).rows,
        "asked": enquiries.asked_since(view, [child])[child] == date(2021, 1, 20),
    }


def test_a_duty_of_the_childs_new_place_is_not_shown_to_the_old_one(moved, new_duty):
    """Before, the old authority's list said when the new one's duty is due."""
    with moved.store.view(OLD) as view:
        seen = due(view, OLD, moved.child)
    assert not any(seen.values()), seen
    with moved.store.view(NEW) as view:
        seen = due(view, NEW, moved.child)
    assert all(value for name, value in seen.items() if name != "list"), seen


def test_the_old_list_says_nothing_of_the_childs_new_place(moved):
    """Before, the list of the authority that the child had left showed the records and the silent register of the new one."""
    day = date(2025, 2, 10)
    with writing(moved.store.engine) as connection:
        connection.execute(sa.insert(StoredHistory), {"pupil_id": moved.child, "as_of": day, "body": '{"new": 1}'})
        gone = {"pupil_id": moved.child, "as_of": day, "since": date(2025, 1, 6), "days": 20}
        connection.execute(sa.insert(StoredSilence), gone)
    for caller, said in ((OLD, False), (NEW, True)):
        with moved.store.view(caller) as view:
            (child,) = week(view, Chosen(), 20, day).children
            assert child.pupil_id == moved.child
            assert (bool(child.history), bool(child.silent)) == (said, said), caller
            silent = [c.pupil_id for c in week(view, Chosen(show="silent"), 20, day).children]
            assert len(silent) == silence.count(view, newest_list(view)) == int(said)


def seen_by(store, caller):
    with store.view(caller) as view:
        return str([cases.cases(view), cases.cases(view, closed=True), doubts.faults(view)])


def test_the_new_authority_does_not_read_the_old_ones_case(moved, tmp_path):
    page = moved.visit("worker-2").get(moved.path)
    assert page.status_code == 200
    assert NOTE not in page.text
    assert 'name="version" value="0"' in page.text, "no case is open, as far as they can tell"
    assert seen_by(moved.store, NEW) == seen_by(moved.store, NEW_ANALYST) == "[[], [], []]"
    with pytest.raises(NotThere), moved.store.view(NEW) as view:
        cases.case(view, moved.case["case_id"])
    with pytest.raises(NotThere), moved.store.change(NEW) as change:
        cases.note(change, moved.case["case_id"], 3, "mine")
    with moved.store.view(NEW) as view:
        assert export(view, tmp_path / "actions.parquet", no_conversation=()) == 0


def test_the_new_authority_opens_its_own_case_which_the_old_one_does_not_read(moved):
    worker = moved.visit("worker-2")
    assert submit(worker, moved.path, f"{moved.path}/note", version="0", text="ours").status_code == 303
    assert "ours" in worker.get(moved.path).text
    assert "ours" not in seen_by(moved.store, OLD)
    lead = moved.visit("lead")
    assert submit(lead, "/team", moved.form, version="3", consent="parent").status_code == 409


def test_the_new_authority_with_its_own_case_learns_of_no_duty_that_the_old_one_began(moved, old_duty):
    worker = moved.visit("worker-2")
    assert submit(worker, moved.path, f"{moved.path}/note", version="0", text="ours").status_code == 303
    shown = re.compile(f"Taught at home: look at it|2 February 2021|3 March 2031|{old_duty['clock_id']}")
    for page in ("/clocks", moved.path, "/work-list", "/work-list.csv", "/no-roll", "/transition"):
        answer = worker.get(page)
        assert answer.status_code == 200
        assert not shown.search(answer.text), page
    done = {"version": str(old_duty["version"]), "text": "done"}
    assert submit(worker, "/about", f"/clocks/{old_duty['clock_id']}", **done).status_code == 404
    own = {"version": "2", "code": "on_register", "on": str(london_today())}
    assert submit(worker, moved.path, f"{moved.path}/home_education", **own).status_code == 303
    with moved.store.view(command_line()) as view:
        assert [d["clock_id"] for d in casework.deadlines(view)] == [old_duty["clock_id"]], "it runs on"
    lead = moved.visit("lead")
    assert submit(lead, "/team", moved.form, version="4", consent="parent").status_code == 409


def test_the_old_authority_keeps_its_case_and_does_not_see_the_new_school(moved):
    assert moved.visit("worker").get(moved.path).status_code == 404
    with moved.store.view(OLD) as view:
        kept = cases.case(view, moved.case["case_id"])
        doubted = doubts.faults(view)
    assert (kept["authority"], kept["urn"]) == ("801", None)
    assert [d["urn"] for d in doubted] == [None]
    assert NOTE in str(kept["entries"])


def test_a_hand_over_needs_a_lead_and_a_consent_and_is_in_the_audit(moved):
    lead, other = moved.visit("lead"), moved.visit("lead-2")
    assert moved.child in lead.get("/team").text
    assert moved.child not in other.get("/team").text
    assert submit(moved.visit("worker"), "/about", moved.form, version="3", consent="parent").status_code == 403
    assert submit(other, "/team", moved.form, version="3", consent="parent").status_code == 404
    assert submit(lead, "/team", moved.form, version="3", consent="").status_code == 422
    assert submit(lead, "/team", moved.form, version="2", consent="parent").status_code == 409
    assert submit(lead, "/team", moved.form, version="3", consent="parent").status_code == 303
    page = moved.visit("worker-2").get(moved.path).text
    assert NOTE in page
    assert "Came from another authority:" in page
    assert seen_by(moved.store, OLD) == "[[], [], []]"
    assert moved.child not in lead.get("/team").text
    with moved.store.view(command_line()) as view:
        (entry,) = entries(view, action="case.given_to")
        view.record("audit.seen")
    assert (entry["who"], entry["details"]["before"], entry["details"]["now"]) == ("dev:lead", "801", "802")
    assert entry["details"]["consent"] == "parent"
    assert re.fullmatch(r"[0-9a-f]{24}", entry["pupils"][0])


def test_a_hand_over_is_in_the_audit_of_both_authorities(moved):
    """Before, the new authority's part of the audit did not say how it came by the case."""
    assert submit(moved.visit("lead"), "/team", moved.form, version="3", consent="parent").status_code == 303
    with moved.store.view(command_line()) as view:
        of = {a: list(entries(view, action="case", authority=a)) for a in ("801", "802")}
        view.record("audit.seen")
    (came,) = of["802"]
    (gave,) = (e for e in of["801"] if e["action"] == "case.given_to")
    assert came["action"] == "case.given_by"
    assert (came["who"], came["pupils"], came["details"]) == (gave["who"], gave["pupils"], gave["details"])


@pytest.mark.parametrize("put_off", ["dismissed", "snoozed"])
def test_the_new_authority_decides_anew_whom_its_list_shows(moved, put_off):
    case_id = moved.case["case_id"]
    with moved.store.change(OLD) as change:
        if put_off == "dismissed":
            cases.dismiss(change, case_id, 3, "moved")
        else:
            cases.snooze(change, case_id, 3, date(2999, 1, 1))
    lead = moved.visit("lead")
    assert submit(lead, "/team", moved.form, version="4", consent="parent").status_code == 303
    with moved.store.view(NEW) as view:
        case = cases.case(view, case_id)
        assert (case["dismissed_why"], case["snoozed_until"]) == (None, None)
        newest = newest_list(view)
        assert [row.pupil_id for row in top_of(view, newest, 8)] == [moved.child]
        assert [c.pupil_id for c in week(view, Chosen(), 8, london_today()).children] == [moved.child]


def test_a_case_whose_child_has_not_moved_is_not_handed_over(staffed):
    lead = staffed.visit("lead")
    submit(lead, staffed.path, f"{staffed.path}/note", version="0", text=NOTE)
    with staffed.store.view(OLD) as view:
        (case,) = cases.cases(view)
    sent = submit(lead, "/team", f"/cases/{case['case_id']}/hand-over", version="2", consent="parent")
    assert sent.status_code == 422

"""Duties from Monday to Monday: each runs until records show that it is done or never arose, or a person says what was done."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from serving.pages.wording import Wording
from serving.store import Caller
from serving.store.cases import cases, casework, due_list, hand_over
from serving.store.database import reading, writing
from serving.store.tables import Pupil
from tests.support.scored_mondays import FIRST, LEAD, LEFT, NEXT, RULES, SPELL, back, kinds, register, running, score_on

WORDS = Wording.load("en")
OF_LEAVERS = {"deletion_return", "destination", "transfer_file", "case_not_opened"}


@pytest.mark.parametrize(
    ("code", "shown", "kind"), [("O", 5, "unauthorised_10"), ("O", 16, "unauthorised_20"), ("I", 12, "sickness_15")]
)
def test_a_run_that_ended_before_its_day_leaves_no_duty(store, code, shown, kind):
    away = {code: (back(FIRST, shown), FIRST)}
    score_on(store, FIRST, attendance=register(FIRST, **away))
    assert kind in kinds(store)
    later = FIRST + timedelta(weeks=3)  # the duty's day has passed
    score_on(store, later, attendance=register(later, **away))
    assert kind not in kinds(store), "the child came back before the day was reached"


def test_a_run_that_ended_before_the_holidays_leaves_no_duty_after_them(store):
    away = {"O": (date(2025, 7, 17), date(2025, 7, 22))}
    for day in (date(2025, 7, 23), date(2025, 8, 18)):
        score_on(store, day, attendance=register(day, **away))
        assert kinds(store) == {"unauthorised_10"}, "in the holidays the run goes on"
    day = date(2025, 9, 29)
    score_on(store, day, attendance=register(day, **away))
    assert kinds(store) == set()


@pytest.mark.parametrize(
    ("code", "n", "kind"), [("O", 10, "unauthorised_10"), ("O", 20, "unauthorised_20"), ("I", 15, "sickness_15")]
)
def test_a_run_that_reached_its_day_stays_until_a_person_says_what_was_done(store, code, n, kind):
    start = back(FIRST, n - 1)
    away = {code: (start, FIRST)}
    score_on(store, FIRST, attendance=register(FIRST, **away))
    later = FIRST + timedelta(weeks=16)  # nothing in the newest weeks says anything of it
    for day in (NEXT, later):
        score_on(store, day, attendance=register(day, **away))
        assert running(store)[kind, start]["due_on"] == FIRST
    score_on(
        store,
        later + timedelta(weeks=1),
        spells=[SPELL | {"leaving_date": "2025-06-27", "destination": "abroad"}],
        attendance=register(later, **away),
    )
    assert kind in kinds(store), "leaving the roll does not say that the school told the authority"
    duty = running(store)[kind, start]
    with store.change(LEAD) as change:
        casework.stop(change, duty["clock_id"], duty["version"], "told on the day")
    score_on(store, later, attendance=register(later, **away))
    assert kind not in kinds(store)


def test_a_correction_of_the_register_ends_a_duty_and_one_about_which_it_says_nothing_stays(store):
    start = back(FIRST, 12)
    score_on(store, FIRST, attendance=register(FIRST, O=(start, FIRST)))
    assert ("unauthorised_10", start) in running(store)
    nothing = [row for row in register(NEXT) if row["date"] > str(FIRST)]
    score_on(store, NEXT, attendance=nothing)
    assert ("unauthorised_10", start) in running(store), "the histories no longer reach back so far"
    score_on(store, NEXT, attendance=register(NEXT, O=(start, FIRST), C=(start, start)))
    assert set(running(store)) == {("unauthorised_10", back(FIRST, 11))}


@pytest.mark.parametrize("code", ["Y1", "#", "/", "C"])
@pytest.mark.parametrize("n", [1, 3])
def test_a_first_day_on_which_the_child_could_not_be_missing_leaves_one_duty(store, code, n):
    start = back(FIRST, 12)
    score_on(store, FIRST, attendance=register(FIRST, O=(start, FIRST)))
    assert ("unauthorised_10", start) in running(store)
    corrected = {code: (start, back(FIRST, 13 - n))}
    score_on(store, NEXT, attendance=register(NEXT, O=(start, NEXT), **corrected))
    assert {begun for kind, begun in running(store) if kind == "unauthorised_10"} == {back(FIRST, 12 - n)}
    nothing_possible = {code: (start, NEXT)}
    score_on(store, NEXT, attendance=register(NEXT, since=start, O=(start, NEXT), **nothing_possible))
    assert kinds(store) == set()


def test_a_day_that_was_excused_is_not_counted_as_missed(store):
    start = back(FIRST, 9)
    away = {"O": (start, FIRST), "Y1": (back(FIRST, 5), back(FIRST, 2))}
    score_on(store, NEXT, attendance=register(FIRST, **away) + register(NEXT, since=FIRST, O=(FIRST, NEXT)))
    # Nine days from the start, of which four are excused, and five more: the tenth is the last of them.
    assert running(store)["unauthorised_10", start]["due_on"] == back(NEXT, 1)


def test_a_run_of_most_of_a_year_is_one_duty_with_its_true_beginning_and_done_is_done(store):
    start, weeks = date(2024, 10, 7), range(26, 47, 5)
    mondays = [start + timedelta(weeks=n) for n in weeks]
    for day in mondays:
        score_on(store, day, attendance=register(day, since=date(2024, 9, 2), O=(start, day)))
        assert set(running(store)) == {("unauthorised_10", start), ("unauthorised_20", start)}
    for duty in running(store).values():
        with store.change(LEAD) as change:
            casework.stop(change, duty["clock_id"], duty["version"], "visited")
    day = mondays[-1] + timedelta(weeks=1)
    score_on(store, day, attendance=register(day, since=date(2024, 9, 2), O=(start, day)))
    assert running(store) == {}, "what is done does not begin again"


def test_a_run_that_began_earlier_than_was_stored_replaces_what_was_stored(store):
    start = date(2024, 10, 7)
    rows = register(FIRST, since=date(2024, 9, 2), O=(start, FIRST))
    score_on(store, FIRST, attendance=rows)
    slid = start + timedelta(weeks=6)
    with writing(store.engine) as connection:
        connection.execute(
            sa.text("UPDATE clocks SET started_on = :day WHERE kind = 'unauthorised_10'"),
            {"day": str(slid) if store.engine.dialect.name == "sqlite" else slid},
        )
    score_on(store, NEXT, attendance=register(NEXT, since=date(2024, 9, 2), O=(start, NEXT)))
    assert set(running(store)) == {("unauthorised_10", start), ("unauthorised_20", start)}


def without(rows, first, last):
    return [row for row in rows if not str(first) <= row["date"] <= str(last)]


@pytest.mark.parametrize("shut", [False, True])
def test_a_day_that_has_passed_moves_no_more(store, shut):
    """The school was shut for a week: its days are counted from its marks, later by the calendar, or the marks come late."""
    closed = (date(2025, 3, 3), date(2025, 3, 7))
    days = [FIRST + timedelta(weeks=n) for n in (0, 2, 3, 20)]
    due = []
    for day in days:
        sent = [row for row in register(min(day, date(2025, 6, 2))) if row["pupil_id"] == "other"]
        late = not shut and day < days[2]
        rows = without(sent, date(2025, 2, 28), day) if late else without(sent, *closed)
        score_on(store, day, spells=[LEFT], attendance=rows)
        due.append(next(d["due_on"] for (kind, _), d in running(store).items() if kind == "destination"))
    assert due[0] == due[1] == due[2] == due[3] < days[2 if shut else 1]


def test_duties_of_a_leaver_outlast_the_year_and_the_age(store):
    for day in (FIRST, FIRST + timedelta(days=400), FIRST + timedelta(days=2000)):
        score_on(store, day, spells=[LEFT])
        assert kinds(store) == OF_LEAVERS, "no record says that anything was done"


def test_a_leaver_who_has_grown_up_left_in_a_year_group_and_is_in_none(store):
    years = (0, 1, 3, 4, 5, 8, 12)
    told = []
    for n in years:
        day = FIRST + timedelta(weeks=52 * n)
        score_on(store, day, spells=[LEFT])
        with store.view(LEAD) as view:
            view.record("test.seen")
            row = due_list.part(view, "late", day + timedelta(weeks=6), 1).rows[0]
        told.append(WORDS.year_group_then(row["nc_year"], row["placed_on"], row["left_on"]))
    assert told == ["Year 7", "Year 8", "Year 10", "Year 11", *["Left in Year 7"] * 3]


@pytest.mark.parametrize(
    ("changed", "left_over"),
    [
        ({"leaving_ground": "a"}, OF_LEAVERS - {"deletion_return"}),
        ({"destination": "missing_education"}, OF_LEAVERS),
        ({"destination": "abroad"}, {"deletion_return"}),
        ({"destination": "state_school"}, {"deletion_return", "transfer_file"}),
        ({"leaving_date": None, "leaving_recorded_on": None}, set()),
    ],
)
@pytest.mark.parametrize("after", [1, 60])
def test_a_leavers_duty_is_over_once_a_record_shows_it(store, changed, left_over, after):
    score_on(store, FIRST, spells=[LEFT])
    assert kinds(store) == OF_LEAVERS
    score_on(store, FIRST + timedelta(weeks=after), spells=[LEFT | changed])
    assert kinds(store) == left_over


def test_a_new_roll_ends_all_but_a_late_school_file(store):
    new = SPELL | {"urn": "200", "entry_date": "2025-04-01"}
    score_on(store, FIRST, spells=[LEFT])
    score_on(store, FIRST + timedelta(weeks=10), spells=[LEFT, new])
    assert kinds(store) == {"transfer_file"}, "the new school waits for the file"
    left_again = new | {"leaving_date": "2025-06-02", "leaving_ground": "a", "destination": "abroad"}
    score_on(store, FIRST + timedelta(weeks=20), spells=[LEFT, left_again])
    assert kinds(store) == {"transfer_file"}


def test_a_file_that_was_due_after_the_summer_is_not_forgotten_before(store):
    july = SPELL | {"leaving_date": "2025-07-22", "leaving_ground": "a", "destination": "other_authority"}
    for day in (date(2025, 7, 28), date(2025, 9, 22), date(2025, 10, 27)):
        score_on(store, day, spells=[july])
        assert kinds(store) == {"transfer_file"}


def test_a_duty_that_the_authority_turned_off_ends(store):
    score_on(store, FIRST, spells=[LEFT])
    off = {kind: rules for kind, rules in RULES.items() if kind not in ("transfer_file", "destination")}
    score_on(store, NEXT, spells=[LEFT], rules=off)
    assert kinds(store) == {"deletion_return", "case_not_opened"}


def opened_case(store, pupil="p", caller=LEAD):
    with reading(store.engine) as connection:
        ref = connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == pupil))
    with store.change(caller) as change:
        return cases.open_case(change, ref)


def lost(store):
    with store.view(LEAD) as view:
        view.record("test.seen")
        return casework.count_lost(view, date(2026, 1, 1))


def test_opening_a_case_ends_the_duty_to_open_one(store):
    score_on(store, FIRST, spells=[LEFT])
    assert lost(store) == 1
    case = opened_case(store)
    assert (kinds(store), lost(store)) == (OF_LEAVERS - {"case_not_opened"}, 0)
    score_on(store, NEXT, spells=[LEFT])
    with store.change(LEAD) as change:
        cases.close(change, case, 1, "nothing_more")
    score_on(store, NEXT + timedelta(weeks=1), spells=[LEFT])
    assert (kinds(store), lost(store)) == (OF_LEAVERS - {"case_not_opened"}, 0), (
        "a case was opened, and where the child is is still asked"
    )


def test_a_child_who_leaves_with_an_open_case_is_looked_for(store):
    score_on(store, date(2025, 2, 10), spells=[SPELL | {"leaving_date": "2025-02-07"}])
    opened_case(store)
    score_on(store, FIRST, spells=[LEFT])
    assert kinds(store) == OF_LEAVERS - {"case_not_opened"}


def test_the_case_of_another_authority_looks_for_nobody_until_it_is_handed_over(store):
    score_on(store, FIRST, spells=[LEFT])
    with writing(store.engine) as connection:
        connection.execute(sa.update(Pupil).where(Pupil.pupil_id == "p").values(authority="802"))
    case = opened_case(store, caller=Caller("them", "lead", "802"))
    with writing(store.engine) as connection:
        connection.execute(sa.update(Pupil).where(Pupil.pupil_id == "p").values(authority="801"))
        connection.execute(sa.text("UPDATE clocks SET stopped_at = NULL, stopped_how = NULL"))
    score_on(store, NEXT, spells=[LEFT])
    assert lost(store) == 1
    with store.change(Caller("them", "lead", "802")) as change:
        hand_over.hand_over(change, case, 1, "parent")
    assert lost(store) == 0

"""Deadlines: which duties the histories start and stop, and when each is due."""

from datetime import date, timedelta

import pytest

from histories.calendar import school_days
from histories.errors import Faults
from histories.reading.histories import Histories
from serving.casework.deadlines import find_deadlines
from serving.casework.duty import Deadline, rule_of
from serving.casework.rolls import last_spells
from serving.casework.school_days import SchoolDays
from serving.casework.transitions import find_transitions
from serving.pages.settings import PageSettings

DAY = date(2025, 3, 10)
RULES = PageSettings.load(None).rules()
PUPILS = [{"pupil_id": p, "date_of_birth": "2013-05-01", "authority": "801"} for p in "abcdef"]
OPEN = school_days(date(2025, 1, 6), DAY - timedelta(days=1))


def spell(pupil, **more):
    return {"pupil_id": pupil, "urn": "100", "entry_date": "2020-09-02", **more}


def marks(pupil, missed, code):
    """Marks of every school day, with the last ones missed."""
    days = [(d, code if d in OPEN[-missed:] and missed else "/") for d in OPEN]
    return [{"pupil_id": pupil, "date": str(d), "session": s, "code": c} for d, c in days for s in ("AM", "PM")]


def deadlines_of(*spells, rules=RULES, **tables):
    histories = Histories.from_rows({"pupils": PUPILS, "enrolments": list(spells), **tables})
    rolls = last_spells(histories, DAY)
    days = SchoolDays.of(histories, rolls, DAY, frozenset())
    due = find_deadlines(histories, rolls, DAY, days, rules).due
    return {(c.pupil_id, c.kind): (c.started_on, c.due_on) for c in due}


@pytest.mark.parametrize(
    ("leaving", "kinds"),
    [
        ({"destination": "unknown"}, {"deletion_return", "destination", "transfer_file", "case_not_opened"}),
        ({"leaving_ground": "a"}, {"destination", "transfer_file", "case_not_opened"}),
        (
            {"destination": "state_school", "destination_urn": "200", "leaving_ground": "a"},
            {"transfer_file", "new_pupil_return"},
        ),
        (
            {"destination": "missing_education", "leaving_ground": "a"},
            {"destination", "transfer_file", "case_not_opened"},
        ),
        ({"destination": "home_education", "leaving_ground": "a"}, set()),
    ],
)
def test_a_child_who_left_starts_the_open_duties(leaving, kinds):
    assert {k for _, k in deadlines_of(spell("a", leaving_date="2025-02-24", **leaving))} == kinds


def test_a_new_roll_stops_the_clocks_and_opening_a_case_stops_its_own():
    left = spell("a", leaving_date="2025-02-24")
    assert deadlines_of(left, spell("a", urn="200") | {"entry_date": "2025-03-03"}) == {}
    case = {"pupil_id": "a", "missing_from": "2025-02-25", "reported_on": "2025-03-01"}
    assert ("a", "case_not_opened") not in deadlines_of(left, cme=[case])
    assert ("a", "case_not_opened") in deadlines_of(left, cme=[{**case, "reported_on": str(DAY)}]), (
        "a case that is reported today is not known yet"
    )


@pytest.mark.parametrize("reported", ["2024-03-01", "2025-02-03", "2025-02-24", "2025-03-01"])
@pytest.mark.parametrize("resolved", [{}, {"resolved_on": str(DAY)}])
def test_an_open_case_counts_whenever_it_was_reported(reported, resolved):
    """A case is often reported while the child is still on the roll."""
    case = {"pupil_id": "a", "missing_from": "2024-02-25", "reported_on": reported, **resolved}
    assert ("a", "case_not_opened") not in deadlines_of(spell("a", leaving_date="2025-02-24"), cme=[case])


def test_a_case_resolved_before_the_child_left_is_not_about_this_leaving():
    case = {"pupil_id": "a", "missing_from": "2024-02-25", "reported_on": "2025-02-03", "resolved_on": "2025-02-14"}
    assert ("a", "case_not_opened") in deadlines_of(spell("a", leaving_date="2025-02-24"), cme=[case])


def test_a_child_marked_as_missing_is_to_be_found_until_a_destination_is_known():
    left = spell("a", leaving_date="2025-02-24", destination="missing_education")
    case = {"pupil_id": "a", "missing_from": "2025-02-25", "reported_on": "2025-03-01"}
    assert ("a", "destination") in deadlines_of(left, cme=[case])
    assert ("a", "destination") not in deadlines_of(left | {"destination": "home_education"}, cme=[case])


def test_a_deletion_return_is_due_on_the_day_and_others_in_school_days():
    due = deadlines_of(spell("a", leaving_date="2025-02-13"))
    assert due["a", "deletion_return"] == (date(2025, 2, 13), date(2025, 2, 13))
    # After Friday the 14th come the half-term and an inset day.
    assert due["a", "case_not_opened"] == (
        date(2025, 2, 14),
        SchoolDays({}, DAY).nth("100", date(2025, 2, 14), 5),
    )
    assert due["a", "case_not_opened"][1] == date(2025, 2, 28)


@pytest.mark.parametrize(
    ("missed", "code", "kinds"),
    [
        (2, "O", set()),
        (4, "O", {"unauthorised_10"}),
        (12, "O", {"unauthorised_10", "unauthorised_20"}),
        (9, "I", {"sickness_15"}),
        (12, "Q", set()),
    ],
)
def test_a_run_of_absence_starts_clocks_when_it_is_long_enough(missed, code, kinds):
    deadlines = deadlines_of(spell("a"), spell("b"), attendance=[*marks("a", missed, code), *marks("b", 0, "O")])
    assert {k for _, k in deadlines} == kinds
    for _, kind in deadlines:
        start, due = deadlines["a", kind]
        assert start == OPEN[-missed]
        assert due == SchoolDays({}, DAY).nth("100", start, rule_of(RULES, kind, start).school_days)


def test_one_sick_day_after_weeks_of_absence_stops_no_clock_that_has_reached_its_day():
    rows = marks("a", 33, "O")
    for row in rows:
        row["code"] = "I" if row["date"] == str(OPEN[-1]) else row["code"]
    due = deadlines_of(spell("a"), attendance=rows)
    assert {kind for _, kind in due} == {"unauthorised_10", "unauthorised_20"}
    assert due["a", "unauthorised_10"][0] == OPEN[-33]
    short = marks("a", 5, "O")
    for row in short:
        row["code"] = "/" if row["date"] == str(OPEN[-1]) else row["code"]
    assert deadlines_of(spell("a"), attendance=short) == {}, "a run that ended before its day is over"


def test_days_are_those_of_the_childs_school():
    closed = OPEN[-3]
    school_days = SchoolDays({"100": set(OPEN) - {closed}}, OPEN[0])
    assert school_days.nth("100", OPEN[-4], 2) == OPEN[-2]
    assert school_days.nth("200", OPEN[-4], 2) == closed
    later = school_days.nth("200", OPEN[-1], 3)
    assert SchoolDays({}, DAY, frozenset({later})).nth("200", OPEN[-1], 3) > later


@pytest.mark.parametrize("strays", [0, 1, 2])
def test_a_child_who_is_marked_elsewhere_opens_no_school(strays):
    """A school's own week off holds, though children on its roll are marked at the unit where they are taught as well."""
    closed = {str(d) for d in OPEN[-15:-10]}
    pupils = [f"at school {n}" for n in range(24)]
    born = [{"pupil_id": p, "date_of_birth": "2013-05-01", "authority": "801"} for p in pupils]
    rows = [row for p in pupils for row in marks(p, 0, "O") if p in pupils[:strays] or row["date"] not in closed]
    left = spell("a", leaving_date=str(OPEN[-18]))
    due = deadlines_of(left, *(spell(p) for p in pupils), pupils=[*PUPILS, *born], attendance=rows)
    assert due["a", "destination"] == (OPEN[-18] + timedelta(days=1), OPEN[-3])


@pytest.mark.parametrize("silent", [0, 1, 4, 10, 22])
def test_a_school_that_sends_nothing_or_sends_late_moves_no_due_day(silent):
    others = marks("b", 0, "O")  # at another school, which sends every day
    own = (
        [row for row in marks("c", 0, "O") if row["date"] < str(OPEN[len(OPEN) - silent])]
        if silent
        else marks("c", 0, "O")
    )
    left = spell("a", leaving_date=str(OPEN[-24]))
    due = deadlines_of(left, spell("b") | {"urn": "200"}, spell("c"), attendance=[*own, *others])
    assert due["a", "destination"] == (OPEN[-24] + timedelta(days=1), OPEN[-14])


@pytest.mark.parametrize(
    ("missed", "moved", "school"),
    [
        (range(5, 17), 20, "100"),  # all of it before the move
        (range(5, 17), 16, "100"),  # the tenth day before it
        (range(5, 17), 10, "200"),  # the tenth day after it
        (range(5, 17), 2, "200"),
    ],
)
def test_the_school_tells_of_absence_whose_register_holds_it(missed, moved, school):
    """Before, the school that the child is at now was to tell of days missed at the one before."""
    off = {OPEN[n] for n in missed}
    attendance = [
        {"pupil_id": "a", "date": str(d), "session": s, "code": "O" if d in off else "/"}
        for d in OPEN
        for s in ("AM", "PM")
    ]
    spells = [
        spell("a", leaving_date=str(OPEN[moved - 1]), destination="state_school"),
        spell("a") | {"urn": "200", "entry_date": str(OPEN[moved])},
    ]
    histories = Histories.from_rows({"pupils": PUPILS, "enrolments": spells, "attendance": attendance})
    rolls = last_spells(histories, DAY)
    days = SchoolDays.of(histories, rolls, DAY, frozenset())
    began = Deadline(pupil_id="a", kind="unauthorised_10", urn="100", started_on=OPEN[5], due_on=OPEN[14])
    (due,) = find_deadlines(histories, rolls, DAY, days, RULES, running=[began]).due
    assert (due.kind, due.urn, due.started_on, due.due_on) == ("unauthorised_10", school, OPEN[5], OPEN[14])


@pytest.mark.parametrize("silent", [0, 1, 4, 8])
def test_a_run_goes_on_while_the_school_sends_nothing(silent):
    others = marks("b", 0, "O")
    own = [row for pupil, n in (("a", 12), ("c", 0)) for row in marks(pupil, n, "O")]
    own = [row for row in own if row["date"] <= str(OPEN[-1 - silent])]
    due = deadlines_of(spell("a"), spell("b") | {"urn": "200"}, spell("c"), attendance=[*own, *others])
    assert due["a", "unauthorised_10"] == (OPEN[-12], OPEN[-3])


@pytest.mark.parametrize(
    ("row", "state"),
    [
        (None, "no_application"),
        ({}, "no_application"),
        ({"applied_on": "2024-10-20"}, "applied"),
        ({"applied_on": "2024-10-20", "offered_on": "2025-03-03", "offered_urn": "300"}, "offered"),
        (
            {
                "applied_on": "2024-10-20",
                "offered_on": "2025-03-03",
                "response": "declined",
                "response_on": "2025-03-05",
            },
            "declined",
        ),
        (
            {"applied_on": "2024-10-20", "offered_on": "2025-03-03", "response": "accepted", "response_on": str(DAY)},
            "offered",
        ),
    ],
)
def test_a_move_uses_the_addresses_known_on_the_day(row, state):
    pupil = {"pupil_id": "g", "date_of_birth": "2014-05-01", "authority": "801"}  # Year 6
    other = {"pupil_id": "h", "date_of_birth": "2014-06-01", "authority": "801"}
    theirs = {"pupil_id": "h", "entry_year": 2025, "phase": "secondary", "recorded_on": "2024-10-21"}
    rows = (
        []
        if row is None
        else [{"pupil_id": "g", "entry_year": 2025, "phase": "secondary", "recorded_on": "2024-10-21", **row}]
    )
    tables = {"pupils": [pupil, other], "enrolments": [spell("g"), spell("h")], "admissions": [*rows, theirs]}
    histories = Histories.from_rows(tables)
    found = find_transitions(histories, last_spells(histories, DAY), DAY)
    assert [c.state for c in found if c.pupil_id == "g"] == [state]


APPLICATION = {
    "pupil_id": "g",
    "entry_year": 2025,
    "phase": "secondary",
    "applied_on": "2024-10-20",
    "offered_on": "2025-03-03",
    "offered_urn": "300",
}
PRIMARY = spell("g", leaving_date="2025-07-22")


def moves(spells, codes=(), day=date(2025, 9, 8)):
    """Return the move of a child of Year 7 with some marks since 3 September, as a list."""
    pupil = {"pupil_id": "g", "date_of_birth": "2014-05-01", "authority": "801"}
    marks = [{"pupil_id": "g", "date": f"2025-09-{3 + n:02}", "session": "AM", "code": c} for n, c in enumerate(codes)]
    tables = {"pupils": [pupil], "enrolments": spells, "admissions": [APPLICATION]}
    histories = Histories.from_rows(tables | ({"attendance": marks} if marks else {}))
    return find_transitions(histories, last_spells(histories, day), day)


@pytest.mark.parametrize(
    ("roll", "codes", "state"),
    [
        (None, [], "not_on_roll"),
        ("300", [], "on_roll"),
        ("300", ["O", "O", "I"], "no_show"),
        ("300", ["O", "O", "/"], "arrived"),
        ("300", ["#"], "on_roll"),
    ],
)
def test_in_september_a_move_is_from_the_primary_school_to_where_the_child_is(roll, codes, state):
    (move,) = moves([PRIMARY, *([{"pupil_id": "g", "urn": roll, "entry_date": "2025-09-03"}] if roll else [])], codes)
    assert (move.from_urn, move.to_urn, move.state) == ("100", "300", state)
    assert move.missed_days == {"no_show": 3, "arrived": 2}.get(state, 0)


ENTERED = {"pupil_id": "g", "urn": "300", "entry_date": "2025-09-03"}
LEFT_AGAIN = ENTERED | {"leaving_date": "2025-09-12"}


@pytest.mark.parametrize(
    ("spells", "codes", "states"),
    [
        ([PRIMARY | {"destination": "home_education"}], [], []),
        ([PRIMARY | {"destination": "abroad"}], [], []),
        ([PRIMARY | {"destination": "independent_school"}], [], []),
        ([PRIMARY | {"destination": "state_school"}], [], ["not_on_roll"]),
        ([PRIMARY | {"destination": "unknown"}], [], ["not_on_roll"]),
        ([PRIMARY, LEFT_AGAIN | {"destination": "home_education"}], ["/"], []),
        ([PRIMARY, LEFT_AGAIN], ["/", "/"], ["arrived"]),
        ([PRIMARY, LEFT_AGAIN], ["O", "O"], ["no_show"]),
        ([PRIMARY, LEFT_AGAIN], [], ["not_on_roll"]),
        ([PRIMARY, ENTERED, ENTERED | {"urn": "400", "entry_date": "2025-01-06", "status": "S"}], ["/"], ["arrived"]),
        ([spell("g") | {"urn": "300"}], ["/"], ["arrived"]),  # a school of all ages
        ([spell("g")], ["/"], ["not_on_roll"]),  # still at the primary school
    ],
)
def test_who_began_or_went_elsewhere_is_not_said_to_be_on_no_new_roll(spells, codes, states):
    assert [move.state for move in moves(spells, codes, date(2025, 9, 22))] == states


CHANGED = """
[[clocks.destination]]
school_days = 10
source = "the old rule"
[[clocks.destination]]
school_days = 5
source = "the new rule"
since = 2025-02-20
[[clocks.case_not_opened]]
school_days = 5
source = "ours"
[[clocks.case_not_opened]]
school_days = -1
source = "given up"
since = 2025-02-20
"""


@pytest.mark.parametrize(
    ("left", "school_days", "source", "kept"),
    [("2025-02-18", 10, "the old rule", True), ("2025-02-19", 5, "the new rule", False)],
)
def test_a_duty_follows_the_rule_of_the_day_it_began(tmp_path, left, school_days, source, kept):
    (tmp_path / "pages.toml").write_text(CHANGED)
    settings = PageSettings.load(tmp_path / "pages.toml")
    due = deadlines_of(spell("a", leaving_date=left), rules=settings.rules())
    start, day = due["a", "destination"]
    assert day == SchoolDays({}, DAY).nth("100", start, school_days)
    assert settings.source("destination", start) == source
    assert (("a", "case_not_opened") in due) == kept


@pytest.mark.parametrize("days", [("2025-02-20", "2025-02-20"), ("2025-03-01", "2025-02-20")])
def test_rules_of_a_clock_come_in_the_order_of_their_days(tmp_path, days):
    clock = '[[clocks.destination]]\nschool_days = 5\nsource = "x"\nsince = {}\n'
    (tmp_path / "pages.toml").write_text("".join(clock.format(day) for day in days))
    with pytest.raises(Faults, match="not in the order of their days"):
        PageSettings.load(tmp_path / "pages.toml")

"""What a duty's rule counts: days of a school year in all, and returns of children who move up with their year group."""

from datetime import date, timedelta

import pytest

from histories.calendar import school_days
from histories.errors import Faults
from histories.reading.histories import Histories
from serving.casework.deadlines import find_deadlines
from serving.casework.duty import Deadline, DeadlineRule, rule_of
from serving.casework.rolls import last_spells
from serving.casework.school_days import SchoolDays
from serving.casework.year_groups import RETURNS
from serving.pages.settings import PageSettings

DAY = date(2025, 3, 10)
RULES = PageSettings.load(None).rules()
PUPILS = [{"pupil_id": "a", "date_of_birth": "2013-05-01", "authority": "801"}]
SPELL = {"pupil_id": "a", "urn": "100", "entry_date": "2020-09-02"}
OPEN = school_days(date(2025, 1, 6), DAY - timedelta(days=1))
IN_ALL = {**RULES, "sickness_15": [DeadlineRule(15, 8, cumulative=True)]}


def duties(day=DAY, rules=RULES, running=(), **tables):
    histories = Histories.from_rows({"pupils": PUPILS, "enrolments": [SPELL], **tables})
    rolls = last_spells(histories, day)
    days = SchoolDays.of(histories, rolls, day, frozenset())
    return find_deadlines(histories, rolls, day, days, rules, running=running)


def due(*args, **tables):
    return {d.kind: (d.started_on, d.due_on) for d in duties(*args, **tables).due}


def marks(is_ill, days=OPEN):
    """Marks of every school day, ill where ``is_ill`` says so of its place and day."""
    codes = [(d, "I" if is_ill(n, d) else "/") for n, d in enumerate(days)]
    return [{"pupil_id": "a", "date": str(d), "session": s, "code": c} for d, c in codes for s in ("AM", "PM")]


@pytest.mark.parametrize(
    ("ill", "day"),
    [
        (range(0, 28, 2), None),  # fourteen days, one here and one there
        (range(0, 30, 2), OPEN[28]),
        ([*range(5), *range(7, 20)], OPEN[16]),
        ([*range(6), *range(len(OPEN) - 4, len(OPEN))], "goes on"),
        (range(len(OPEN) - 7, len(OPEN)), None),  # fewer than are shown
    ],
)
def test_where_the_rule_counts_all_days_of_a_school_year_they_need_not_follow_each_other(ill, day):
    attendance = marks(lambda n, _: n in ill)
    assert due(attendance=attendance) == {}
    if day == "goes on":
        day = SchoolDays({}, DAY).nth("100", DAY, 5)
    expected = {} if day is None else {"sickness_15": (OPEN[ill[0]], day)}
    assert due(rules=IN_ALL, attendance=attendance) == expected


@pytest.mark.parametrize(
    ("ill", "is_over"), [(range(0, 30, 2), False), (range(0, 28, 2), True), (range(2, 32, 2), True)]
)
def test_a_duty_of_all_days_goes_on_while_the_days_stand_and_is_over_once_they_are_corrected(ill, is_over):
    running = Deadline(pupil_id="a", kind="sickness_15", urn="100", started_on=OPEN[0], due_on=OPEN[28])
    found = duties(rules=IN_ALL, running=[running], attendance=marks(lambda n, _: n in ill))
    assert found.over == ([running] if is_over else [])


def test_days_of_the_school_year_before_are_not_counted():
    autumn = date(2024, 10, 7)
    days = school_days(date(2024, 6, 3), autumn - timedelta(days=1))
    ill = {*school_days(date(2024, 7, 1), date(2024, 7, 19)), *school_days(date(2024, 9, 4), date(2024, 9, 16))}
    assert due(autumn, IN_ALL, attendance=marks(lambda _, d: d in ill and d.day % 4, days)) == {}


SCHOOLS = [
    {"urn": "100", "phase": "primary", "authority": "801", "low_age": 4, "high_age": 11},
    {"urn": "infants", "phase": "primary", "authority": "801", "low_age": 5, "high_age": 7},
    {"urn": "juniors", "phase": "primary", "authority": "801", "low_age": 7, "high_age": 11},
    {"urn": "300", "phase": "secondary", "authority": "801"},
    {"urn": "upper", "phase": "secondary", "authority": "801", "low_age": 13, "high_age": 18},
    {"urn": "unit", "phase": "ap", "authority": "801"},
]
OF_YEAR = {2: "2017-10-01", 6: "2013-10-01", 7: "2012-10-01"}  # born, of those in the year group in summer 2025


@pytest.mark.parametrize("day", [date(2025, 8, 15), date(2025, 9, 22)])
@pytest.mark.parametrize(
    ("year", "urn", "left", "to", "firsts", "lasts"),
    [
        (6, "100", "2025-07-22", "300", True, True),
        (2, "infants", "2025-07-22", "juniors", True, True),
        (2, "infants", "2025-07-22", "100", False, True),
        (2, "100", "2025-07-22", "juniors", True, False),
        (6, "100", "2025-06-13", "300", False, False),  # in term
        (6, "100", "2025-07-22", "unit", False, True),
        (6, "100", "2025-07-22", "upper", False, True),
        (7, "300", "2025-07-22", "300", False, False),
        (6, "100", "2025-07-22", "elsewhere", False, True),  # of which nothing is known
    ],
)
def test_returns_of_those_who_move_up_with_their_year_group_can_be_left_out(day, year, urn, left, to, firsts, lasts):
    pupils = [{"pupil_id": "a", "date_of_birth": OF_YEAR[year], "authority": "801"}]
    roll = {**SPELL, "urn": urn, "leaving_date": left, "destination": "state_school", "destination_urn": to}
    told = []
    for at_transition in (True, False):
        rules = {kind: [DeadlineRule(5, at_transition=at_transition)] for kind in RETURNS}
        told.append(set(due(day, rules, pupils=pupils, enrolments=[roll], schools=SCHOOLS)))
    assert told[0] == set(RETURNS)
    assert told[1] == {kind for kind, of in zip(RETURNS, (firsts, lasts), strict=True) if not of}


def test_by_default_no_new_pupil_return_is_due_for_the_youngest_year_and_the_authority_may_ask_for_it(tmp_path):
    """SI 2024/208, regulation 13; what is not verified of the law keeps its duty until the authority says otherwise."""
    rule = {kind: rule_of(RULES, kind, date(2025, 9, 1)) for kind in (*RETURNS, "sickness_15")}
    assert [rule[kind].at_transition for kind in RETURNS] == [False, True]
    assert not rule["sickness_15"].cumulative
    own = tmp_path / "pages.toml"
    own.write_text('[clocks.new_pupil_return]\nschool_days = 5\nat_transition = true\nsource = "We ask."\n')
    assert rule_of(PageSettings.load(own).rules(), "new_pupil_return", date(2025, 9, 1)).at_transition


@pytest.mark.parametrize("line", ["cumulative = true", "at_transition = false"])
def test_a_choice_that_changes_nothing_for_its_clock_is_refused(tmp_path, line):
    own = tmp_path / "pages.toml"
    own.write_text(f'[clocks.destination]\nschool_days = 5\n{line}\nsource = "ours"\n')
    with pytest.raises(Faults, match=f"{line.split()[0]} is for .*not for destination"):
        PageSettings.load(own)

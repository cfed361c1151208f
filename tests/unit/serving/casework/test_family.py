"""Who is involved now and who lives together: only what was known on the day, ended and late records left out, strangers too."""

from datetime import date

import pytest

from histories.reading.histories import Histories
from serving.casework.family import MAX_AT_HOME, find_at_home, find_involvements, find_missing_cases
from serving.pages.family import attends, services_now
from serving.pages.wording import Wording

DAY = date(2025, 11, 24)
WORDS = Wording.load("en")
ON_ROLL = {"left_on": None, "off_roll": False}


def histories(pupils, **tables):
    enrolments = [{"pupil_id": p, "urn": "1", "entry_date": "2020-09-02"} for p in pupils]
    born = [{"pupil_id": p, "date_of_birth": "2013-05-01", "authority": "801"} for p in pupils]
    return Histories.from_rows({"pupils": born, "enrolments": enrolments, **tables})


def services(*episodes):
    rows = [{"pupil_id": "a", **dict(zip(("kind", "start_date", "end_date"), e, strict=False))} for e in episodes]
    opened = histories(["a"], social_care=rows)
    found = find_involvements(opened, ["a"], DAY)
    return services_now([{**vars(i), "as_of": DAY} for i in found], WORDS)


@pytest.mark.parametrize(
    ("episodes", "said"),
    [
        ([("cin", "2023-03-06")], ["Has a social worker now (Child in need since March 2023)."]),
        ([("cla", "2024-01-02")], ["In care since January 2024: ring the social worker."]),
        ([("early_help", "2025-06-16")], ["Early help open since June."]),
        ([("assessment", "2025-11-03")], ["Social care has been assessing the child since November."]),
        (
            [("cpp", "2024-12-02"), ("cin", "2023-03-06"), ("early_help", "2022-01-10", "2023-03-06")],
            ["Has a social worker now (Child protection plan since December 2024 and Child in need since March 2023)."],
        ),
        ([("cin", "2023-03-06", "2025-11-23")], []),
        ([("cin", "2025-11-24")], []),
        ([("referral", "2025-11-03"), ("missing", "2025-11-03")], []),
    ],
)
def test_what_is_open_now_is_said_and_nothing_else(episodes, said):
    assert services(*episodes) == said


def test_an_end_that_was_not_recorded_yet_is_not_known():
    episode = {"pupil_id": "a", "kind": "cin", "start_date": "2023-03-06", "end_date": "2025-11-03"}
    late = histories(["a"], social_care=[{**episode, "end_recorded_on": "2025-11-24"}])
    assert [i.kind for i in find_involvements(late, ["a"], DAY)] == ["cin"]
    in_time = histories(["a"], social_care=[{**episode, "end_recorded_on": "2025-11-23"}])
    assert find_involvements(in_time, ["a"], DAY) == []


@pytest.mark.parametrize(
    ("cases", "since"),
    [
        ([{}], "2024-03-10"),
        ([{"resolved_on": "2025-11-23"}], None),
        ([{"resolved_on": "2025-11-24"}], "2024-03-10"),  # not known yet
        ([{"reported_on": "2025-11-24"}], None),
        ([{}, {"missing_from": "2025-03-03", "reported_on": "2025-03-10"}], "2024-03-10"),
    ],
)
def test_an_open_case_of_missing_education_is_known_of_a_child_on_a_roll(cases, since):
    case = {"pupil_id": "a", "missing_from": "2024-03-03", "reported_on": "2024-03-10"}
    found = find_missing_cases(histories(["a"], cme=[case | more for more in cases]), ["a"], DAY)
    assert [str(i.since) for i in found] == ([since] if since else [])


def homes(*rows, marks=()):
    addresses = [
        {"pupil_id": p, "household_id": home, "start_date": start, "end_date": end, "recorded_on": known or start}
        for p, home, start, end, known in (tuple(row) + (None,) * (5 - len(row)) for row in rows)
    ]
    pupils = sorted({row[0] for row in rows})
    opened = (
        histories(pupils, addresses=addresses, attendance=list(marks))
        if marks
        else histories(pupils, addresses=addresses)
    )
    return find_at_home(opened, pupils, DAY)


def groups(at_home):
    by_home = {}
    for child in at_home:
        by_home.setdefault(child.home, []).append(child.pupil_id)
    return sorted(by_home.values())


def test_children_at_one_address_now_belong_together():
    rows = [
        ("a", "h1", "2020-01-01"),
        ("b", "h1", "2024-01-01"),
        ("c", "h2", "2020-01-01"),
        ("d", "h1", "2020-01-01", "2025-06-01"),  # ended
        ("e", "h1", "2020-01-01"),
        ("e", "h2", "2025-11-10"),  # moved
        ("f", "h1", "2025-11-10", None, "2025-11-24"),  # recorded too late
        ("g", None, "2020-01-01"),
        ("i", None, "2020-01-01"),
    ]
    found = homes(*rows)
    assert groups(found) == [["a", "b"], ["c", "e"]]
    assert not {"h1", "h2"} & {child.home for child in found}
    assert all(len(child.home) == 32 for child in found)


def test_a_hostel_makes_no_siblings():
    crowd = [(f"p{n:02}", "hostel", "2020-01-01") for n in range(MAX_AT_HOME + 1)]
    assert homes(*crowd) == []
    assert len(homes(*crowd[:-1])) == MAX_AT_HOME


def test_attendance_is_that_of_the_four_weeks_to_the_newest_mark_as_corrected():
    days = [f"2025-11-{d:02}" for d in range(3, 8)]
    marks = [{"pupil_id": "a", "date": d, "session": s, "code": "/"} for d in days for s in ("AM", "PM")]
    marks += [{"pupil_id": "b", "date": d, "session": "AM", "code": "O"} for d in days]
    marks += [{"pupil_id": "b", "date": "2025-10-06", "session": "AM", "code": "/"}]  # before the four weeks
    marks += [{"pupil_id": "a", "date": days[0], "session": "AM", "code": "I", "recorded_on": "2025-11-10"}]
    marks += [{"pupil_id": "c", "date": days[0], "session": "AM", "code": "#"}]
    a, b, c = homes(*((p, "h", "2020-01-01") for p in "abc"), marks=marks)
    assert (a.possible, a.missed, a.until) == (10, 1, date(2025, 11, 7))
    assert attends(vars(a) | ON_ROLL, WORDS) == "Missed 1 of 10 sessions in the four weeks to 7 November 2025."
    assert attends(vars(b) | ON_ROLL, WORDS) == "Missed 5 of 5 sessions in the four weeks to 7 November 2025."
    assert attends(vars(c) | ON_ROLL, WORDS) == "No register in the four weeks to 7 November 2025."
    assert attends({**vars(c), **ON_ROLL, "until": None}, WORDS) == "No register is known."


@pytest.mark.parametrize(
    ("possible", "missed", "said"),
    [
        (1, 1, "Missed 1 of 1 session in"),
        (1, 0, "Missed 0 of 1 session in"),
        (19, 19, "Missed 19 of 19 sessions in"),
        (20, 20, "Does not attend: missed all 20 sessions in"),
        (20, 0, "Attends: missed none of 20 sessions in"),
        (20, 19, "Missed 19 of 20 sessions in"),
    ],
)
def test_nobody_is_said_to_attend_or_not_by_a_few_sessions(possible, missed, said):
    child = ON_ROLL | {"possible": possible, "missed": missed, "until": date(2025, 11, 7)}
    assert attends(child, WORDS) == f"{said} the four weeks to 7 November 2025."

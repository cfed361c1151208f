"""The line at the top of a child's page is true of the records, and reports only real moves."""

from datetime import date, timedelta

import pytest

from histories.reading.histories import Histories
from serving.casework.history import pupil_histories
from serving.casework.rolls import last_spells
from serving.pages.records_line import records_line, weeks_compared
from serving.pages.wording import Wording

DAY = date(2025, 1, 13)
WORDS = Wording.load("en")


def line(weeks=(), events=(), compared=(), **more):
    return records_line({"weeks": weeks, "events": events, "compared": compared, **more}, DAY, "Year 9", WORDS)


def test_absence_is_shown_against_before_and_the_year_group():
    weeks = [["2024-11-25", 10, 9, 9], *([f"2024-12-{d:02}", 5, 3, 1] for d in (2, 9, 16)), ["2025-01-06", 5, 4, 2]]
    assert line(weeks, compared=[{"what": "missed", "now": 0.6, "before": 0.12, "peers": 0.071}]) == (
        "Missed 13 of 20 sessions since 2 December 2024, 5 without permission or with no reason yet. "
        "Missed over the last 12 weeks of school: 60%; over the 12 weeks before: 12%; usual for Year 9 here: 7%."
    )
    assert line() == ""


def test_absence_is_told_by_reason_and_its_absence_too():
    assert line([["2025-01-06", 10, 9, 7]], reasons={"without_leave": 5, "no_reason": 2, "ill": 1, "part_time": 1}) == (
        "Missed 9 of 10 sessions since 6 January 2025: 5 without permission, 2 with no reason yet, 1 ill and 1 on a part-time timetable."
    )
    assert line([["2025-01-06", 10, 0, 0]], reasons={}) == "Missed none of 10 sessions since 6 January 2025."


@pytest.mark.parametrize(
    ("week", "reasons", "told"),
    [
        (
            (10, 10, 8),
            {"without_leave": 8, "ill": 2},
            "Missed all 10 sessions since 6 January 2025: 8 without permission and 2 ill.",
        ),
        ((10, 10, 10), {"without_leave": 10}, "Missed all 10 sessions since 6 January 2025, all without permission."),
        ((10, 9, 9), {"without_leave": 9}, "Missed 9 of 10 sessions since 6 January 2025, all without permission."),
        ((10, 9, 9), {}, "Missed 9 of 10 sessions since 6 January 2025, all without permission or with no reason yet."),
        ((10, 1, 0), {"ill": 1}, "Missed 1 of 10 sessions since 6 January 2025: 1 ill."),
        ((1, 1, 0), {"ill": 1}, "Missed 1 of 1 session since 6 January 2025: 1 ill."),
    ],
)
def test_what_is_all_is_said_so_and_one_reason_once(week, reasons, told):
    assert line([["2025-01-06", *week]], reasons=reasons) == told


@pytest.mark.parametrize(("before", "told"), [(0, ""), (1, "the week before"), (12, "the 12 weeks before")])
def test_no_weeks_are_compared_with_none_before(before, told):
    """A child in the first weeks of Reception has none: the page said "Missed in the 0 weeks before: not known"."""
    history = {"weeks": [["2025-11-17", 10, 1, 0]], "compared": [{"weeks": [11, before]}]}
    assert weeks_compared(history, date(2025, 11, 24), WORDS)[1] == told


def test_reasons_add_up_to_what_was_missed_in_the_newest_weeks_of_school():
    """Marks of older weeks, of a holiday and of presence do not count; corrected marks count once, as corrected."""
    marks = [("2024-11-25", "O"), ("2024-12-02", "I"), ("2024-12-09", "O"), ("2024-12-16", "/"), ("2024-12-30", "#")]
    marks += [("2025-01-06", "N"), ("2025-01-07", "G"), ("2025-01-08", "C"), ("2025-01-09", "O")]
    rows = [{"pupil_id": "p", "date": d, "session": "AM", "code": c} for d, c in marks]
    rows.append({**rows[-1], "code": "I", "recorded_on": "2025-01-10"})
    histories = Histories.from_rows(
        {
            "pupils": [{"pupil_id": "p", "date_of_birth": "2011-05-01", "authority": "801"}],
            "enrolments": [{"pupil_id": "p", "urn": "1", "entry_date": "2024-11-04"}],
            "attendance": rows,
        }
    )
    history = pupil_histories(histories, ["p"], last_spells(histories, DAY), DAY)["p"]
    assert history["reasons"] == {"ill": 2, "holiday": 1, "no_reason": 1, "with_leave": 1, "without_leave": 1}
    assert line(**history) == (
        "Missed 6 of 7 sessions since 2 December 2024: 2 ill, 1 on holiday without permission, 1 with no reason yet, 1 with permission and "
        "1 without permission. "
        "Missed over the last 5 weeks of school: 88%; usual for Year 9 here: 88%. Joined a school mid-year on 4 November 2024."
    )


def test_what_is_usual_is_that_of_the_childs_own_authority():
    """Before, it was that of the year group over every authority of the database."""
    pupils, rolls, marks = [], [], []
    for authority, code in (("801", "/"), ("802", "O")):
        for n in range(3):
            pupil = f"{authority}-{n}"
            pupils.append({"pupil_id": pupil, "date_of_birth": "2011-05-01", "authority": authority})
            rolls.append({"pupil_id": pupil, "urn": authority, "entry_date": "2024-09-04"})
            days = [f"2025-01-{day:02}" for day in (6, 7, 8, 9)]
            marks += [{"pupil_id": pupil, "date": day, "session": "AM", "code": code if n else "I"} for day in days]
    schools = [{"urn": authority, "phase": "secondary", "authority": authority} for authority in ("801", "802")]
    histories = Histories.from_rows({"pupils": pupils, "enrolments": rolls, "attendance": marks, "schools": schools})
    spells = last_spells(histories, DAY)
    past = pupil_histories(histories, ["801-0", "802-0"], spells, DAY)
    assert {p: past[p]["compared"][0]["peers"] for p in past} == {"801-0": pytest.approx(1 / 3), "802-0": 1}


WEEKS = [[(date(2024, 9, 2) + timedelta(weeks=n)).isoformat(), 10, 10, 10] for n in range(19)]


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ([], " Not there once since 2 September 2024."),
        ([3], " Last there in the week of 23 September 2024."),
        ([3, 13], " Last there in the week of 2 December 2024."),
        ([3, 14], ""),
        ([3, 18], None),
    ],
)
def test_an_absence_longer_than_the_weeks_counted_says_when_the_child_was_last_there(there, told):
    weeks = [[day, of, of - (n in there), of] for n, (day, of, *_) in enumerate(WEEKS)]
    holiday = [["2024-12-24", 0, 0, 0]]
    expected = f"Missed all 40 sessions since 16 December 2024, all without permission or with no reason yet.{told}"
    said = line(sorted(weeks + holiday))
    assert said == expected if told is not None else "there" not in said


def test_what_was_gathered_for_an_earlier_list_is_told_up_to_its_last_day():
    history = {
        "weeks": [["2025-01-06", 10, 4, 0]],
        "until": "2025-01-10",
        "compared": [{**COMPARED[0], "weeks": [1, 0]}],
    }
    told = records_line(history, DAY, "Year 9", WORDS, is_newest=False)
    assert told.startswith("Missed 4 of 10 sessions from 6 January 2025 to 10 January 2025")
    assert "week of school to 10 January 2025" in told
    assert records_line(history, DAY, "Year 9", WORDS).startswith("Missed 4 of 10 sessions since 6 January 2025")


OLD = [[f"2024-{day}", 10, 4, 0] for day in ("01-29", "02-05", "02-12", "02-26", "03-04")]
COMPARED = [{"what": "missed", "now": 0.4, "before": None, "peers": 0.07, "weeks": [5, 0]}]


@pytest.mark.parametrize(
    ("more", "last"),
    [
        ({"until": "2024-03-07"}, "7 March 2024"),
        ({}, "10 March 2024"),  # stored by an earlier version: the end of the week
    ],
)
def test_a_register_that_ended_long_ago_is_counted_up_to_its_last_day(more, last):
    told = {"reasons": {"ill": 16}, "compared": COMPARED, **more}
    assert line(OLD, **told) == (
        f"Missed 16 of 40 sessions from 5 February 2024 to {last}, all ill. Missed over the 5 weeks of school to {last}: 40%; "
        "usual for Year 9 here: 7%."
    )


@pytest.mark.parametrize(
    ("until", "silent", "when"),
    [
        ("2025-01-10", None, "since 6 January 2025"),
        ("2024-12-30", None, "since 30 December 2024"),
        ("2024-12-29", None, "from 23 December 2024 to 29 December 2024"),
        ("2025-01-07", {"since": "2025-01-07", "days": 3, "school": False}, "from 6 January 2025 to 7 January 2025"),
    ],
)
def test_since_reaches_up_to_now(until, silent, when):
    monday = (date.fromisoformat(until) - timedelta(days=date.fromisoformat(until).weekday())).isoformat()
    more = {"until": until} | ({"silent": silent} if silent else {})
    assert line([[monday, 4, 0, 0]], **more) == f"Missed none of 4 sessions {when}."


@pytest.mark.parametrize(
    ("starts", "sentences"),
    [
        (["2024-12-01"], ""),
        (["2020-01-01", "2022-01-01"], ""),
        (["2020-01-01", "2024-12-01"], "Moved home on 1 December 2024."),
    ],
)
def test_a_move_is_a_second_address_within_a_year(starts, sentences):
    assert line(events=[{"lane": "address", "date": d, "text": "At this address"} for d in starts]) == sentences


def test_current_involvement_is_shown_and_ended_or_undated_involvement_is_not():
    care = [("Early help", None), ("Child in need", "2024-12-01"), ("Referral to social care", None)]
    events = [{"lane": "care", "date": "2024-06-03", "end": end, "text": text} for text, end in care]
    assert line(events=events) == "Early help since 3 June 2024."

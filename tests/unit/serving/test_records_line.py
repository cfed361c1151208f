"""The line at the top of a child's page is true of the records, and reports only real moves."""

from datetime import date

import pytest

from serving.pages.records_line import records_line
from serving.pages.wording import Wording

DAY = date(2025, 1, 13)
WORDS = Wording.load("en")


def line(weeks=(), events=(), compared=()):
    return records_line({"weeks": weeks, "events": events, "compared": compared}, DAY, "Year 9", WORDS)


def test_absence_is_shown_against_before_and_the_year_group():
    weeks = [["2024-11-25", 10, 9, 9], *([f"2024-12-{d:02}", 5, 3, 1] for d in (2, 9, 16)), ["2025-01-06", 5, 4, 2]]
    assert line(weeks, compared=[{"what": "missed", "now": 0.6, "before": 0.12, "peers": 0.071}]) == (
        "Missed 13 of 20 sessions since 2 December 2024, 5 without leave. In the 12 weeks before the last 12: 12%. "
        "Usual for Year 9 here: 7%."
    )
    assert line() == ""


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

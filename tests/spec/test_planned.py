"""What is planned has not happened: a row that begins later, or an end still ahead, changes no feature, no evidence and no history."""

from datetime import date

import pytest

from features.evidence import evidence
from features.matrix import matrix
from serving.casework.history import pupil_histories
from serving.casework.rolls import newest_spells
from tests.support.engines import open_on
from tests.support.tables import rows

D = date(2025, 1, 13)
PUPILS = [{"pupil_id": "A", "date_of_birth": "2014-05-01", "authority": "801"}]
ROLL = "pupil_id | urn | entry_date | leaving_date | destination | recorded_on | leaving_recorded_on"
PAST = {
    "enrolments": f"{ROLL}\nA | 1 | 2018-09-04 | | | 2018-09-04 |",
    "addresses": """
    pupil_id | household_id | lsoa | start_date | end_date | temporary | recorded_on
    A        | H1           | E1   | 2018-09-04 |          | false     | 2018-09-04
    """,
    "social_care": """
    pupil_id | kind | start_date | end_date | recorded_on | end_recorded_on
    A        | cin  | 2024-06-03 |          | 2024-06-03  |
    """,
    "sen": """
    pupil_id | provision | primary_need | start_date | end_date | recorded_on
    A        | K         | SEMH         | 2023-09-04 |          | 2023-09-04
    """,
    "fsm": "pupil_id | start_date | end_date | recorded_on\nA | 2023-09-04 | | 2023-09-04",
    "suspensions": "pupil_id | start_date | category | sessions | recorded_on\nA | 2024-11-04 | SUSP | 2 | 2024-11-04",
    "interventions": "pupil_id | date | kind | recorded_on\nA | 2024-11-04 | early_help_offer | 2024-11-04",
}
# Recorded before the day, of a day to come.
BEGINS_LATER = {
    "enrolments": "A | 2 | 2025-02-03 | | | 2025-01-06 |",
    "addresses": "A | H2 | E2 | 2025-01-14 | | true | 2025-01-06",
    "social_care": "A | early_help | 2025-01-20 | | 2025-01-06 |",
    "sen": "A | E | MLD | 2025-01-14 | | 2025-01-06",
    "fsm": "A | 2025-01-14 | | 2025-01-06",
    "suspensions": "A | 2025-01-14 | SUSP | 1 | 2025-01-06\nA | 2025-01-14 | PERM | | 2025-01-06",
    "interventions": "A | 2025-01-14 | early_help_offer | 2025-01-06",
}
# The rows of the past with an end on the day, the last of the spell, or after it.
ENDS_LATER = {
    "enrolments": f"{ROLL}\nA | 1 | 2018-09-04 | {{}} | unknown | 2018-09-04 | 2025-01-06",
    "addresses": PAST["addresses"].replace("2018-09-04 |          |", "2018-09-04 | {} |"),
    "social_care": PAST["social_care"].replace("|          | 2024-06-03  |", "| {} | 2024-06-03 | 2025-01-06"),
    "sen": PAST["sen"].replace("2023-09-04 |          |", "2023-09-04 | {} |"),
    "fsm": PAST["fsm"].replace("2023-09-04 | |", "2023-09-04 | {} |"),
}


@pytest.fixture
def told(feature_engine, tmp_path):
    """Return a function from tables as text to all that is told of pupil A as of D."""

    def tell(**tables):
        given = {table: rows(table, text) for table, text in {**PAST, **tables}.items()}
        histories = open_on(feature_engine, {"pupils": PUPILS, **given}, tmp_path)
        told = [matrix(histories, [D]).to_pylist(), evidence(histories, [("A", tuple(PAST))], D)]
        if feature_engine != "plain":  # the engine of requests, which have no pages
            told.append(pupil_histories(histories, ["A"], newest_spells(histories, D), D)["A"]["events"])
        return told

    return tell


@pytest.mark.parametrize("table", BEGINS_LATER)
def test_what_begins_later_is_not_told(told, table):
    assert told(**{table: f"{PAST[table].rstrip()}\n{BEGINS_LATER[table]}"}) == told()


@pytest.mark.parametrize("end", ["2025-01-13", "2025-03-31"])
@pytest.mark.parametrize("table", ENDS_LATER)
def test_an_end_still_ahead_is_not_told(told, table, end):
    # A table without dates of recording makes an end known on its day.
    assert told(**{table: ENDS_LATER[table].format(end)}) == told()

"""What features are, by example; each example runs on DuckDB and on Polars."""

from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.catalogue import CATALOGUE
from features.matrix import matrix
from histories.opening import Histories
from tests.tables import rows

D = date(2025, 1, 13)
PUPILS = [{"pupil_id": "A", "date_of_birth": "2014-05-01", "authority": "801"}]
ENROLMENTS = [
    {"pupil_id": "A", "urn": "1", "entry_date": "2018-09-04", "leaving_date": None, "leaving_recorded_on": None}
]


@pytest.fixture(params=["duckdb", "polars"])
def known(request, tmp_path):
    """Return the features of pupil A as of a day, on one engine."""

    def build(day=D, **tables):
        given = {"pupils": PUPILS, "enrolments": ENROLMENTS, **tables}
        if request.param == "polars":
            histories = Histories.from_rows(given)
        else:
            for name, content in given.items():
                pq.write_table(pa.Table.from_pylist(content), tmp_path / f"{name}.parquet")
            histories = Histories.open(tmp_path)
        return next((r for r in matrix(histories, [day]).to_pylist() if r["pupil_id"] == "A"), None)

    return build


def test_a_share_of_sessions_missed_counts_possible_sessions_only(known):
    marks = rows("attendance", """
        pupil_id | date       | session | code
        A        | 2025-01-10 | AM      | O
        A        | 2025-01-10 | PM      | /
        A        | 2025-01-09 | AM      | I
        A        | 2025-01-09 | PM      | Y4
    """)  # fmt: skip
    found = known(attendance=marks)
    assert (found["absent_rate_14d"], found["unauthorised_rate_14d"]) == (2 / 3, 1 / 3)


def test_a_window_holds_the_day_before_and_not_the_day_itself(known):
    marks = rows("attendance", """
        pupil_id | date       | session | code | recorded_on
        A        | 2024-12-30 | AM      | O    | 2024-12-30
        A        | 2024-12-29 | AM      | O    | 2024-12-29
        A        | 2025-01-12 | AM      | /    | 2025-01-12
        A        | 2025-01-13 | AM      | O    | 2025-01-12
    """)  # fmt: skip
    found = known(attendance=marks)
    assert (found["absent_rate_14d"], found["sessions_known_28d"]) == (1 / 2, 3)


def test_a_mark_recorded_on_the_day_is_not_seen_and_a_correction_counts_once_known(known):
    marks = rows("attendance", """
        pupil_id | date       | session | code | recorded_on
        A        | 2025-01-08 | AM      | N    | 2025-01-08
        A        | 2025-01-08 | AM      | I    | 2025-01-12
        A        | 2025-01-09 | AM      | N    | 2025-01-09
        A        | 2025-01-09 | AM      | I    | 2025-01-13
        A        | 2025-01-10 | AM      | O    | 2025-01-13
    """)  # fmt: skip
    found = known(attendance=marks)
    assert (found["sessions_known_28d"], found["no_reason_rate_28d"], found["ill_rate_90d"]) == (2, 1 / 2, 1 / 2)
    assert known(date(2025, 1, 14), attendance=marks)["sessions_known_28d"] == 3


def test_a_run_of_absence_is_counted_back_from_the_last_session(known):
    marks = rows("attendance", """
        pupil_id | date       | session | code
        A        | 2025-01-07 | AM      | O
        A        | 2025-01-07 | PM      | L
        A        | 2025-01-08 | AM      | O
        A        | 2025-01-08 | PM      | I
        A        | 2025-01-09 | AM      | O
    """)  # fmt: skip
    found = known(attendance=marks)
    assert (found["trailing_absent_sessions"], found["days_since_present"], found["days_since_last_mark"]) == (3, 6, 4)


def test_a_suspension_counts_from_the_day_it_was_recorded(known):
    suspended = rows("suspensions", """
        pupil_id | start_date | category | sessions | recorded_on
        A        | 2024-11-01 | SUSP     | 4        | 2024-11-02
        A        | 2024-12-01 | SUSP     |          | 2025-01-12
        A        | 2024-12-02 | SUSP     | 9        | 2025-01-13
        A        | 2023-01-01 | PERM     |          | 2023-01-01
    """)  # fmt: skip
    found = known(suspensions=suspended)
    assert (found["suspensions_90d"], found["suspended_sessions_90d"], found["permanent_exclusions"]) == (2, 5, 1)


def test_an_episode_is_open_until_its_end_was_recorded(known):
    care = rows("social_care", """
        pupil_id | kind | start_date | end_date   | recorded_on | end_recorded_on
        A        | cin  | 2024-01-01 | 2024-12-31 | 2024-01-05  | 2025-01-13
        A        | cpp  | 2024-01-01 | 2024-12-31 | 2024-01-05  | 2025-01-12
    """)  # fmt: skip
    found = known(social_care=care)
    assert (found["cin_open"], found["cpp_open"], found["days_since_care_closed"]) == (1, 0, 13)


def test_a_move_in_the_year_is_told_from_an_entry_in_september(known):
    spells = rows("enrolments", """
        pupil_id | urn | entry_date | leaving_date | destination
        A        | 1   | 2018-09-04 | 2024-11-01   | state_school
        A        | 2   | 2024-11-11 |              |
    """)  # fmt: skip
    found = known(enrolments=spells)
    assert (found["in_year_moves_365d"], found["schools_so_far"], found["days_at_school"]) == (1, 2, 63)


def test_an_offer_that_was_not_answered_counts_in_year_6_only(known):
    applied = rows("admissions", """
        pupil_id | entry_year | phase     | applied_on | offered_urn | offered_on | response | response_on
        A        | 2025       | secondary | 2024-10-10 | 9           | 2025-03-01 |          |
    """)  # fmt: skip
    assert known(date(2025, 2, 24), admissions=applied)["offer_not_answered"] == 0
    assert known(date(2025, 4, 28), admissions=applied)["offer_not_answered"] == 1
    older = [{**PUPILS[0], "date_of_birth": "2012-05-01"}]
    assert known(date(2025, 4, 28), admissions=applied, pupils=older)["offer_not_answered"] == 0


def test_homes_are_counted_from_their_recording_and_the_area_is_that_of_the_newest(known):
    homes = rows("addresses", """
        pupil_id | start_date | end_date   | household_id | lsoa | temporary | recorded_on
        A        | 2015-01-01 | 2024-10-01 | H1           | E1   | false     | 2015-01-01
        A        | 2024-10-02 |            | H2           | E2   | true      | 2024-10-20
        A        | 2025-01-05 |            | H3           | E1   | false     | 2025-01-13
    """)  # fmt: skip
    areas = [{"lsoa": "E1", "idaci_decile": 9}, {"lsoa": "E2", "idaci_decile": 2}]
    found = known(addresses=homes, areas=areas)
    names = ("homes_known", "home_moves_365d", "temporary_home", "idaci_decile")
    assert tuple(found[n] for n in names) == (2, 1, 1, 2)


def test_a_feature_of_an_absent_table_is_missing_and_of_an_empty_one_zero(known):
    assert known()["suspensions_90d"] is None
    elsewhere = [{"pupil_id": "B", "start_date": "2024-11-01", "category": "SUSP"}]
    found = known(suspensions=elsewhere)
    assert (found["suspensions_90d"], found["days_since_suspension"]) == (0, None)


def test_the_cohort_is_on_a_roll_of_school_age_with_no_open_case(known):
    assert known() is not None
    assert known(pupils=[{**PUPILS[0], "date_of_birth": "2020-12-01"}]) is None
    left = [{**ENROLMENTS[0], "leaving_date": "2024-12-20", "leaving_recorded_on": "2025-01-12"}]
    assert known(enrolments=left) is None
    assert known(enrolments=[{**left[0], "leaving_recorded_on": "2025-01-13"}]) is not None
    case = [{"pupil_id": "A", "missing_from": "2024-10-01", "reported_on": "2024-11-01", "resolved_on": "2024-12-01"}]
    assert known(cme=case)["past_cases"] == 1
    assert known(cme=[{**case[0], "resolved_on": "2025-01-13"}]) is None


def test_protected_characteristics_are_never_features():
    assert len(CATALOGUE) >= 60
    for f in CATALOGUE:
        assert "fsm" not in f.sources
        assert not any(word in f.name for word in ("ethnic", "sex", "language", "religion", "fsm", "upn"))

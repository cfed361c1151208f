"""Another day of knowledge adds late records and corrections, never the future; on every engine."""

from datetime import date

import pytest

from features.evidence import evidence
from features.matrix import matrix
from tests.support.engines import open_on
from tests.support.tables import rows

D = date(2025, 1, 13)
PUPILS = [{"pupil_id": "A", "date_of_birth": "2014-05-01", "authority": "801"}]
ENROLMENTS = [
    {"pupil_id": "A", "urn": "1", "entry_date": "2018-09-04", "leaving_date": None, "leaving_recorded_on": None}
]


@pytest.fixture
def opened(feature_engine, tmp_path):
    """Return a function that opens tables on one engine, with pupil A on a roll."""

    def build(**tables):
        return open_on(feature_engine, {"pupils": PUPILS, "enrolments": ENROLMENTS, **tables}, tmp_path)

    return build


@pytest.fixture
def features(opened):
    """Return a function from the day of knowledge to the features of pupil A as of D, or None outside the cohort."""

    def given(**tables):
        histories = opened(**tables)
        return lambda known_on=None: next(iter(matrix(histories, [D], known_on=known_on).to_pylist()), None)

    return given


SUSPENDED = rows(
    "suspensions",
    """
    pupil_id | start_date | category | sessions | recorded_on
    A        | 2024-12-01 | SUSP     | 1        | 2024-12-01
    A        | 2024-12-02 | SUSP     | 2        | 2024-12-20
    A        | 2024-12-01 | SUSP     | 4        | 2025-01-13
    A        | 2025-01-12 | SUSP     | 8        | 2025-02-01
    A        | 2025-01-13 | SUSP     | 16       | 2025-02-01
    A        | 2025-01-13 | PERM     |          | 2025-01-13
""",
)


@pytest.mark.parametrize(
    ("known_on", "sessions"),
    [
        (None, 1 + 2),
        (D, 1 + 2),
        (date(2025, 1, 14), 4 + 2),  # the correction was recorded on the 13th
        (date(2025, 2, 1), 4 + 2),
        (date(2025, 2, 2), 4 + 2 + 8),  # recorded late; what began on the as-of date is never visible
        (date(2024, 12, 20), 1),  # an earlier day removes records
    ],
)
def test_a_row_is_visible_if_recorded_before_the_day_of_knowledge_and_dated_before_the_as_of_date(
    features, known_on, sessions
):
    values = features(suspensions=SUSPENDED)(known_on)
    assert (values["suspended_sessions_90d"], values["permanent_exclusions"]) == (sessions, 0)


def test_an_end_is_visible_if_it_lies_before_the_as_of_date(features):
    care = rows(
        "social_care",
        """
        pupil_id | kind | start_date | end_date   | recorded_on | end_recorded_on
        A        | cin  | 2024-01-01 | 2025-01-12 | 2024-01-05  | 2025-01-20
        A        | cpp  | 2024-01-01 | 2025-01-13 | 2024-01-05  | 2025-01-20
        A        | cla  | 2024-01-01 | 2024-12-01 | 2024-01-05  | 2024-12-10
    """,
    )
    at = features(social_care=care)
    open_at = [
        tuple(at(k)[f"{c}_open"] for c in ("cin", "cpp", "cla")) for k in (None, date(2025, 1, 21), date(2024, 12, 10))
    ]
    assert open_at == [(1, 1, 0), (0, 1, 0), (1, 1, 1)]


def test_a_leaving_recorded_late_removes_the_child_from_the_earlier_cohort(features):
    left = [{**ENROLMENTS[0], "leaving_date": "2025-01-12", "leaving_recorded_on": "2025-02-10"}]
    at = features(enrolments=left)
    assert at() is not None
    assert at(date(2025, 2, 10)) is not None
    assert at(date(2025, 2, 11)) is None


def test_an_entry_agreed_beforehand_counts_and_one_recorded_later_does_not(features):
    spells = rows(
        "enrolments",
        """
        pupil_id | urn | entry_date | recorded_on
        A        | 1   | 2018-09-04 | 2018-09-04
        A        | 2   | 2024-11-11 | 2025-01-20
        A        | 3   | 2025-01-13 | 2025-01-20
    """,
    )
    at = features(enrolments=spells)
    assert (at()["schools_so_far"], at(date(2025, 3, 1))["schools_so_far"]) == (1, 2)
    agreed = [{**s, "recorded_on": "2025-01-02"} if s["urn"] == "3" else s for s in spells]
    at_agreed = features(enrolments=agreed)
    assert (at_agreed()["schools_so_far"], at_agreed(date(2025, 3, 1))["schools_so_far"]) == (2, 3)


def test_marks_are_corrected_up_to_the_day_of_knowledge(features):
    marks = rows(
        "attendance",
        """
        pupil_id | date       | session | code | recorded_on
        A        | 2025-01-08 | AM      | N    | 2025-01-08
        A        | 2025-01-08 | AM      | I    | 2025-01-13
        A        | 2025-01-08 | AM      | O    | 2025-01-20
        A        | 2025-01-09 | AM      | /    | 2025-01-20
        A        | 2025-01-13 | AM      | O    | 2025-01-13
    """,
    )
    at = features(attendance=marks)

    def attendance(known_on):
        one = at(known_on)
        return (
            one["sessions_known_28d"],
            one["no_reason_rate_28d"],
            one["ill_rate_90d"],
            one["trailing_absent_sessions"],
        )

    assert attendance(None) == attendance(D) == (1, 1, 0, 1)
    assert attendance(date(2025, 1, 14)) == (1, 0, 1, 1)
    assert attendance(date(2025, 1, 21)) == (2, 1 / 2, 0, 0)
    assert attendance(date(2025, 1, 8))[0] == 0


def test_a_stage_of_an_application_is_visible_from_its_own_date(features):
    applied = rows(
        "admissions",
        """
        pupil_id | entry_year | phase     | applied_on | offered_urn | offered_on | response | response_on | recorded_on
        A        | 2025       | secondary | 2024-10-10 | 9           | 2024-12-12 | declined | 2025-01-13  | 2025-02-01
    """,
    )
    at = features(admissions=applied, pupils=[{**PUPILS[0], "date_of_birth": "2014-05-01"}])
    names = ("no_application", "offer_not_answered", "offer_declined")
    assert [tuple(at(k)[n] for n in names) for k in (None, date(2025, 3, 1))] == [(None, None, None), (0, 1, 0)]


def test_evidence_uses_the_same_day_of_knowledge(opened):
    marks = [{"pupil_id": "A", "date": "2025-01-08", "session": "AM", "code": "O", "recorded_on": "2025-01-20"}]
    histories = opened(suspensions=SUSPENDED, attendance=marks)
    reasons = [("A", ["suspensions"]), ("A", ["attendance"])]
    (suspended, missed), (suspended_later, missed_later) = (
        evidence(histories, reasons, D, known_on) for known_on in (None, date(2025, 3, 1))
    )
    assert [r["date"] for r in suspended] == ["2024-12-02", "2024-12-01"]
    assert [r["date"] for r in suspended_later] == ["2025-01-12", "2024-12-02", "2024-12-01"]
    assert missed == []
    assert missed_later[0]["date"] == "2025-01-06"


def test_evidence_is_separate_for_each_reason_and_in_the_order_of_its_tables(opened):
    histories = opened(
        pupils=[*PUPILS, {**PUPILS[0], "pupil_id": "B"}],
        suspensions=[{**SUSPENDED[0], "pupil_id": p, "recorded_on": "2024-12-01"} for p in "AB"],
    )
    reasons = [
        ("A", ["suspensions", "enrolments"]),
        ("B", ["enrolments"]),
        ("A", ["enrolments"]),
        ("B", ["suspensions"]),
    ]
    tables = [[r["table"] for r in records] for records in evidence(histories, reasons, D)]
    assert tables == [["suspensions", "enrolments"], [], ["enrolments"], ["suspensions"]]

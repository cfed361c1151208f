"""Who is in the cohort, on every engine, and what is never a feature; ``features/specs`` defines the features."""

from datetime import date

import pytest

from features.catalogue import catalogue
from features.matrix import matrix
from tests.support.engines import open_on

D = date(2025, 1, 13)
PUPILS = [{"pupil_id": "A", "date_of_birth": "2014-05-01", "authority": "801"}]
ENROLMENTS = [
    {"pupil_id": "A", "urn": "1", "entry_date": "2018-09-04", "leaving_date": None, "leaving_recorded_on": None}
]


@pytest.fixture
def features_of(feature_engine, tmp_path):
    """Return the features of pupil A as of a day, on one engine."""

    def build(day=D, **tables):
        histories = open_on(feature_engine, {"pupils": PUPILS, "enrolments": ENROLMENTS, **tables}, tmp_path)
        return next((r for r in matrix(histories, [day]).to_pylist() if r["pupil_id"] == "A"), None)

    return build


def test_the_cohort_is_on_a_roll_of_school_age_with_no_open_case(features_of):
    assert features_of() is not None
    assert features_of(pupils=[{**PUPILS[0], "date_of_birth": "2020-12-01"}]) is None
    left = [{**ENROLMENTS[0], "leaving_date": "2024-12-20", "leaving_recorded_on": "2025-01-12"}]
    assert features_of(enrolments=left) is None
    assert features_of(enrolments=[{**left[0], "leaving_recorded_on": "2025-01-13"}]) is not None
    case = [{"pupil_id": "A", "missing_from": "2024-10-01", "reported_on": "2024-11-01", "resolved_on": "2024-12-01"}]
    assert features_of(cme=case)["past_cases"] == 1
    assert features_of(cme=[{**case[0], "resolved_on": "2025-01-13"}]) is None


def test_protected_characteristics_are_never_features():
    assert len(catalogue().features) >= 100
    for f in catalogue().features:
        assert "fsm" not in f.sources
        assert not any(word in f.name for word in ("ethnic", "sex", "language", "religion", "fsm", "upn"))

"""Reasons are sums by theme with their sign; what is context or never shown is no reason."""

import math
from datetime import date
from itertools import pairwise

import pytest

from tests.unit.explained_model import DECLARED, FEATURES
from training.explanation.reasons import NEVER_SHOWN, Reasons, with_evidence
from training.explanation.score import Context, Part, Reason, Score
from training.explanation.waterfall import waterfall

ROW = [0.28, 0.06, 2.0, 7.0, 1.0, 4.0]


def reasons_of(contributions, row=ROW):
    return Reasons(FEATURES, DECLARED).of(row, contributions)


def test_a_theme_is_summed_with_its_sign_and_speaks_by_its_strongest_feature():
    raising, lowering, _ = reasons_of([0.9, -0.2, -0.4, 0, 0, 0])
    assert [(r.theme, r.direction, round(r.contribution, 9)) for r in raising] == [
        ("attendance", "raises", 0.7)
    ]
    assert raising[0].sentence == "Missed 28% of sessions, up from 6%."
    assert raising[0].features == [Part("absence_28d", 0.28, 0.9), Part("absence_prev_28d", 0.06, -0.2)]
    assert [(r.theme, r.direction, r.sentence) for r in lowering] == [("moves", "lowers", "Has not moved.")]


def test_a_second_feature_speaks_when_its_share_is_half_of_the_first():
    assert reasons_of([0.9, 0.5, 0, 0, 0, 0])[0][0].sentence == (
        "Missed 28% of sessions, up from 6%. Missed 6% before."
    )
    assert reasons_of([0.9, 0.4, 0, 0, 0, 0])[0][0].sentence == "Missed 28% of sessions, up from 6%."


def test_context_and_what_is_never_shown_are_in_the_sum_but_no_reason():
    raising, lowering, context = reasons_of([0, 0, 0.1, 0.6, -0.2, 0.5])
    assert [r.theme for r in raising] == ["moves"]
    assert [p.name for p in raising[0].features] == ["moves_365d"]
    assert not lowering
    assert context == [
        Context("pupil", 0.6, [Part("year_group", 7.0, 0.6)]),
        Context(NEVER_SHOWN, 0.5),
        Context("data", -0.2, [Part("marks_late", 1.0, -0.2)]),
    ]


def test_a_missing_value_is_said_and_is_none_in_the_record():
    raising, _, _ = reasons_of([0.9, 0, 0, 0, 0, 0], [math.nan, *ROW[1:]])
    assert raising[0].sentence == "No marks in the last 28 days."
    assert raising[0].to_dict()["features"] == [{"name": "absence_28d", "value": None, "contribution": 0.9}]


def test_features_that_cancel_out_are_kept_so_that_the_parts_add_up():
    raising, lowering, _ = reasons_of([0.5, -0.5, 0, 0, 0, 0])
    assert not raising
    assert [(r.theme, r.contribution) for r in lowering] == [("attendance", 0.0)]


def test_evidence_is_of_the_features_that_speak_each_record_once_the_newest_first():
    reason = reasons_of([0.9, 0.5, 0, 0, 0, 0])[0][0]
    one = {"table": "attendance", "date": date(2025, 9, 1), "text": "unauthorised absence"}
    two = {"table": "attendance", "date": "2025-09-03", "text": "late"}
    shown = with_evidence(
        reason,
        {"absence_28d": [one, two], "absence_prev_28d": [one], "moves_365d": [{**one, "text": "moved"}]},
    )
    assert [(e["date"], e["text"]) for e in shown.evidence] == [
        ("2025-09-03", "late"),
        ("2025-09-01", "unauthorised absence"),
    ]
    many = [{**two, "text": str(i)} for i in range(30)]
    assert len(with_evidence(reason, {"absence_28d": many}).evidence) == 10


def test_evidence_against_the_direction_is_left_out():
    reason = Reason("attendance", "", "raises", 0.4, [Part("a", 1.0, 0.9), Part("b", 1.0, -0.5)])
    record = {"table": "attendance", "date": "2025-09-03", "text": "present"}
    assert with_evidence(reason, {"b": [record]}).evidence == []


def test_the_waterfall_goes_from_the_base_to_the_margin():
    raising, lowering, context = reasons_of([0.9, -0.2, -0.4, 0.6, 0, 0])
    score = Score(
        **{"pupil_id": "P1", "as_of": date(2025, 9, 8), "risk": 0.1, "risk_low": 0.1, "risk_high": 0.1},
        **{"rank": 1, "band": "high", "one_in": 10, "missing_tables": [], "unseen": [], "model": "onroll"},
        **{"model_version": 1, "definition": "commissioner", "horizon_days": 120},
        **{"reasons": raising, "protective": lowering, "context": context, "margin": -1.1, "base": -2.0},
    )
    steps = waterfall(score, {"attendance": "Attendance", "moves": "Moves"})
    assert [s["label"] for s in steps] == [
        *("Everyone scored", "Attendance", "About the pupil and the data", "Moves", "This pupil"),
    ]
    assert all(a["end"] == b["start"] for a, b in pairwise(steps[:-1]))
    assert steps[-2]["end"] == pytest.approx(steps[-1]["end"])

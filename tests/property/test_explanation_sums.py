"""Whatever the row, the parts of its score add up to its margin, and nothing forbidden is shown."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.explained_model import DECLARED, FEATURES, grown, manifest, tables
from training.explanation.waterfall import waterfall
from training.risk_model import RiskModel

value = st.one_of(st.just(math.nan), st.just(0.0), st.floats(-5, 5), st.floats(allow_nan=False))
ROLES = {d.name: d.role for d in DECLARED}


@pytest.fixture(scope="module")
def model():
    return RiskModel(manifest(), grown().model_to_string())


@given(row=st.lists(value, min_size=len(FEATURES), max_size=len(FEATURES)))
def test_the_parts_add_up_and_only_reasons_are_reasons(model, row):
    score = model.score(*tables(np.array([row])))[0]
    parts = [*score.reasons, *score.protective, *score.context]
    assert math.fsum(p.contribution for p in parts) + score.base == pytest.approx(score.margin, abs=1e-9)
    for reason in [*score.reasons, *score.protective]:
        assert math.fsum(p.contribution for p in reason.features) == pytest.approx(
            reason.contribution, abs=1e-12
        )
        assert {ROLES[p.name] for p in reason.features} == {"reason"}
        assert reason.sentence
        assert "nan" not in reason.sentence.lower()
        assert "because" not in reason.sentence.lower()
    assert {ROLES[p.name] for c in score.context for p in c.features} <= {"context"}
    assert all(r.contribution > 0 for r in score.reasons)
    assert all(r.contribution <= 0 for r in score.protective)
    assert 0 <= score.risk_low <= score.risk <= score.risk_high <= 1
    steps = waterfall(score)
    assert steps[-2]["end"] == pytest.approx(score.margin, abs=1e-9)


@given(row=st.lists(value, min_size=len(FEATURES), max_size=len(FEATURES)))
def test_contributions_are_those_of_lightgbm_for_any_row(model, row):
    rows = np.array([row])
    assert np.abs(model.contributions(rows) - grown().predict(rows, pred_contrib=True)).max() < 1e-9
    assert np.array_equal(model.margin(rows), grown().predict(rows, raw_score=True))

"""Contributions of random models equal LightGBM's and sum to the margin; reasons add up and hold no context."""

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.explanation.leaf_tables import LeafTables
from training.explanation.reasons import MIN_CONTRIBUTION, reasons, wording_of
from training.explanation.trees import read_forest


def model(seed, leaves, missing):
    rng = np.random.Generator(np.random.PCG64(seed))
    x = rng.normal(size=(800, 6)).round(2)
    if missing:
        x[rng.random(x.shape) < 0.2] = np.nan
    y = (np.nansum(x[:, :3], axis=1) + x[:, 3] ** 2 > 0.5).astype(float)
    parameters = {
        "objective": "binary",
        "num_leaves": leaves,
        "verbose": -1,
        "seed": seed,
        "num_threads": 1,
        "min_data_in_leaf": 5,
    }
    return lgb.train(parameters, lgb.Dataset(x, y), 25), x


@settings(max_examples=8)
@given(seed=st.integers(0, 1000), leaves=st.integers(2, 31), missing=st.booleans())
def test_contributions_equal_lightgbm(seed, leaves, missing):
    booster, x = model(seed, leaves, missing)
    x = np.vstack([x[:200], np.full((1, 6), np.nan), np.zeros((1, 6)), np.full((1, 6), 1e300)])
    tables = LeafTables(read_forest(booster.model_to_string()))
    contributions, margins = tables.contributions(x), tables.margins(x)
    assert np.abs(contributions - booster.predict(x, pred_contrib=True)).max() < 1e-9
    assert np.array_equal(margins, booster.predict(x, raw_score=True))
    assert np.abs(contributions.sum(axis=1) - margins).max() < 1e-9


NAMES = [f"f{i}" for i in range(6)]
CATALOGUE = [
    {"name": n, "theme": t, "raises": f"{n} is {{{n}:.2f}}", "lowers": f"{n} is low", "role": r}
    for n, t, r in zip(
        NAMES, "aabbcc", ["reason", "reason", "reason", "never_shown", "context", "context"], strict=True
    )
]


@given(
    values=st.lists(st.one_of(st.none(), st.floats(-9, 9)), min_size=6, max_size=6),
    parts=st.lists(st.floats(-3, 3), min_size=6, max_size=6),
)
def test_reasons_add_up_and_hold_no_context(values, parts):
    row = dict(zip(NAMES, values, strict=True))
    raising, protective, context = reasons(
        row, np.array(parts), CATALOGUE, {"a": "A", "b": "B", "c": "C"}, wording_of(CATALOGUE, {})
    )
    total = sum(r.contribution for r in raising + protective + context)
    assert total == pytest.approx(sum(parts), abs=1e-9)
    for r in raising + protective:
        assert r.contribution == pytest.approx(sum(f["contribution"] for f in r.features), abs=1e-9)
        assert r.theme != "C"
        assert not {"f3", "f4", "f5"} & {f["name"] for f in r.features}
        assert "nan" not in r.sentence.lower()
        assert abs(r.contribution) >= MIN_CONTRIBUTION

"""The ridge regression: equal to scikit-learn's if no direction binds, monotone where declared, and explained exactly."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from features.catalogue import catalogue
from histories.errors import Faults
from training.bundle import read_bundle, write_bundle
from training.explanation.linear_terms import LinearTerms
from training.explanation.scorer import scorer_of
from training.fitting.candidates import Learning, learner, pieces, ridge
from training.fitting.candidates.bounded_newton import quadratic_minimum
from training.risk_model import RiskModel

NAMES = catalogue().names
DIRECTION = np.array([catalogue().by_name[n].direction for n in NAMES])


def learning(rows=1500, seed=1):
    """Values of many scales, some missing, some features constant or wholly missing; risk against the first declared direction."""
    rng = np.random.default_rng(seed)
    x = rng.gamma(1.0, 1.0, (rows, len(NAMES))) * rng.choice([0.01, 1.0, 300.0], len(NAMES))
    x[rng.random(x.shape) < 0.1] = np.nan
    x[:, 5], x[:, 6] = 3.0, np.nan
    against = int(np.flatnonzero(DIRECTION > 0)[0])
    scaled = np.nan_to_num(x) / np.nan_to_num(x).std(axis=0).clip(1e-9)
    logit = -2.5 + scaled[:, 20] - scaled[:, 30] - scaled[:, against] + np.isnan(x[:, 40])
    return Learning(
        x=x,
        y=(rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(float),
        weight=rng.choice([1.0, 3.0], rows),
        names=NAMES,
        seed=1,
    )


def test_without_directions_it_is_what_scikit_learn_finds_on_the_same_columns():
    past, strength = learning(), 0.01
    terms = ridge.fit(past, monotone=False, strength=strength)
    x, weight = past.x, past.weight
    flagged = [j for j in range(x.shape[1]) if 0 < np.isnan(x[:, j]).mean() < 1]
    whole = [x[:, j] for j in range(x.shape[1]) if not np.isnan(x[:, j]).all()]
    parts = [np.clip(x[:, j], a, b) for j, ends in enumerate(terms.knots) for a, b in pairwise(ends)]
    assert len(parts) > pieces.CURVED
    columns = []
    for values in (*whole, *parts):
        present = ~np.isnan(values)
        mean = np.average(values[present], weights=weight[present])
        spread = np.sqrt(np.average((values[present] - mean) ** 2, weights=weight[present]))
        columns.append(np.where(present, values - mean, 0.0) / (spread if spread > 1e-9 else 1.0))
    for j in flagged:
        share = np.average(np.isnan(x[:, j]), weights=weight)
        columns.append((np.isnan(x[:, j]) - share) / np.sqrt(share * (1 - share)))
    whole = np.column_stack(columns)
    theirs = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-10).fit(whole, past.y, weight)
    np.testing.assert_allclose(terms.margins(x), theirs.decision_function(whole), atol=1e-5)


def test_no_piece_of_a_term_goes_against_its_direction():
    past = learning()
    free, directed = (ridge.fit(past, monotone, 0.1) for monotone in (False, True))
    assert any((free.slopes(j) * way < -1e-6).any() for j, way in enumerate(DIRECTION))
    assert all((directed.slopes(j) * way >= 0).all() for j, way in enumerate(DIRECTION))
    assert any(len(set(directed.slopes(j))) > 1 for j, way in enumerate(DIRECTION) if way)


def bending(rows=4000, seed=3):
    """A risk that rises with the first feature up to 1 and not beyond, and otherwise is noise."""
    rng = np.random.default_rng(seed)
    x = rng.random((rows, len(NAMES))) * 4
    logit = -3 + 3 * np.minimum(x[:, 0], 1)
    y = (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(float)
    return Learning(x=x, y=y, weight=np.ones(rows), names=NAMES, seed=1)


def test_a_line_bends_where_the_risk_does():
    terms = ridge.fit(bending(), monotone=True, strength=0.1)
    at = np.tile(np.nan_to_num(terms.centre), (4, 1))
    at[:, 0] = [0.0, 1.0, 2.0, 4.0]
    below, above, far = np.diff(terms.margins(at))
    assert below > 2 * above
    assert far < below


def test_the_features_that_bend_are_those_that_tell_most_and_their_ends_lie_among_outcomes():
    past = bending()
    terms = ridge.fit(past, monotone=True, strength=0.1)
    assert terms.knots[0]
    assert 0 < sum(map(bool, terms.knots)) <= pieces.CURVED
    for j, ends in enumerate(terms.knots):
        if ends:
            assert [ends[0], ends[-1]] == [past.x[:, j].min(), past.x[:, j].max()]
            went = past.x[past.y == 1, j]
            assert went.min() <= min(ends[1:-1]) <= max(ends[1:-1]) <= went.max()
            assert terms.span(j) == pytest.approx(np.ptp(terms._terms(past.x)[:, j]), abs=0.05 * terms.span(j) + 1e-9)


def test_terms_of_before_there_were_pieces_score_as_they_did():
    """A version's manifest has no pieces then; the sum is that of its lines."""
    past = learning()
    stored = ridge.fit(past, monotone=True, strength=0.01).stored()
    assert json.loads(json.dumps(stored)) == stored
    assert "slope" not in stored  # so that an onroll of then refuses it
    earlier = {name: of for name, of in stored.items() if name not in ("knots", "added")}
    earlier["slope"] = earlier.pop("slope_of_line")
    of_lines = LinearTerms.read(earlier, NAMES)
    clipped = np.clip(past.x, of_lines.low, of_lines.high)
    lines = np.where(np.isnan(clipped), of_lines.missing, (clipped - of_lines.centre) * np.array(of_lines.slope))
    assert np.array_equal(of_lines.margins(past.x), of_lines.intercept + lines.sum(axis=1))
    assert of_lines.span(3) == pytest.approx(abs(of_lines.slope[3]) * (of_lines.high[3] - of_lines.low[3]))


@pytest.mark.parametrize("name", ["ridge", "mean", "weighted_mean"])
def test_contributions_add_up_to_the_margin_and_rest_on_the_mean(name, bundle, tmp_path):
    """For any rows, some far outside the training data, alone and together, through a bundle on disk."""
    past, (booster, manifest) = learning(), read_bundle(bundle)
    terms = ridge.fit(past, monotone=True, strength=0.01)
    released = replace(manifest, candidate=name, ridge=terms.stored())
    write_bundle(tmp_path, booster if name != "ridge" else "", released, {"card.md": "# card\n"})
    assert (tmp_path / "booster.txt").exists() == (name != "ridge")
    model = RiskModel.load(tmp_path)
    rows = np.vstack([past.x[:200], past.x[:5] * 1e6, -past.x[:5] * 1e6, np.full((1, len(NAMES)), np.nan)])
    parts, margins = model.contributions(rows)
    np.testing.assert_allclose(parts.sum(axis=1), margins, atol=1e-9)
    alone = np.concatenate([model.scorer.margins(rows[i : i + 1]) for i in range(len(rows))])
    assert np.array_equal(alone, margins)
    if name == "ridge":
        mean = np.average(model.scorer.contributions(past.x)[:, :-1], axis=0, weights=past.weight)
        np.testing.assert_allclose(mean, 0, atol=1e-8)
        assert np.array_equal(margins, terms.margins(rows))
        assert margins.max() <= terms.margins(np.vstack([past.x, rows])).max()
    else:
        of_booster, of_ridge = scorer_of(booster, manifest).margins(rows), terms.margins(rows)
        share = {"mean": 0.5, "weighted_mean": 0.75}[name]
        assert np.array_equal(margins, share * of_ridge + (1 - share) * of_booster)


def test_a_value_beyond_those_seen_counts_as_the_nearest():
    terms = ridge.fit(learning(), monotone=True, strength=0.1)
    far, edge = np.full((1, len(NAMES)), 1e12), np.array([terms.high])
    assert np.array_equal(terms.margins(far), terms.margins(edge))


def test_the_mean_candidate_learns_as_its_parts_do():
    past, settings = learning(), {"monotone": True, **dict.fromkeys(("rounds", "num_leaves", "max_depth"), 3)}
    settings |= {
        "learning_rate": 0.1,
        "min_data_in_leaf": 5,
        "feature_fraction": 1.0,
        "lambda_l2": 1.0,
        "negative_share": 1.0,
    }
    parts = [learner(name, settings)(past)(past.x) for name in ("ridge", "lightgbm")]
    assert np.array_equal(learner("mean", settings)(past)(past.x), np.mean(parts, axis=0))
    expected = 0.75 * parts[0] + 0.25 * parts[1]
    assert np.array_equal(learner("weighted_mean", settings)(past)(past.x), expected)


def test_the_same_rows_give_the_same_coefficients_whatever_the_threads():
    from threadpoolctl import threadpool_limits

    fitted = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            fitted.append(json.dumps(ridge.fit(learning(), monotone=True).stored()))
    assert fitted[0] == fitted[1]


@pytest.mark.parametrize("seed", range(20))
def test_the_quadratic_minimum_meets_its_conditions(seed):
    """Feasible, no slope along what is free, none downwards along what is held at zero (Karush-Kuhn-Tucker)."""
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(12, 8))
    hessian, linear, signed = half.T @ half + 0.01 * np.eye(8), rng.normal(size=8), rng.random(8) < 0.7
    start = np.where(signed, np.maximum(rng.normal(size=8), 0), rng.normal(size=8))
    point = quadratic_minimum(hessian, linear, start, signed)
    slope = hessian @ point - linear
    assert (point[signed] >= 0).all()
    held = signed & (point == 0)
    assert np.abs(slope[~held]).max(initial=0) < 1e-8
    assert (slope[held] > -1e-8).all()


@pytest.mark.parametrize(
    "damage", ["missing", "short", "text", "nothing", "a slope too few", "falling", "no slopes", "endless"]
)
def test_damaged_coefficients_are_a_fault(damage):
    stored = ridge.fit(learning(200), monotone=True, strength=0.01).stored()
    if damage == "missing":
        del stored["slope_of_line"]
    elif damage == "short":
        stored["mean"] = stored["mean"][1:]
    elif damage == "text":
        stored["intercept"] = "x"
    elif damage == "no slopes":
        del stored["added"]
    elif damage != "nothing":
        bent = next(j for j, ends in enumerate(stored["knots"]) if ends)
        knots, added = list(stored["knots"][bent]), list(stored["added"][bent])
        spoiled = {
            "a slope too few": (knots, added[1:]),
            "falling": (knots[::-1], added),
            "endless": ([*knots[:-1], float("inf")], added),
        }
        stored["knots"], stored["added"] = [[*of] for of in stored["knots"]], [[*of] for of in stored["added"]]
        stored["knots"][bent], stored["added"][bent] = spoiled[damage]
    with pytest.raises(Faults, match="coefficients"):
        LinearTerms.read({} if damage == "nothing" else stored, NAMES)

"""A model whose trees or coefficients go against a declared direction, or cannot be read, fails the gate."""

import copy
import re

import numpy as np
import pytest

from features.catalogue import catalogue
from tests.support.gates import assert_fails, assert_needs_every_input, put


def negated(leaves):
    return "leaf_value=" + " ".join(str(-float(value)) for value in leaves[1].split())


def upside_down(parts):
    put(parts, re.sub(r"leaf_value=(.*)", negated, parts["booster"]), "booster")


def cut_off(parts):
    put(parts, parts["booster"][:5000], "booster")


def against_directions(parts):
    turned = [-slope for slope in parts["manifest"]["ridge"]["slope"]]
    put(parts, turned, "manifest", "ridge", "slope")


def a_piece_against_directions(parts):
    """One piece that falls more steeply than its line rises."""
    ridge = parts["manifest"]["ridge"]
    at = next(j for j, slope in enumerate(ridge["slope"]) if slope)
    knots, added = ([[] for _ in ridge["slope"]] for _ in range(2))
    knots[at], added[at] = [0.0, 0.5, 1.0], [0.0, -2 * ridge["slope"][at]]
    put(parts, knots, "manifest", "ridge", "knots")
    put(parts, added, "manifest", "ridge", "added")


def too_few_terms(parts):
    put(parts, parts["manifest"]["ridge"]["mean"][1:], "manifest", "ridge", "mean")


@pytest.fixture
def mean_of_both(good):
    """A dossier of a model that is the mean of a booster and a ridge regression."""
    parts = copy.deepcopy(good)
    names = parts["manifest"]["features"]
    terms = {name: [0.0] * len(names) for name in ("low", "centre", "missing", "mean")}
    slopes = [0.1 * catalogue().by_name[name].direction for name in names]
    ridge = {**terms, "high": [1.0] * len(names), "slope": slopes, "intercept": -3.0, "strength": 0.001}
    put(parts, "mean", "manifest", "candidate")
    put(parts, {"mean": parts["manifest"]["metrics"]["lightgbm"]}, "manifest", "metrics")
    put(parts, ridge, "manifest", "ridge")
    assert np.any(slopes)
    return parts


@pytest.mark.parametrize("spoil", [upside_down, cut_off])
def test_gate_fails_for_each_reason(good, spoil):
    assert_fails("G005", good, spoil)


@pytest.mark.parametrize("spoil", [upside_down, against_directions, a_piece_against_directions, too_few_terms])
def test_both_parts_of_a_mean_are_looked_at(mean_of_both, spoil):
    assert_fails("G005", mean_of_both, spoil)


def test_gate_needs_every_input(good):
    assert_needs_every_input("G005", good)


def test_gate_needs_every_input_of_a_mean(mean_of_both):
    assert_needs_every_input("G005", mean_of_both)

"""Contributions as a report shows them: no point is one child, and no small number of children makes a point."""

import numpy as np
import pytest

from training.evaluation.shown_contributions import POINT, dependence, shown, swarm

RNG = np.random.default_rng(5)
CHILDREN = 200


def equally(measure, values, parts):
    return measure(values, parts, np.ones(len(values)))


@pytest.fixture
def odd_one():
    """Values and contributions of 200 children, of whom one is far from all others."""
    values, parts = RNG.normal(size=CHILDREN), RNG.normal(size=CHILDREN)
    values[17], parts[17] = 1000.0, 500.0
    return values, parts


def test_no_point_is_a_child_not_even_one_far_from_all_others(odd_one):
    values, parts = odd_one
    points = equally(swarm, values, parts)
    assert len(points["contribution"]) == CHILDREN // POINT
    assert max(points["contribution"]) < 60
    assert max(points["value"]) < 110
    curve = equally(dependence, values, parts)
    assert max(b["value"] for b in curve) < 110
    assert all(b["children"] >= POINT and b["children"] % 5 == 0 for b in curve)


def test_points_keep_the_mean_of_all_children(odd_one):
    values, parts = odd_one
    points = equally(swarm, values, parts)
    assert np.mean(points["contribution"]) == pytest.approx(parts.mean(), rel=1e-3)
    assert np.mean(points["value"]) == pytest.approx(values.mean(), rel=1e-3)


def test_the_rest_joins_the_last_point_and_too_few_children_make_none():
    assert len(equally(swarm, np.arange(19.0), np.arange(19.0))["contribution"]) == 1
    assert equally(swarm, np.arange(9.0), np.arange(9.0)) == {"contribution": [], "value": []}
    assert equally(dependence, np.arange(9.0), np.arange(9.0)) == []


def test_a_few_known_or_a_few_missing_values_are_not_shown():
    values = np.full(30, np.nan)
    values[:7] = 3.0
    assert equally(swarm, values, np.zeros(30))["value"] == [None, None, None]
    values = np.arange(30.0)
    values[:7] = np.nan
    assert None not in [b["value"] for b in equally(dependence, values, np.zeros(30))]
    values[:12] = np.nan
    assert [b["value"] for b in equally(dependence, values, np.zeros(30))][-1] is None


def test_children_with_one_value_are_not_parted():
    values = np.concatenate([np.zeros(150), np.arange(30.0)])
    curve = equally(dependence, values, values)
    assert curve[0] == {"value": 0.0, "contribution": 0.0, "spread": 0.0, "children": 150}
    assert sum(b["children"] for b in curve) == 180


def test_a_mean_does_not_tell_how_many_of_ten_have_something():
    yes, parts = np.array([0.0] * 16 + [1.0] * 14), np.arange(30.0)
    assert equally(swarm, yes, parts)["value"] == [0.0, None, 1.0]
    assert [b["value"] for b in equally(dependence, yes, parts)] == [0.0, 1.0]
    few = np.array([0.0] * 26 + [1.0] * 4)
    assert equally(swarm, few, parts)["value"] == [0.0, 0.0, None]
    assert [b["value"] for b in equally(dependence, few, parts)] == [0.0]


def test_children_count_by_their_weights():
    values, parts = np.arange(10.0), np.array([0.0] * 9 + [10.0])
    weight = np.array([1.0] * 9 + [91.0])
    assert swarm(values, parts, weight)["contribution"] == [9.1]
    assert dependence(np.full(10, np.nan), parts, weight)[0]["contribution"] == 9.1


def test_the_strongest_features_come_first():
    x, parts = np.ones((50, 3)), np.array([[0.1, -2.0, 1.0]] * 50)
    result = shown(x, parts, ["weak", "strong", "middle"], np.ones(50))
    assert list(result["beeswarm"]) == list(result["dependence"]) == ["strong", "middle", "weak"]

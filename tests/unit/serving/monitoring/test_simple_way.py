"""The list beside simple ways: what each orders children by, on which days, and what is said of the difference."""

from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from serving.monitoring import simple_way
from serving.monitoring.paired import LEVEL, Paired, paired, share_limits, sign_test
from serving.monitoring.simple_way import AVERAGES, CHECKLIST, MISSED, TIES, WHY, SimpleWays, compared_days, simple_ways
from serving.monitoring.text import text_of
from tests.support.reported import report

DAY = date(2024, 1, 15)
PUPILS = ["p1", "p2", "p3", "p4"]
ASKED = sorted({name for name, _, _ in CHECKLIST} | {TIES, MISSED, *AVERAGES})


@pytest.fixture
def features(monkeypatch):
    """Children's features are those that the test gives; others are missing."""

    def given(**values):
        def matrix(histories, days, **_):
            rows = [
                {"pupil_id": p, "as_of": d, **dict.fromkeys(ASKED), **{name: v[n] for name, v in values.items()}}
                for d in days
                for n, p in enumerate(PUPILS)
            ]
            return (
                pl.DataFrame(rows, infer_schema_length=None)
                .cast(dict.fromkeys((*ASKED, *values), pl.Float64))
                .to_arrow()
            )

        monkeypatch.setattr(simple_way, "matrix", matrix)

    monkeypatch.setattr(simple_way, "find_homes", lambda histories, pupils, day: [])

    given()
    return given


def scored(ranks=(1, 2, 3, 4), labels=(1, 1, 1, 1), days=(DAY,), lists=("help_early",) * 4):
    """Return lists of four children, of whom a team reviews two."""
    columns = {"pupil_id": PUPILS, "rank": ranks, "label": labels, "list": lists}
    frame = pl.DataFrame(columns, schema_overrides={"label": pl.Float64, "list": pl.String})
    frame = frame.with_columns(authority=pl.lit("801"), places=pl.lit(2))
    return pl.concat(frame.with_columns(as_of=pl.lit(d)) for d in days)


def manifest(candidate, ridge=None, names=("a",)):
    parts = {"ridge": {"ridge": 1.0}, "mean": {"ridge": 0.5, "booster": 0.5}}.get(candidate, {"booster": 1.0})
    return SimpleNamespace(candidate=candidate, parts=parts, ridge=ridge or {}, features=list(names))


def way(ways, name):
    return next(w for w in ways.compared if w.way == name)


def test_averages_of_school_and_area_order_by_what_is_known_of_them(features):
    features(school_lost_730d=[0.0, 0.2, None, 0.1], area_lost_730d=[0.1, None, None, 0.5])
    found = way(simple_ways(None, "1", {"1": scored(labels=(1, 1, 0, 1))}), "surroundings")
    assert (found.only_list, found.only_simple) == (1, 1), "p4 (0.3) and p2 (0.2) beside p1 and p2"


def test_brothers_and_sisters_are_one_event(features, monkeypatch):
    """The list found p1 and p2, who live together, and the averages p4: one home each. Six children of three families are no finding."""
    features(school_lost_730d=[0.0, 0.2, None, 0.1], area_lost_730d=[0.1, None, None, 0.5])
    monkeypatch.setattr(simple_way, "find_homes", lambda histories, pupils, day: [["p1", "p2"]])
    found = way(simple_ways(None, "1", {"1": scored(labels=(1, 1, 1, 1))}), "surroundings")
    assert (found.children, found.only_list, found.only_simple) == (2, 0, 1), "the averages found p2 of the first home"
    both = pl.DataFrame({"pupil_id": list("abcdef"), "home": list("aaccee"), "as_of": DAY, "label": 1.0}).with_columns(
        by_list=True, simply=False
    )
    assert paired(both).verdict == "as_good"
    assert paired(both.with_columns(home="pupil_id")).verdict == "better"


def test_the_logistic_regression_is_that_within_the_version(features, monkeypatch):
    monkeypatch.setattr(simple_way, "changed_since", lambda _: [])
    features(a=[0.0, 1.0, 2.0, 3.0])
    one = {"low": [0.0], "high": [9.0], "centre": [0.0], "slope": [2.0], "missing": [0.0], "mean": [0.0]}
    terms = {**one, "intercept": 0.0, "strength": 1.0}
    found = way(simple_ways(None, "1", {"1": scored()}, manifest("mean", terms)), "logistic")
    assert (found.only_list, found.only_simple) == (2, 2), "p4 and p3 beside p1 and p2"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (None, "no_folder"),
        (manifest("ridge", {"slope": []}), "itself"),
        (manifest("lightgbm"), "not_within"),
        (manifest("mean", {"slope": []}), "changed"),
    ],
)
def test_a_way_that_cannot_be_compared_says_why(features, monkeypatch, given, why):
    monkeypatch.setattr(simple_way, "changed_since", lambda _: ["a"])
    ways = simple_ways(None, "1", {"1": scored(lists=(None,) * 4)}, given)
    left = {"logistic": why, "stopped": "no_places", "surroundings": "no_averages", "challenger": "no_lists"}
    assert ways.left_out == left
    assert set(left.values()) <= set(WHY)
    assert [w.way for w in ways.compared] == ["checklist"]


def test_a_challenger_is_compared_on_the_lists_that_both_made(features):
    other = scored(ranks=(4, 3, 2, 1), days=(DAY, DAY + timedelta(weeks=1)))
    ways = simple_ways(None, "1", {"1": scored(), "2": other})
    found = way(ways, "challenger")
    assert (found.other, found.days, found.only_list, found.only_simple) == ("2", [DAY], 2, 2)
    assert "challenger" not in ways.left_out
    open_yet = other.with_columns(as_of=pl.lit(DAY + timedelta(weeks=1)))
    assert simple_ways(None, "1", {"1": scored(), "2": open_yet}).left_out["challenger"] == "no_lists"


def test_ways_are_compared_on_the_first_and_last_list_of_the_newest_terms():
    days = [
        date(2022, 11, 7),
        *(date(2023, 1, 9) + timedelta(weeks=n) for n in range(4)),
        date(2023, 5, 1),
        date(2023, 9, 11),
    ]
    lists = pl.concat([scored(days=days), scored(labels=(None,) * 4, days=[date(2024, 1, 15)])])
    assert compared_days(lists) == [date(2023, 1, 9), date(2023, 1, 30), date(2023, 5, 1), date(2023, 9, 11)]


def test_each_term_has_its_own_comparison_and_they_add_up(features):
    days = (date(2023, 9, 11), DAY)
    found = way(simple_ways(None, "1", {"1": scored(ranks=(4, 3, 2, 1), days=days)}), "checklist")
    assert list(found.terms) == ["2023/24 autumn", "2023/24 spring"]
    assert found.listed == sum(p.listed for p in found.terms.values()) == 4
    assert (found.only_list, [p.only_list for p in found.terms.values()]) == (2, [2, 2]), "the same children twice"


def pair(only_list, only_simple):
    n = only_list + only_simple
    return Paired(
        days=[DAY],
        listed=n,
        listed_simply=n,
        found=only_list,
        found_simply=only_simple,
        children=only_list,
        children_simply=only_simple,
        only_list=only_list,
        only_simple=only_simple,
    )


def test_the_interval_leaves_out_0_exactly_if_the_sign_test_does():
    for n in range(26):
        for k in range(n + 1):
            lead = pair(k, n - k).lead
            assert (lead.low <= 0 <= lead.high) == (sign_test(k, n - k) >= LEVEL), (k, n - k)
            assert lead.low <= lead.value <= lead.high


def test_the_interval_holds_the_true_difference_as_often_as_it_says():
    """With 40 children whom one way finds, of whom 60% by the list: exact intervals hold it in at least 95%."""
    drawn = np.random.default_rng(3).binomial(40, 0.6, 2000)
    held = {k: share_limits(k, 40)[0] <= 0.6 <= share_limits(k, 40)[1] for k in set(drawn.tolist())}
    assert 0.95 <= np.mean([held[k] for k in drawn.tolist()]) < 0.985


def test_a_child_who_is_on_several_lists_counts_once():
    rows = pl.DataFrame(
        {"pupil_id": ["p"] * 2, "home": ["p"] * 2, "as_of": [DAY, DAY + timedelta(weeks=1)], "label": [1.0, 1.0]}
    )
    both = paired(rows.with_columns(by_list=pl.Series([True, False]), simply=pl.Series([False, True])))
    assert (both.found, both.found_simply, both.only_list, both.only_simple) == (1, 1, 0, 0)


def test_the_terminal_says_plainly_that_the_simple_way_is_as_good():
    said = text_of(report())
    assert "is version 1 still better than simple ways?" in said
    assert "the list found more than a checklist: of 60 first children" in said
    assert "20 homes only by the list, 7 only by the other way: +13 (95% interval +2.0 to +21.0)" in said
    assert "taking those first who have already stopped coming is as good, as far as these outcomes show" in said
    assert "    2023/24 spring: the list found more than a checklist" in said
    assert f"not compared: the logistic regression within the version: {WHY['itself']}" in said


def test_json_has_terms_intervals_and_what_is_left_out():
    told = report().to_dict()
    checklist = told["simple_ways"][0]
    assert checklist["lead"]["value"] == 13
    assert checklist["terms"]["2023/24 spring"]["verdict"] == "better"
    assert told["simple_ways_left_out"] == {"logistic": WHY["itself"]}
    assert report(simple=SimpleWays()).to_dict()["simple_ways"] == []

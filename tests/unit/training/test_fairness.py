"""Fairness: counts, hiding, and the detection of a simulated gap."""

import json

import numpy as np
import polars as pl
import pytest
from fairlearn.metrics import MetricFrame, count, false_positive_rate, selection_rate, true_positive_rate

from features.groups.disclosure import SMALLEST, partition, rounded
from training.evaluation import fairness_table
from training.evaluation.fairness import fairness, hide_layers
from training.evaluation.fairness_report import FIGURES
from training.evaluation.proxies import proxies
from training.fitting.sampling import sample
from training.measures import metrics
from training.measures.design_effects import Design

N = 30_000


def listed(frame, scores, capacity, seed=1):
    return metrics.listed(scores, metrics.numbers(frame, "authority", "as_of"), capacity, seed)


@pytest.fixture(scope="module")
def population():
    """Correct risks, but scores that halve the risk of Gypsy/Roma children."""
    rng = np.random.Generator(np.random.PCG64(11))
    snapshots = pl.DataFrame(
        {
            "pupil_id": [f"p{n}" for n in range(N)],
            "as_of": ["2025-01-13"] * N,
            "authority": rng.choice(["801", "802"], N),
        }
    )
    ethnicity = rng.choice(["white_british", "asian", "gypsy_roma", "irish_traveller"], N, p=[0.75, 0.17, 0.079, 0.001])
    groups = snapshots.select("pupil_id", "as_of").with_columns(
        pl.Series("ethnicity", ethnicity),
        pl.Series("sex", rng.choice(["female", "male"], N)),
        pl.Series("age", rng.choice(["4", "5"], N)),
    )
    risk = rng.beta(0.4, 12, N)
    labels = (rng.random(N) < risk).astype(float)
    scores = np.where(ethnicity == "gypsy_roma", risk / 2, risk)
    return snapshots, scores, labels, groups


@pytest.fixture(scope="module")
def report(population):
    return fairness(*population, capacity=0.1)


def slice_of(report, *values):
    return next(s for s in [*report.slices, *report.pairs] if s.values == values)


def test_the_list_takes_the_highest_of_each_authority_and_breaks_ties_by_lot():
    lists = pl.DataFrame({"authority": ["1"] * 4 + ["2"] * 4, "as_of": ["d"] * 8})
    scores = np.array([0.1, 0.9, 0.5, 0.2, 0.01, 0.02, 0.02, 0.02])
    assert listed(lists, scores, 2).tolist()[:4] == [False, True, True, False]
    assert listed(lists, scores, 0.5).reshape(2, 4).sum(axis=1).tolist() == [2, 2]
    assert {tuple(listed(lists, scores, 1, seed)) for seed in range(20)} == {
        (False, True, False, False, False, *(n == k for n in range(1, 4))) for k in range(1, 4)
    }


@pytest.mark.parametrize("names", [["ethnicity"], ["ethnicity", "sex"]])
def test_counts_are_fairlearns_counts(population, report, names):
    snapshots, scores, labels, groups = population
    on = listed(snapshots, scores, 0.1)
    theirs = MetricFrame(
        metrics={
            "children": count,
            "listing_rate": selection_rate,
            "recall": true_positive_rate,
            "false_listing_rate": false_positive_rate,
        },
        y_true=labels,
        y_pred=on.astype(int),
        sensitive_features=groups.select(names).to_pandas(),
    ).by_group
    seen = 0
    for values, expected in theirs.iterrows():
        key = (values,) if isinstance(values, str) else values
        row = next((s for s in [*report.slices, *report.pairs] if s.values == key), None)
        if row is None:  # pairs are of broader values
            continue
        assert row.counts["children"] in (None, rounded(expected["children"]))
        for figure in ("listing_rate", "recall", "false_listing_rate"):
            if row.figures[figure]:
                seen += 1
                assert row.figures[figure].low < expected[figure] < row.figures[figure].high
    assert seen >= 6


def test_a_gap_that_was_put_in_is_found_and_no_other(report):
    gaps = {(s.values[0], f) for s, f in report.beyond({"recall": 0.1, "calibration": 1.25, "listing_rate": 1.5})}
    assert {("gypsy_roma_traveller", f) for f in ("recall", "calibration", "listing_rate")} <= gaps
    assert not [g for g in gaps if g[0] in ("female", "male", "4", "5")]
    assert report.beyond({"precision": 0.3}) == []
    roma = slice_of(report, "gypsy_roma_traveller")
    assert roma.figures["calibration"].low > 1.25
    assert roma.gaps["recall"].high < -0.1
    assert (
        slice_of(report, "asian").figures["calibration"].low < 1 < slice_of(report, "asian").figures["calibration"].high
    )


def test_figures_of_a_few_children_are_hidden_in_every_format(report, tmp_path):
    few = slice_of(report, "irish_traveller")
    assert few.counts["found"] is slice_of(report, "gypsy_roma").counts["found"] is None
    assert few.figures["recall"] is few.figures["precision"] is few.gaps["recall"] is None
    for row in [*report.slices, *report.pairs]:
        assert all(n is None or (n > SMALLEST and n == rounded(n)) for n in row.counts.values())
        if row.counts["found"] is None:
            assert row.figures["recall"] is row.figures["precision"] is row.figures["false_listing_rate"] is None
    assert json.loads(json.dumps(report.to_dict()))["overall"]["counts"]["children"] == rounded(N)
    text = fairness_table.text(report)
    assert "Irish Traveller" in text
    assert "[c]" in text
    fairness_table.save_plot(report, tmp_path / "f.svg")
    assert (tmp_path / "f.svg").stat().st_size > 5000


def test_the_few_outside_a_count_disclose_as_much_as_the_few_inside():
    layers = {
        "children": {"a": 60, "b": 5000, "c": 4000},
        "missing": {"a": 55, "b": 300, "c": 200},
        "listed": {"a": 40, "b": 500, "c": 300},
        "found": {"a": 38, "b": 100, "c": 90},
    }
    out = hide_layers(layers, lambda layer, counts, **bounds: partition(counts, **bounds))
    assert out["children"] == set()
    # Five of a did not go missing, and two were listed wrongly; c hides what would give a away.
    assert out["missing"] == out["listed"] == out["found"] == {"a", "c"}


def test_a_hidden_number_of_children_hides_the_counts_within_it():
    layers = {
        "children": {"a": 5, "b": 200, "c": 900},
        "missing": {"a": 0, "b": 40, "c": 20},
        "listed": {"a": 0, "b": 40, "c": 20},
        "found": {"a": 0, "b": 20, "c": 9},
    }
    out = hide_layers(layers, lambda layer, counts, **bounds: partition(counts, **bounds))
    assert all("b" in hidden and "c" not in hidden for hidden in out.values())


def everybody(seed=7):
    """A cohort of 60,000 on two lists, in which girls go missing more often than predicted."""
    rng, n = np.random.Generator(np.random.PCG64(seed)), 60_000
    sex, margin = rng.choice(["female", "male"], n, p=[0.3, 0.7]), rng.normal(-6, 1.5, n)
    snapshots = pl.DataFrame(
        {"pupil_id": [f"p{i}" for i in range(n)], "as_of": "d", "authority": rng.choice(["801", "802"], n)}
    )
    label = (rng.random(n) < 1 / (1 + np.exp(-margin - 0.3 * (sex == "female")))).astype(float)
    return (
        snapshots,
        1 / (1 + np.exp(-margin)),
        label,
        snapshots.select("pupil_id", "as_of").with_columns(pl.Series("sex", sex)),
    )


def some_of(whole, share, seed):
    """All children who went missing and a weighted sample of the others, as in training with little memory."""
    snapshots, scores, label, groups = whole
    kept = sample(snapshots.select("pupil_id").with_columns(pl.Series("label", label)).with_row_index(), share, seed)
    rows = kept["index"].to_numpy()
    return (snapshots[rows], scores[rows], label[rows], groups[rows]), kept["weight"].to_numpy()


def test_weights_of_one_change_nothing(population, report):
    assert fairness(*population, capacity=0.1, weight=np.ones(N)).to_dict() == report.to_dict()
    assert report.design == Design(1.0, 1.0, report.design.expected)


def test_a_weighted_sample_gives_the_populations_figures_with_wider_intervals():
    whole = everybody()
    share_key, inside = fairness(*whole, 300, pairs=False), []
    for seed in range(30):
        some, weight = some_of(whole, 0.2, seed)
        of_some = fairness(*some, 300, weight=weight, pairs=False)
        for name in ("female", "male"):
            true, sampled = slice_of(share_key, name), slice_of(of_some, name)
            assert sampled.counts["missing"] == true.counts["missing"]
            assert sampled.counts["children"] == pytest.approx(true.counts["children"], rel=0.05)
            assert sampled.counts["listed"] == pytest.approx(true.counts["listed"], rel=0.25)
            inside += [sampled.figures[f].low <= true.figures[f].value <= sampled.figures[f].high for f in FIGURES]
            inside += [sampled.gaps[f].low <= true.gaps[f].value <= sampled.gaps[f].high for f in FIGURES]
            for f in ("listing_rate", "false_listing_rate"):
                wide, narrow = (s.figures[f].high - s.figures[f].low for s in (sampled, true))
                assert 1.8 < wide / narrow < 2.8  # of the others one in five is there: the root of five
        assert of_some.overall.counts["listed"] == share_key.overall.counts["listed"] == 600
    assert np.mean(inside) > 0.97  # they are sure of the truth; the whole cohort's own figures lie nearer


def test_what_is_hidden_is_decided_by_the_children_who_are_there():
    some, weight = some_of(everybody(), 0.02, 1)
    few = np.zeros(len(weight), bool)
    few[np.flatnonzero(some[2] == 0)[:7]] = True
    named = some[3].with_columns(pl.Series("sex", np.where(few, "unknown", "male")))
    unknown = slice_of(fairness(*some[:3], named, 300, weight=weight, pairs=False), "unknown")
    assert weight[few].sum() == pytest.approx(350)
    assert set(unknown.counts.values()) == {None}


def test_pairs_are_of_protected_groups_only(report):
    assert {s.groups for s in report.pairs} == {("ethnicity", "sex")}
    assert slice_of(report, "gypsy_roma_traveller", "female").figures["listing_rate"] is not None


def test_nothing_measured_is_not_nothing_found(population):
    snapshots, scores, labels, groups = population
    some = np.arange(60)
    small = fairness(snapshots[some], scores[some], labels[some], groups[some], 5)
    assert small.measured("recall") == []


def test_figures_cover_the_truth_in_made_up_worlds():
    rng = np.random.Generator(np.random.PCG64(3))
    inside = []
    for _ in range(60):
        sex, margin = rng.choice(["female", "male"], 4000, p=[0.2, 0.8]), rng.normal(-3, 1.2, 4000)
        risk = 1 / (1 + np.exp(-margin))
        snapshots = pl.DataFrame({"pupil_id": [str(n) for n in range(4000)], "as_of": "d", "authority": "801"})
        groups = snapshots.select("pupil_id", "as_of").with_columns(pl.Series("sex", sex))
        drawn = fairness(snapshots, risk, (rng.random(4000) < risk).astype(float), groups, 0.1, pairs=False)
        on, girls = listed(snapshots, risk, 0.1), sex == "female"
        girls_figures = slice_of(drawn, "female").figures
        truth = {
            "precision": risk[girls & on].mean(),
            "recall": risk[girls & on].sum() / risk[girls].sum(),
            "calibration": 1.0,
        }
        inside += [i.low <= truth[f] <= i.high for f in truth if (i := girls_figures[f])]
    assert len(inside) > 120
    assert 0.92 <= np.mean(inside) <= 1.0


def test_a_feature_that_stands_in_for_a_group_is_named(population):
    groups = population[3][:6000]
    rng = np.random.Generator(np.random.PCG64(2))
    names = ["absent_rate_90d", "suspensions_365d", "cin_open"]
    x = rng.normal(size=(6000, 3))
    x[:, 1] += (groups["ethnicity"] == "gypsy_roma").to_numpy() * 2.0
    predicted = proxies(x, names, np.arange(6000), groups, importance={"suspensions_365d": 1.0, "cin_open": 3.0})
    first = predicted[0]
    assert (first.value, first.top[0][0]) == ("gypsy_roma", "suspensions_365d")
    assert first.auc > 0.85
    assert first.in_model == 1.0
    assert next(p for p in predicted if p.group == "sex").auc == pytest.approx(0.5, abs=0.05)
    assert "irish_traveller" not in {p.value for p in predicted}
    assert {p.group for p in predicted} == {"ethnicity", "sex"}

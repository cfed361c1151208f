"""A model of another authority is adopted: margins stay, risks are adapted with what was known on each day, and nothing is retrained."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from histories.errors import Faults
from histories.reading.histories import Histories
from training.adoption.adopting import UNADAPTED, Parent, adopt, local_splits
from training.bundle import bundle_digest, read_bundle, write_bundle
from training.fitting.splits import known_before
from training.papers import Authority, Material, files_of
from training.release.gate_evidence import at_origins
from training.release.reproducing import reproduce
from training.risk_model import RiskModel

TOO_HIGH = 1.5  # log-odds by which the parent overstates every risk here


@pytest.fixture(scope="module")
def parent(small_run):
    _, _, trained = small_run
    calibrator = trained.manifest.calibrator
    shifted = {**calibrator, "b": calibrator["b"] + TOO_HIGH}
    shifted["bootstrap"] = [[a, b + TOO_HIGH] for a, b in calibrator["bootstrap"]]
    return Parent(trained.booster, replace(trained.manifest, version="7", calibrator=shifted), trained.recipe, "f" * 64)


@pytest.fixture(scope="module")
def adopted(parent, small_run):
    return adopt(parent, Histories.open(small_run[0]), memory="30MB")


def test_margins_and_trees_are_those_of_the_parent_and_risks_are_adapted(adopted, parent):
    m = adopted.manifest
    assert (adopted.booster, m.ridge, m.features, m.trained_on) == (
        parent.booster,
        parent.manifest.ridge,
        parent.manifest.features,
        parent.manifest.trained_on,
    )
    change = m.parent["recalibration"]
    assert -TOO_HIGH - 0.5 < change["intercept"] < -0.5
    assert change["log_loss"][m.candidate] < change["log_loss"][UNADAPTED]
    figures = m.metrics[m.candidate]
    assert figures["average_precision"] == m.metrics[UNADAPTED]["average_precision"]
    off = {name: abs(np.log(f["expected"] / f["observed"])) for name, f in m.metrics.items() if "expected" in f}
    assert off[m.candidate] < off[UNADAPTED]


def test_it_names_its_parent_and_keeps_what_it_replaced(adopted, parent):
    m = adopted.manifest
    assert {k: m.parent[k] for k in ("bundle", "name", "version")} == {
        "bundle": "f" * 64,
        "name": "onroll",
        "version": "7",
    }
    assert adopted.recipe["adopted"] == {"bundle": "f" * 64, "version": "7"}
    again = Parent.of_adopted(adopted.booster, m, adopted.recipe)
    assert replace(parent.manifest, metrics={}, leads={}) == again.manifest


def test_a_days_risks_need_nothing_that_was_known_only_later(parent, adopted, small_run):
    """Outcomes known from a day on may be anything."""
    day = adopted.splits.origins[-2].day
    histories = Histories.open(small_run[0])
    task = replace(parent.task(), until=day + timedelta(1))
    before = adopt(parent, histories, task, memory="30MB")
    assert max(before.splits.dates) < day
    first = before.splits.origins[-1].day
    for of in (adopted, before):
        assert first in of.splits.test
    rows = [(a.predictions.frame["as_of"] == first).to_numpy() for a in (adopted, before)]
    risks = [
        dict(zip(a.predictions.frame.filter(at)["pupil_id"], a.predictions.risk(a.manifest.candidate)[at], strict=True))
        for a, at in zip((adopted, before), rows, strict=True)
    ]
    both = risks[0].keys() & risks[1].keys()
    assert len(both) > 100
    late = known_before(adopted.frame, first)["known_on"].max()
    assert late < first
    # The samples of children differ, so the two calibrations do a little.
    assert max(abs(np.log(risks[0][p] / risks[1][p])) for p in both) < 0.5


def test_the_champion_is_never_taken_for_it(adopted):
    assert set(at_origins(adopted).how.values()) == {"released"}


def test_the_bundle_scores_says_where_it_comes_from_and_is_reproduced(adopted, small_run, tmp_path):
    folder, task, _ = small_run
    histories = Histories.open(folder)
    material = Material.of(histories, task, adopted, facts=Authority.load(None), run_id="", report={})
    papers = files_of(material)
    card = papers["card.md"]
    assert "dopted from onroll version 7 of another authority (bundle ffffffffffffffff)" in card
    assert "Trained by another authority" in card
    write_bundle(tmp_path, adopted.booster, adopted.manifest, papers, adopted.recipe)
    assert read_bundle(tmp_path, bundle_digest(tmp_path))[1] == adopted.manifest
    model = RiskModel.load(tmp_path)
    low, high = model.interval(np.array([0.0]))
    assert low < model.risk(np.array([0.0])) < high
    again = reproduce(tmp_path, histories)
    assert again.equal, again.text()


def test_too_few_days_or_outcomes_are_refused_with_what_to_do_instead(small_run):
    labels = small_run[2].frame.select("pupil_id", "as_of", "label", "known_on")
    days = sorted(labels["as_of"].unique().to_list())
    with pytest.raises(Faults, match="as-of dates can be judged") as refused:
        local_splits(labels.filter(pl.col("as_of") <= days[1]))
    assert "onroll score --model BUNDLE" in str(refused.value)
    with pytest.raises(Faults, match="no child of these days"):
        local_splits(labels.with_columns(pl.lit(0.0).alias("label")))

"""Comparison of two versions' lists, with the shared bundle and a variant with other feature effects."""

import json
import re
from datetime import date

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from features.matrix import tallied
from histories import location_cache
from histories.reading.histories import Histories
from histories.settings import settings
from tests.support.released import alias, release
from training.bundle import read_bundle
from training.cli.models import models
from training.release.comparing import compare_lists
from training.risk_model import RiskModel

DAY = date(2025, 4, 28)


def other(bundle):
    """The same trees with changed values in every third, which changes the order of children."""
    booster, manifest = read_bundle(bundle)
    head, *trees = booster.split("\nTree=")

    def turned(match):
        return "leaf_value=" + " ".join(str(-3 * float(v)) for v in match[1].split())

    trees = [re.sub(r"leaf_value=(.*)", turned, t) if n % 3 == 0 else t for n, t in enumerate(trees)]
    return RiskModel("\nTree=".join([head, *trees]), manifest)


@pytest.fixture(scope="module")
def compared(bundle, small_histories):
    first, second = RiskModel.load(bundle), other(bundle)
    return first, second, compare_lists(Histories.open(small_histories), first, second, DAY, 20)


def lists(model, histories):
    frame = model.ranked(tallied(Histories.open(histories), [DAY]))
    return {r["pupil_id"]: r["rank"] for r in frame.select("pupil_id", "rank").to_dicts()}


def test_entries_and_exits_match_the_lists(compared, small_histories):
    first, second, comparison = compared
    before, after = lists(first, small_histories), lists(second, small_histories)
    on, on_after = ({p for p, rank in r.items() if rank <= 20} for r in (before, after))
    assert {m["pupil_id"] for m in comparison.enters} == on_after - on
    assert {m["pupil_id"] for m in comparison.leaves} == on - on_after
    assert comparison.enters
    assert comparison.both == len(on & on_after)
    assert comparison.overlap == pytest.approx(len(on & on_after) / len(on))
    for moved in comparison.enters + comparison.leaves:
        assert (moved["rank_before"], moved["rank_after"]) == (before[moved["pupil_id"]], after[moved["pupil_id"]])
    assert -1 < comparison.rank_correlation < 1


def test_themes_sum_the_changes_of_a_childs_reasons(compared, small_histories):
    """Changes by theme are exact contributions, also given relative to the mean change over both lists."""
    first, second, comparison = compared
    frame = tallied(Histories.open(small_histories), [DAY])
    before, after = lists(first, small_histories), lists(second, small_histories)
    either = frame.filter(pl.col("pupil_id").is_in([p for p in before if before[p] <= 20 or after[p] <= 20]))
    x = either.select(first.manifest.features).to_numpy()
    change = (second.scorer.contributions(x) - first.scorer.contributions(x))[:, :-1]
    of = {f["name"]: f["theme"] for f in first.manifest.catalogue}
    themes = np.array([of[n] for n in first.manifest.features])
    by_theme = {t: change[:, themes == t].sum(axis=1) for t in set(of.values())}
    at = {p: k for k, p in enumerate(either["pupil_id"].to_list())}
    for moved, sign in [*((m, 1) for m in comparison.enters), *((m, -1) for m in comparison.leaves)]:
        child_values = {t: values[at[moved["pupil_id"]]] for t, values in by_theme.items()}
        beside = {t: child_values[t] - by_theme[t].mean() for t in child_values}
        shown = [t["theme"] for t in moved["themes"]]
        assert [beside[t] for t in shown] == pytest.approx(sorted(beside.values(), reverse=sign > 0)[:3])
        for theme in moved["themes"]:
            assert theme["change"] == pytest.approx(child_values[theme["theme"]])
            assert theme["beside"] == pytest.approx(beside[theme["theme"]])
            assert theme["after"] - theme["before"] == pytest.approx(theme["change"])


def test_a_version_beside_itself_changes_nothing(bundle, small_histories):
    model = RiskModel.load(bundle)
    comparison = compare_lists(Histories.open(small_histories), model, model, DAY, 20)
    assert (comparison.enters, comparison.leaves, comparison.overlap, comparison.both) == ([], [], 1.0, 20)
    assert comparison.rank_correlation == pytest.approx(1)


def test_the_verb_takes_numbers_and_aliases_and_finds_the_histories(bundle, small_histories, caplog):
    current = settings()
    figures = {"average_precision": 0.1, "intervals": {"average_precision": [0.0, 0.2]}}
    for version in (1, 2):
        release(current.releases, bundle, version, metrics={"lightgbm": figures}, data_digest="d1")
    alias(current.releases, champion=1, challenger=2)
    assert CliRunner().invoke(models, ["compare", "1", "v2", "--json"]).exit_code == 0
    words = ["compare", "onroll@champion", "2", "--as-of", str(DAY), "--capacity", "5"]
    assert "have not been used on this machine" in str(CliRunner().invoke(models, words).exception)
    location_cache.remember(current.whereabouts, "d1", small_histories)
    output = json.loads(CliRunner().invoke(models, [*words, "--json"]).output)
    assert (output["lists"]["both"], output["lists"]["enters"]) == (5, [])
    assert "5 on both (100%)" in CliRunner().invoke(models, words).output
    ids = pl.read_parquet(small_histories / "pupils.parquet")["pupil_id"].to_list()
    assert not any(i in caplog.text for i in ids)

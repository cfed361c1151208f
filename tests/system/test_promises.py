"""The promised accuracy, on the population it is promised for; it takes minutes, so `make prove` runs it."""

import json
import os
import subprocess
import sys
from datetime import date

import polars as pl
import pytest

from features.catalogue import catalogue
from tests.support.checkout import ROOT
from training.bundle import read_bundle
from training.explanation.linear_terms import LinearTerms
from training.fitting.candidates import Learning, baselines, ridge
from training.fitting.candidates.boosted import DEFAULTS
from training.fitting.rolling_origin import learn_from
from training.measures.metrics import average_precision
from training.task import Task

CUT = date(2024, 9, 1)
DAYS = ("2024-09-09", "2025-01-13", "2025-04-28")


def onroll(folder, *words):
    done = subprocess.run(
        [sys.executable, "-m", "serving.cli.main", *words, "--json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def trained_ridge(home, histories):
    """Return the ridge regression of the release, alone or averaged with the booster; training the same again takes minutes."""
    _, manifest = read_bundle(home / "mlruns" / "releases" / "onroll" / "v1")
    if manifest.ridge:
        return LinearTerms.read(manifest.ridge, manifest.features, "v1")
    return ridge.fit(learn_from(Task(until=CUT).labelled(histories), catalogue().names, 1), DEFAULTS["monotone"])


@pytest.mark.prove
def test_the_model_reaches_three_quarters_of_the_ceiling(tmp_path):
    """40,000 pupils over five years: train until the last year, evaluate on it, compare with the true risk and baselines."""
    from features import Definition, label, matrix
    from histories.reading.histories import Histories

    onroll(tmp_path, "simulate", "h", "--pupils", "40000", "--years", "5", "--seed", "7", "--truth")
    onroll(tmp_path, "train", "h", "--until", str(CUT))
    for day in DAYS:
        onroll(tmp_path, "score", "h", "--as-of", day, "--out", f"{day}.parquet")
    histories = Histories.open(tmp_path / "h")
    days = [date.fromisoformat(d) for d in DAYS]
    labels = pl.from_arrow(label(histories, days, Definition.load())).drop_nulls("label")
    scores = pl.concat(pl.read_parquet(tmp_path / f"{d}.parquet", columns=["pupil_id", "as_of", "risk"]) for d in DAYS)
    truth = pl.read_parquet(tmp_path / "h" / "truth.parquet").rename({"risk": "truth"})
    keys = ["pupil_id", "as_of"]
    both = labels.join(scores, on=keys).join(truth, on=keys).join(pl.from_arrow(matrix(histories, days)), on=keys)
    x, y = both.select(catalogue().names).to_numpy().astype(float), both["label"].to_numpy()
    learning = Learning(x=x[:0], y=y[:0], weight=y[:0], names=catalogue().names, seed=1)
    precision = {n: average_precision(both[n].to_numpy(), y) for n in ("truth", "risk")}
    precision["ridge"] = average_precision(trained_ridge(tmp_path, histories).margins(x), y)
    precision["checklist"] = average_precision(baselines.checklist(learning)(x), y)
    sys.stderr.write(f"{precision} positives {y.sum():.0f} base {y.mean():.5f}\n")
    assert precision["risk"] >= 0.75 * precision["truth"]
    assert precision["risk"] >= precision["ridge"] > precision["checklist"] > y.mean()


@pytest.mark.prove
def test_the_made_up_population_meets_every_target(tmp_path):
    from histories.population import calibration
    from histories.population.simulation import simulate

    simulate(tmp_path / "h", pupils=calibration.PUPILS, years=calibration.YEARS, seed=calibration.SEED)
    values, pupil_years, followed = calibration.measure(tmp_path / "h")
    assert min(pupil_years, followed) >= 190_000
    assert calibration.outside(values) == []

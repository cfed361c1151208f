"""The main job by its verbs: simulate, check, features, train, models, score; and wrong usage leaves with the right code."""

import json
import os
import shutil
import subprocess
import sys

import polars as pl
import pytest
from mlflow import MlflowClient

from features import Definition, default_as_of, label
from serving.cli import demo
from tests.support.checkout import ROOT
from training.fitting.splits import split


def onroll(home, *words, code=0, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "serving.cli.main", *words],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout) if "--json" in words and code == 0 else done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A working folder with histories and a trained champion."""
    home = tmp_path_factory.mktemp("main")
    onroll(home, "simulate", "h", "--pupils", "9000", "--years", "4", "--seed", "2", "--truth", "--json")
    (home / "config.toml").write_text("rounds = 60\n")
    trained = onroll(home, "train", "h", "--config", "config.toml", "--json")
    assert trained["version"] == 1
    return home


def test_the_first_model_is_champion_and_beats_knowing_nothing(home):
    (version,) = onroll(home, "models", "list", "--json")["versions"]
    assert version["aliases"] == ["champion"]
    shown = onroll(home, "models", "show", "--json")
    assert shown["metrics"]["lightgbm"]["average_precision"] > 5 * shown["metrics"]["base_rate"]["average_precision"]
    (run,) = MlflowClient(f"sqlite:///{home}/mlruns/mlflow.db").search_runs(["1"])
    for name, figures in shown["metrics"].items():
        assert run.data.metrics[f"{name}.average_precision"] == figures["average_precision"]
    assert len(run.data.metrics) > 500
    assert (run.data.params["seed"], run.data.params["rounds"]) == ("1", "60")
    assert len(run.data.tags["data_digest"]) == len(run.data.tags["lock"]) == 64


def test_a_demo_of_too_few_children_is_refused_before_it_begins(tmp_path):
    said = onroll(tmp_path, "demo", "--pupils", str(demo.MIN - 1), code=2)
    assert f"{demo.MIN:,} or more" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.prove
def test_the_least_number_of_children_of_the_demo_is_enough(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    opened = demo.population(demo.MIN, tmp_path / "demo")
    known = label(opened, default_as_of(opened), Definition.load())
    assert len(split(pl.DataFrame(known).drop_nulls("label")).test) >= 2


def test_the_same_data_and_seed_give_the_same_model_and_promotion_can_be_rolled_back(home):
    assert onroll(home, "train", "h", "--config", "config.toml", "--json")["version"] == 2
    releases = home / "mlruns" / "releases" / "onroll"
    assert (releases / "v1" / "booster.txt").read_bytes() == (releases / "v2" / "booster.txt").read_bytes()
    assert json.loads((releases / "aliases.json").read_text()) == {"champion": 1, "challenger": 2}
    onroll(home, "models", "promote", "2", "--by", "a", "--reason", "b", "--json")
    assert json.loads((releases / "aliases.json").read_text()) == {"champion": 2}
    onroll(home, "models", "rollback", "--by", "a", "--reason", "c", "--json")
    assert json.loads((releases / "aliases.json").read_text())["champion"] == 1
    moves = onroll(home, "models", "history", "--json")["history"]
    assert [(m["alias"], m["version"]) for m in moves] == [
        ("champion", 1),
        ("challenger", 2),
        ("champion", 2),
        ("champion", 1),
    ]
    promoted = next(e for e in onroll(home, "models", "log", "--json")["log"] if e["action"] == "promoted")
    assert all(v["passed"] for v in promoted["gates"])
    assert onroll(home, "models", "verify", "--json")["whole"]
    # A version that was never compared with the champion cannot take its place.
    onroll(home, "models", "gates", "1", "--by", "a", "--reason", "b", code=1)


def test_scores_have_the_columns_of_the_contract_and_rank_the_risky_first(home):
    onroll(home, "score", "h", "--as-of", "2025-09-08", "--out", "s.parquet", "--json")
    scores = pl.read_parquet(home / "s.parquet")
    wanted = [
        "pupil_id",
        "as_of",
        "risk",
        "risk_low",
        "risk_high",
        "rank",
        "band",
        "reasons",
        "missing_tables",
        "model",
        "model_version",
        "definition",
        "horizon_days",
        "list",
    ]
    assert scores.columns[:14] == wanted
    assert set(scores["list"]) == {"act_today", "help_early"}
    stopping = scores["list"] == "act_today"
    assert scores.filter(stopping)["risk"].mean() > 10 * scores.filter(~stopping)["risk"].mean()
    assert scores["rank"].to_list() == list(range(1, scores.height + 1))
    truth = pl.read_parquet(home / "h" / "truth.parquet")
    both = scores.join(truth, on=["pupil_id", "as_of"], suffix="_true")
    assert both.filter(pl.col("rank") <= 50)["risk_true"].mean() > 10 * both["risk_true"].mean()


def test_training_until_a_day_uses_nothing_recorded_from_it_on(home):
    """The model trained until a day is the same when everything later is taken away."""
    assert onroll(home, "train", "h", "--config", "config.toml", "--until", "2025-06-01", "--json")["version"] >= 2
    import datetime

    cut = home / "cut"
    cut.mkdir()
    day = datetime.date(2025, 6, 1)
    for file in (home / "h").glob("*.parquet"):
        frame = pl.read_parquet(file)
        if "recorded_on" in frame.columns:
            frame = frame.filter(pl.col("recorded_on") < day)
        if "leaving_recorded_on" in frame.columns:
            late = pl.col("leaving_recorded_on") >= day
            frame = frame.with_columns(
                pl.when(late).then(None).otherwise(c).alias(c)
                for c in ("leaving_date", "leaving_ground", "destination", "destination_urn", "leaving_recorded_on")
            )
        if "reported_on" in frame.columns:
            frame = frame.filter(pl.col("reported_on") < day)
        frame.write_parquet(cut / file.name)
    other = home / "other"
    other.mkdir()
    shutil.copy(home / "config.toml", other)
    onroll(other, "train", str(cut), "--config", "config.toml", "--until", "2025-06-01", "--json")
    full = sorted((home / "mlruns" / "releases" / "onroll").glob("v*"), key=lambda f: int(f.name[1:]))[-1]
    assert (full / "booster.txt").read_text() == (
        other / "mlruns" / "releases" / "onroll" / "v1" / "booster.txt"
    ).read_text()


@pytest.mark.prove
def test_a_run_is_judged_beside_what_it_has_to_beat_and_its_trials_are_nested(home):
    (home / "short.toml").write_text("rounds = 20\n")
    trained = onroll(home, "train", "h", "--config", "short.toml", "--tune", "2", "--report", "--json")
    assert set(trained["metrics"]) == {
        "base_rate",
        "best_single",
        "checklist",
        "surroundings",
        "logistic",
        "lightgbm_free",
        "lightgbm",
    }
    assert set(trained["leads"]) == set(trained["metrics"]) - {trained["candidate"]}
    for part in ("seen_and_unseen", "mistakes", "fairness", "proxies", "weekly", "themes", "learning_curve"):
        assert trained["report"][part], part
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    from histories.settings import settings
    from training.release.registry import client

    api = client(settings(home))
    (experiment,) = [e for e in api.search_experiments() if e.name == "onroll"]
    runs = api.search_runs([experiment.experiment_id], f"tags.`mlflow.parentRunId` = '{trained['run_id']}'")
    assert len(runs) == 2
    assert "report.json" in {f.path for f in api.list_artifacts(trained["run_id"])}
    kept = {f.path for f in api.list_artifacts(trained["run_id"], "bundle")}
    papers = {f"{stem}.{kind}" for stem in ("card", "atrs", "dpia") for kind in ("md", "html", "json")} | {
        "report.html"
    }
    assert papers <= set(trained["papers"])
    assert {f"bundle/{name}" for name in papers} <= kept


def test_runs_hold_no_rows_and_no_pupil(home):
    ids = pl.read_parquet(home / "h" / "pupils.parquet")["pupil_id"].head(50).to_list()
    for file in (home / "mlruns").rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert not any(i.encode() in data for i in ids), file.name


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["check", "nowhere"], 1),
        (["train", "nowhere"], 1),
        (["score", "h", "--as-of", "soon", "--out", "x"], 2),
        (["score", "h", "--out", "x"], 2),
        (["score", "h", "--as-of", "2025-09-08", "--out", "x", "--model", "onroll@nobody"], 1),
        (["score", "nowhere", "--as-of", "2025-09-08", "--out", "x"], 1),
        (["train", "h", "--definition", "nosuch"], 1),
        (["train", "h", "--horizon", "0"], 2),
        (["train", "h", "--until", "2021-09-01"], 1),
        (["train", "h", "--config", "nowhere.toml"], 1),
        (["features", "h"], 2),
        (["features", "nowhere", "--as-of", "2025-01-13", "--out", "f"], 1),
        (["import"], 2),
        (["import", "nosuch", "x", "--into", "y"], 2),
        (["import", "school-census", "nowhere", "--into", "y"], 1),
        (["keys", "create", "--role", "worker"], 1),
        (["keys", "create", "--role", "king"], 2),
        (["keys", "revoke", "x"], 1),
        (["models", "promote", "99", "--by", "a", "--reason", "b"], 1),
        (["models", "promote", "x"], 2),
        (["simulate", "h"], 2),
        (["simulate", "new", "--pupils", "1"], 2),
        (["simulate", "new", "--scenario", "nosuch"], 1),
        (["nosuch"], 2),
    ],
)
def test_what_is_wrong_leaves_with_its_code_and_no_traceback(home, words, code):
    said = onroll(home, *words, code=code)
    assert said.strip()
    assert not (home / "new").exists()

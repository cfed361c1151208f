"""The main workflow by its verbs: simulate, check, features, train, models, score; wrong usage exits with the right code."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from mlflow import MlflowClient

from serving.cli import demo
from tests.support.checkout import ROOT
from tests.support.released import model_of
from tests.support.shared import shared_folder
from training.fitting.candidates import grid
from training.fitting.candidates.boosted import DEFAULTS

DAY = "2025-09-08"
PUPILS = "3000"
# Four times as many crises as by default: enough outcomes for the promotion gates from so few pupils.
SCENARIO = """title = "many crises"
[latent]
crisis_rate = 0.0000368
"""


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
    assert "%|" not in done.stderr, "progress, though nobody looks"
    return json.loads(done.stdout) if "--json" in words and code == 0 else done.stderr


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A working folder with histories and a trained champion; shared by all workers, so read-only."""

    def build(folder):
        (folder / "crises.toml").write_text(SCENARIO)
        size = ("--pupils", PUPILS, "--years", "4", "--seed", "2", "--scenario", "crises.toml")
        onroll(folder, "simulate", "h", *size, "--truth", "--json")
        (folder / "config.toml").write_text("rounds = 60\n")
        assert onroll(folder, "train", "h", "--config", "config.toml", "--json")["version"] == 1
        onroll(folder, "score", "h", "--as-of", DAY, "--out", "s.parquet", "--json")

    return shared_folder(tmp_path_factory, "main_job", build)


@pytest.fixture
def own_home(home, tmp_path):
    """A copy of the working folder that a test may change; MLflow's absolute paths are adjusted."""
    shutil.copytree(home, tmp_path / "home")
    with closing(sqlite3.connect(tmp_path / "home" / "mlruns" / "mlflow.db")) as runs, runs:
        places = [
            ("experiments", "artifact_location"),
            ("runs", "artifact_uri"),
            ("logged_models", "artifact_location"),
        ]
        for table, column in places:
            runs.execute(
                f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (home.as_uri(), (tmp_path / "home").as_uri())
            )
    return tmp_path / "home"


def files_with_a_pupil(home):
    """Return the files of runs and releases that contain a pupil's identifier."""
    ids = [i.encode() for i in pl.read_parquet(home / "h" / "pupils.parquet")["pupil_id"].head(50)]
    files = [f for f in (home / "mlruns").rglob("*") if f.is_file()]
    assert files
    return [f.name for f in files if any(i in f.read_bytes() for i in ids)]


def test_the_first_model_is_champion_and_beats_the_base_rate(home):
    (version,) = onroll(home, "models", "list", "--json")["versions"]
    assert version["aliases"] == ["champion"]
    shown = onroll(home, "models", "show", "--json")
    assert shown["metrics"]["lightgbm"]["average_precision"] > 5 * shown["metrics"]["base_rate"]["average_precision"]
    (run,) = MlflowClient(f"sqlite:///{home}/mlruns/mlflow.db").search_runs(["1"])
    figures = shown["metrics"][shown["candidate"]]
    assert run.data.metrics["average_precision"] == figures["average_precision"]
    assert run.data.metrics["precision_at_capacity"] == figures["at_capacity"]["top_25_a_list"]["precision"]
    assert {"recall_at_capacity", "calibration_slope", "early_recall"} <= set(run.data.metrics)
    (data,) = run.inputs.dataset_inputs
    assert json.loads(data.dataset.source) == {"sha256": shown["data_digest"]}
    assert (run.data.params["seed"], run.data.params["rounds"]) == ("1", "60")
    assert len(run.data.tags["data_digest"]) == len(run.data.tags["lock"]) == 64


def test_a_demo_of_too_few_pupils_is_refused_before_it_starts(tmp_path):
    message = onroll(tmp_path, "demo", "--pupils", str(demo.MIN - 1), code=2)
    assert f"{demo.MIN:,} or more" in message
    assert list(tmp_path.iterdir()) == []


def test_the_same_data_and_seed_give_the_same_model_and_promotion_can_be_rolled_back(own_home):
    assert onroll(own_home, "train", "h", "--config", "config.toml", "--json")["version"] == 2
    releases = own_home / "mlruns" / "releases" / "onroll"
    assert model_of(releases / "v1") == model_of(releases / "v2")
    assert json.loads((releases / "aliases.json").read_text()) == {"champion": 1, "challenger": 2}
    onroll(own_home, "models", "promote", "2", "--by", "a", "--reason", "b", "--json")
    assert json.loads((releases / "aliases.json").read_text()) == {"champion": 2}
    onroll(own_home, "models", "rollback", "--by", "a", "--reason", "c", "--json")
    assert json.loads((releases / "aliases.json").read_text())["champion"] == 1
    moves = onroll(own_home, "models", "history", "--json")["history"]
    assert [(m["alias"], m["version"]) for m in moves] == [
        ("champion", 1),
        ("challenger", 2),
        ("champion", 2),
        ("champion", 1),
    ]
    promoted = next(e for e in onroll(own_home, "models", "log", "--json")["log"] if e["action"] == "promoted")
    assert all(v["passed"] for v in promoted["gates"])
    assert onroll(own_home, "models", "verify", "--json")["whole"]
    # A version that was never compared with the champion cannot take its place.
    onroll(own_home, "models", "gates", "1", "--by", "a", "--reason", "b", code=1)
    assert files_with_a_pupil(own_home) == []


@pytest.mark.prove
def test_a_retraining_makes_a_challenger_and_leaves_the_champion(own_home):
    """On the same histories the same model comes again, so that every group stands where it stood."""
    retrained = onroll(own_home, "retrain", "h", "--as-of", "2026-01-01", "--json")
    releases = own_home / "mlruns" / "releases" / "onroll"
    assert json.loads((releases / "aliases.json").read_text()) == {"champion": 1, "challenger": 2}
    assert model_of(releases / "v1") == model_of(releases / "v2")
    changes = retrained["changes"]
    assert (retrained["version"], changes["failed"], changes["lists"]["enters"]) == (2, [], 0)
    assert changes["figures"]["average_precision"]["lead"] == 0
    assert changes["groups"]
    assert all(g["champion"] == g["challenger"] for g in changes["groups"])
    assert any(figure for g in changes["groups"] for figure in g["challenger"].values())
    assert {p.name for p in (releases / "v2").glob("*.md")} >= {"card.md", "atrs.md", "dpia.md"}
    assert "version 1" in Path(retrained["page"]).read_text()
    assert files_with_a_pupil(own_home) == []


@pytest.mark.prove
def test_an_adopted_model_is_a_version_like_any_other(own_home):
    """It is judged, recorded and reproduced; here it comes from the same histories, which change little."""
    adopted = onroll(own_home, "models", "adopt", "onroll@champion", "h", "--json")
    releases = own_home / "mlruns" / "releases" / "onroll"
    assert (adopted["version"], json.loads((releases / "aliases.json").read_text())["challenger"]) == (2, 2)
    log = onroll(own_home, "models", "log", "--json")["log"]
    assert adopted["parent"] == {"bundle": log[0]["bundle"], "name": "onroll", "version": "1"}
    assert log[-1]["why"] == f"adopted from bundle {log[0]['bundle'][:16]}"
    assert abs(adopted["recalibration"]["intercept"]) < 1
    done = onroll(own_home, "models", "gates", "2", "--by", "a", "--reason", "b", "--json")
    assert all("not measured" not in v["measured"] for v in done["gates"])
    assert onroll(own_home, "models", "reproduce", "2", "--json")["equal"]
    assert files_with_a_pupil(own_home) == []


def test_scores_have_the_columns_of_the_contract_and_rank_the_risky_first(home):
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


def test_training_until_a_day_uses_nothing_recorded_from_it_on(training_histories, tmp_path):
    """A model trained until a day is the same if everything later is removed."""
    day = date(2025, 6, 1)
    cut = tmp_path / "cut"
    cut.mkdir()
    for file in training_histories.glob("*.parquet"):
        frame = pl.read_parquet(file)
        for column in {"recorded_on", "reported_on"} & set(frame.columns):
            frame = frame.filter(pl.col(column) < day)
        if "leaving_recorded_on" in frame.columns:
            late = pl.col("leaving_recorded_on") >= day
            frame = frame.with_columns(
                pl.when(late).then(None).otherwise(c).alias(c)
                for c in ("leaving_date", "leaving_ground", "destination", "destination_urn", "leaving_recorded_on")
            )
        frame.write_parquet(cut / file.name)
    models = []
    for name, histories in (("whole", training_histories), ("without", cut)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "config.toml").write_text("rounds = 20\n")
        onroll(folder, "train", str(histories), "--config", "config.toml", "--until", str(day), "--json")
        models.append(model_of(folder / "mlruns" / "releases" / "onroll" / "v1"))
    assert models[0] == models[1]


@pytest.mark.prove
def test_a_run_is_compared_with_every_baseline_and_its_trials_are_nested(own_home):
    (own_home / "short.toml").write_text("rounds = 20\n")
    trained = onroll(own_home, "train", "h", "--config", "short.toml", "--tune", "2", "--report", "--json")
    assert set(trained["metrics"]) == {c.name for c in grid(DEFAULTS)}
    assert set(trained["leads"]) == set(trained["metrics"]) - {trained["candidate"]}
    for part in ("seen_and_unseen", "mistakes", "fairness", "proxies", "weekly", "themes", "learning_curve"):
        assert trained["report"][part], part
    from histories.settings import settings
    from training.release.registry import client

    api = client(settings(own_home))
    (experiment,) = [e for e in api.search_experiments() if e.name == "onroll"]
    runs = api.search_runs([experiment.experiment_id], f"tags.`mlflow.parentRunId` = '{trained['run_id']}'")
    assert len(runs) == 2
    assert "report.json" in {f.path for f in api.list_artifacts(trained["run_id"])}
    # MLflow's SQL registry stores the link to the logged model in the source alone.
    model_id = api.get_model_version("onroll", str(trained["version"])).source.removeprefix("models:/")
    papers_in_mlflow = {Path(f.path).name for f in api.list_logged_model_artifacts(model_id, "data/onroll")}
    papers = {f"{stem}.{kind}" for stem in ("card", "atrs", "dpia") for kind in ("md", "html", "json")} | {
        "report.html"
    }
    assert papers <= set(trained["papers"])
    assert papers <= papers_in_mlflow
    assert "figures.csv" in {f.path for f in api.list_artifacts(trained["run_id"])}


def test_mlflow_and_bentoml_load_the_version_without_pickle_and_score_as_onroll_does(home, tmp_path):
    onroll(home, "features", "h", "--as-of", DAY, "--out", str(tmp_path / "f.parquet"), "--json")
    bento = {"BENTOML_HOME": str(tmp_path / "bento")}
    exported = onroll(home, "models", "export", "--bento", "--json", **bento)
    program = """
import sys, bentoml, mlflow, pandas as pd
matrix, risks = pd.read_parquet(sys.argv[1]).set_index("pupil_id"), pd.read_parquet(sys.argv[2]).set_index("pupil_id").risk
for model in (mlflow.pyfunc.load_model("models:/onroll@champion"), bentoml.mlflow.load_model(sys.argv[3])):
    scored = model.predict(matrix, params={"contributions": True})
    assert (scored.risk - risks).abs().max() == 0 and len(scored) == len(risks) > 1000
    parts = scored.drop(columns=["risk", "risk_low", "risk_high", "margin"])
    assert (parts.sum(axis=1) - scored.margin).abs().max() < 1e-9
    assert scored.risk_low.le(scored.risk).all() and scored.risk.le(scored.risk_high).all()
    assert list(model.predict(matrix).columns) == ["risk", "risk_low", "risk_high", "margin"]
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "f.parquet", home / "s.parquet", exported["exported"]],
        cwd=tmp_path,
        env={
            **os.environ,
            **bento,
            "PYTHONPATH": str(ROOT),
            "MLFLOW_TRACKING_URI": f"sqlite:///{home}/mlruns/mlflow.db",
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    onroll(home, "models", "export", "--out", str(tmp_path / "bundle"), "--json")
    shown = onroll(tmp_path, "models", "show", "bundle", "--json")
    assert shown["data_digest"] == onroll(home, "models", "show", "--json")["data_digest"]
    assert "Name a new folder" in onroll(home, "models", "export", "--out", str(tmp_path / "bundle"), code=1)
    onroll(home, "models", "export", code=2)


def test_an_alias_that_was_moved_in_mlflow_is_named(own_home):
    api = MlflowClient(f"sqlite:///{own_home}/mlruns/mlflow.db")
    assert onroll(own_home, "models", "verify", "--json")["whole"]
    api.delete_registered_model_alias("onroll", "champion")
    assert (
        "'onroll models promote'"
        in subprocess.run(
            [sys.executable, "-m", "serving.cli.main", "models", "verify"],
            cwd=own_home,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    )


def test_runs_hold_no_rows_and_no_pupil(home):
    assert files_with_a_pupil(home) == []


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
def test_wrong_usage_exits_with_its_code_and_no_traceback(home, words, code):
    message = onroll(home, *words, code=code)
    assert message.strip()
    assert not (home / "new").exists()

"""MLflow's and BentoML's own tools on a registered version: loading, serving, Spark, the model's page, a server with a login."""

import os
import subprocess
import sys
from pathlib import Path

import httpx2
import mlflow
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import onroll
from histories.reading.histories import Histories
from histories.settings import settings
from serving.cli.main import onroll as verbs
from tests.support.checkout import ROOT
from tests.support.mlflow_server import mlflow_server
from training.papers import Authority, Material
from training.release.registry import check_mlflow_aliases, register, tag_gates
from training.release.resolve import find_release
from training.release.tracking import Run
from training.risk_model import RiskModel

pytestmark = pytest.mark.prove
CHAMPION = "models:/onroll@champion"
DAY = "2025-01-13"


def registered_in(folder, small_run):
    """Track and register the small training in a folder, as ``onroll train`` does; return the settings."""
    location, task, trained = small_run
    current = settings(folder)
    run = Run(current)
    histories = Histories.open(location)
    material = Material.of(histories, task, trained, facts=Authority.load(None), run_id=run.run_id, report={})
    tracked = run.finish(trained, material)
    register(current, trained, run_id=tracked.run_id, model_id=tracked.model_id, material=material)
    return current


@pytest.fixture(scope="module")
def current(small_run, tmp_path_factory):
    return registered_in(tmp_path_factory.mktemp("registered"), small_run)


@pytest.fixture
def without_pickle(current, monkeypatch):
    """MLflow's client on the store of the registered version, told not to unpickle."""
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    mlflow.set_tracking_uri(current.tracking_uri)
    return mlflow.MlflowClient()


@pytest.fixture(scope="module")
def children(small_run):
    """The matrix of ``onroll features``, by child."""
    return onroll.features(Histories.open(small_run[0]), DAY).droplevel("as_of")


@pytest.fixture(scope="module")
def matrix(children):
    return children.reset_index(drop=True)


@pytest.fixture(scope="module")
def expected(current, children, small_run, tmp_path_factory):
    """What ``onroll score`` gives the same children, from the released folder and without MLflow."""
    out = tmp_path_factory.mktemp("scored") / "scores.parquet"
    folder = find_release("onroll@champion", current.releases).folder
    words = ["score", str(small_run[0]), "--as-of", DAY, "--model", str(folder), "--out", str(out)]
    done = CliRunner().invoke(verbs, words)
    assert done.exit_code == 0, done.output
    scores = pd.read_parquet(out).set_index("pupil_id")
    assert set(scores.index) == set(children.index)
    return scores.loc[children.index].reset_index(drop=True)


def same_risks(scored, expected):
    """Hold risks and their intervals to those of ``onroll score``, to the last bit."""
    for name in ("risk", "risk_low", "risk_high"):
        assert np.array_equal(scored[name], expected[name]), name


def test_the_models_page_says_what_it_is_where_it_comes_from_and_how_it_did(without_pickle, current, small_run):
    manifest = small_run[2].manifest
    info = mlflow.models.get_model_info(CHAMPION)
    assert [c.name for c in info.signature.inputs] == manifest.features
    assert [c.name for c in info.signature.outputs] == ["risk", "risk_low", "risk_high", "margin"]
    assert [(p.name, p.default) for p in info.signature.params] == [("contributions", False)]
    assert info.metadata["data_digest"] == manifest.data_digest
    version = without_pickle.get_model_version_by_alias("onroll", "champion")
    assert "Out-of-scope uses" in version.description
    assert "Performance at a team's capacity" in version.description
    assert (version.tags["horizon_days"], version.tags["candidate"]) == ("120", manifest.candidate)
    tag_gates(current, "onroll", 1, ["G001", "G007"])
    assert without_pickle.get_model_version("onroll", "1").tags["gates"] == "failed G001, G007"
    logged = mlflow.get_logged_model(info.model_id)
    assert (logged.status.value, logged.params["candidate"]) == ("READY", manifest.candidate)
    metrics = {m.key: m for m in logged.metrics}
    assert metrics["average_precision"].value == manifest.figures["average_precision"]
    at_capacity = manifest.figures["at_capacity"]["top_25_a_list"]
    assert {
        "precision_at_capacity": at_capacity["precision"],
        "recall_at_capacity": at_capacity["recall"],
        "calibration_slope": manifest.figures["calibration_slope"],
    }.items() <= {name: metric.value for name, metric in metrics.items()}.items()
    assert "early_recall" in metrics
    assert {(m.dataset_name, m.dataset_digest) for m in metrics.values()} == {("histories", manifest.data_digest[:32])}
    (best,) = mlflow.search_logged_models(
        [logged.experiment_id], filter_string="metrics.average_precision > 0", output_format="list"
    )
    assert best.model_id == info.model_id


def test_the_example_of_the_input_is_a_made_up_child_and_can_be_scored(without_pickle, current):
    model = mlflow.pyfunc.load_model(CHAMPION)
    example = model.input_example
    assert len(example) == 1
    assert 0 < model.predict(example).risk[0] < 1
    served = mlflow.models.convert_input_example_to_serving_input(example)
    assert len(mlflow.models.validate_serving_input(CHAMPION, served)) == 1


def test_a_matrix_of_other_types_in_another_order_gives_the_same_risks_and_a_lacking_column_is_named(
    without_pickle, matrix, expected
):
    model = mlflow.pyfunc.load_model(CHAMPION)
    given = matrix[matrix.columns[::-1]].astype({"year_group": "int32", "sen_support": "float32"})
    same_risks(model.predict(given.copy().assign(surplus="x")), expected)
    parts = model.predict(matrix, params={"contributions": True}).drop(columns=["risk", "risk_low", "risk_high"])
    assert np.abs(parts.drop(columns="margin").sum(axis=1) - parts.margin).max() < 1e-9
    with pytest.raises(mlflow.MlflowException, match="absent_rate_14d"):
        model.predict(matrix.drop(columns="absent_rate_14d"))


def test_spark_scores_a_frame(without_pickle, spark, matrix, expected):
    few = matrix.head(40)
    columns = "risk double, risk_low double, risk_high double, margin double"
    udf = mlflow.pyfunc.spark_udf(spark, CHAMPION, result_type=columns, env_manager="local")
    frame = spark.createDataFrame(few.assign(row=range(len(few))))
    scored = frame.select("row", udf(*matrix.columns).alias("s")).select("row", "s.*").toPandas().sort_values("row")
    same_risks(scored, expected[:40])


def test_bentoml_imports_the_version_from_mlflow(without_pickle, matrix, expected, tmp_path):
    program = f"""
import bentoml, mlflow, pandas as pd
mlflow.set_tracking_uri({mlflow.get_tracking_uri()!r})
stored = bentoml.mlflow.import_model("onroll", {CHAMPION!r})
bentoml.mlflow.load_model(stored.tag).predict(pd.read_parquet("matrix.parquet")).to_parquet("scored.parquet")
"""
    matrix.to_parquet("matrix.parquet")
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "BENTOML_HOME": str(tmp_path / "bento"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    same_risks(pd.read_parquet("scored.parquet"), expected)


def test_mlflow_serves_the_version_over_http(without_pickle, current, matrix, expected):
    words = ["models", "serve", "--model-uri", CHAMPION, "--env-manager", "local"]
    store = {"MLFLOW_TRACKING_URI": current.tracking_uri}
    with mlflow_server(*words, log=Path("served.log"), health="/ping", environment=store) as address:
        few = matrix.head(40).astype(object).where(matrix.head(40).notna(), None)  # to_json rounds
        body = {"dataframe_split": few.to_dict(orient="split", index=False), "params": {"contributions": True}}
        answer = httpx2.post(f"{address}/invocations", json=body, timeout=120)
    assert answer.status_code == 200, answer.text
    served = pd.DataFrame(answer.json()["predictions"])
    same_risks(served, expected[:40])
    assert {"base", "contribution_absent_rate_14d"} <= set(served)


LOGIN = {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": "a long password of a test"}
INI = """[mlflow]
default_permission = NO_PERMISSIONS
database_uri = sqlite:///accounts.db
admin_username = admin
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""


def test_a_server_with_a_login_keeps_runs_and_models_and_refuses_strangers(small_run, tmp_path, monkeypatch, matrix):
    (tmp_path / "login.ini").write_text(INI)
    guarded = {
        "MLFLOW_AUTH_CONFIG_PATH": str(tmp_path / "login.ini"),
        "MLFLOW_AUTH_ADMIN_PASSWORD": LOGIN["MLFLOW_TRACKING_PASSWORD"],
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "a key of a test",
    }
    kept = tmp_path / "kept"
    words = ["--backend-store-uri", f"sqlite:///{tmp_path}/server.db", "--artifacts-destination", kept.as_uri()]
    (tmp_path / "work").mkdir()
    server = mlflow_server(
        "server", "--app-name", "basic-auth", *words, log=tmp_path / "server.log", environment=guarded
    )
    with server as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        with pytest.raises(mlflow.MlflowException, match="authenticated"):
            registered_in(tmp_path / "stranger", small_run)
        for name, value in LOGIN.items():
            monkeypatch.setenv(name, value)
        current = registered_in(tmp_path / "work", small_run)
        assert check_mlflow_aliases(current, "onroll") == []
        model = mlflow.pyfunc.load_model(CHAMPION)
        released = RiskModel.load(find_release("onroll@champion", current.releases).folder)
        assert np.array_equal(model.predict(matrix).risk, released.predict(matrix).risk)
    assert list(kept.rglob("MLmodel")), "the model lies with the server, not in the folder of who trained it"

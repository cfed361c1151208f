"""MLflow's and BentoML's own tools on a registered version: loading, serving, Spark, the model's page, a server with a login."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import mlflow
import numpy as np
import pandas as pd
import pytest

import onroll
from histories.reading.histories import Histories
from histories.settings import settings
from tests.support.checkout import ROOT
from tests.support.mlflow_server import mlflow_server
from training.papers import Authority, Material
from training.release.registry import check_mlflow_aliases, register
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
def matrix(small_run):
    return onroll.features(Histories.open(small_run[0]), DAY).reset_index(drop=True)


@pytest.fixture(scope="module")
def expected(current, matrix):
    """The risks of the released bundle, without MLflow."""
    model = RiskModel.load(find_release("onroll@champion", current.releases).folder)
    return model.predict(matrix, contributions=True)


def test_the_models_page_says_what_it_is_where_it_comes_from_and_how_it_did(without_pickle, small_run):
    manifest = small_run[2].manifest
    info = mlflow.models.get_model_info(CHAMPION)
    assert [c.name for c in info.signature.inputs] == manifest.features
    assert [c.name for c in info.signature.outputs] == ["risk", "risk_low", "risk_high", "margin"]
    assert [(p.name, p.default) for p in info.signature.params] == [("contributions", False)]
    assert info.metadata["data_digest"] == manifest.data_digest
    version = without_pickle.get_model_version_by_alias("onroll", "champion")
    assert "Out-of-scope uses" in version.description
    assert "Performance at a team's capacity" in version.description
    assert version.tags["horizon_days"] == "120"
    logged = mlflow.get_logged_model(info.model_id)
    assert (logged.status.value, logged.params["candidate"]) == ("READY", manifest.candidate)
    metrics = {m.key: m for m in logged.metrics}
    assert metrics["average_precision"].value == manifest.figures["average_precision"]
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
    assert np.array_equal(model.predict(given.copy().assign(surplus="x")).risk, expected.risk)
    parts = model.predict(matrix, params={"contributions": True}).drop(columns=["risk", "risk_low", "risk_high"])
    assert np.abs(parts.drop(columns="margin").sum(axis=1) - parts.margin).max() < 1e-9
    with pytest.raises(mlflow.MlflowException, match="absent_rate_14d"):
        model.predict(matrix.drop(columns="absent_rate_14d"))


def test_spark_scores_a_frame(without_pickle, spark, matrix, expected):
    few = matrix.head(40)
    columns = "risk double, risk_low double, risk_high double, margin double"
    udf = mlflow.pyfunc.spark_udf(spark, CHAMPION, result_type=columns, env_manager="local")
    frame = spark.createDataFrame(few.assign(row=range(len(few))))
    scored = frame.select("row", udf(*matrix.columns).alias("s")).select("row", "s.risk").toPandas().sort_values("row")
    assert np.array_equal(scored.risk, expected.risk[:40])


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
    assert np.array_equal(pd.read_parquet("scored.parquet").risk, expected.risk)


def test_mlflow_serves_the_version_over_http(without_pickle, current, matrix, expected):
    words = ["models", "serve", "--model-uri", CHAMPION, "--env-manager", "local"]
    store = {"MLFLOW_TRACKING_URI": current.tracking_uri}
    with mlflow_server(*words, log=Path("served.log"), health="/ping", environment=store) as address:
        few = json.loads(matrix.head(3).to_json(orient="split", index=False))
        body = {"dataframe_split": few, "params": {"contributions": True}}
        answer = httpx2.post(f"{address}/invocations", json=body, timeout=120)
    assert answer.status_code == 200, answer.text
    served = pd.DataFrame(answer.json()["predictions"])
    assert np.allclose(served.risk, expected.risk[:3], rtol=1e-12)
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

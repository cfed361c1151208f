"""The real server: live scores equal batch scores, logs and metrics hold no child's values, and it stops cleanly."""

import json
import operator
import os
import subprocess
import sys
from datetime import date

import httpx2
import pyarrow.parquet as pq
import pytest

from histories.reading.histories import Histories
from serving.cli.demo import rows_of
from serving.cli.running import running
from tests.support.checkout import ROOT
from tests.support.left_behind import plant
from tests.support.running_service import ask, read

DAY = date(2025, 4, 28)


@pytest.fixture(scope="module")
def home(tmp_path_factory, bundle):
    """The folder of the data, with code that somebody who broke in has left there."""
    folder = tmp_path_factory.mktemp("service")
    plant(folder)
    return folder


@pytest.fixture(scope="module")
def environment(home, bundle):
    return {
        **os.environ,
        "ONROLL_MODEL": str(bundle),
        "ONROLL_DATABASE_URL": f"sqlite:///{home / 'onroll.db'}",
        "BENTOML_HOME": str(home / ".bentoml"),
        "PYTHONPATH": str(ROOT),
        "BENTOML_DO_NOT_TRACK": "True",
    }


@pytest.fixture(scope="module")
def server(home, environment):
    log = home / "service.log"
    with running(log, home, environment) as url:
        yield url, log


def onroll(home, environment, *words):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "serving.cli.main", *words],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_live_score_equals_the_batch_score_of_the_same_rows(home, environment, server, small_histories):
    url, _ = server
    key = onroll(home, environment, "keys", "create", "--role", "administrator", "--json")["key"]
    opened = Histories.open(small_histories)
    ids = sorted(pq.read_table(small_histories / "pupils.parquet")["pupil_id"].to_pylist())[:150]
    posted = {name: content for name, content in rows_of(opened, ids).items() if content}
    live = ask(f"{url}/api/v1/score", key, {"as_of": DAY.isoformat(), "histories": posted})
    folder = home / "same"
    folder.mkdir()
    import pyarrow as pa

    for name, content in posted.items():
        if content:
            pq.write_table(pa.Table.from_pylist(content), folder / f"{name}.parquet")
    scored = onroll(
        home,
        environment,
        "score",
        str(folder),
        "--as-of",
        DAY.isoformat(),
        "--out",
        "same.parquet",
        "--store",
        "--json",
    )
    assert scored["scores"] == scored["stored"] == len(live["scores"]) > 50
    stored = ask(f"{url}/api/v1/worklist", key, {"limit": 1000})["scores"]
    order = operator.itemgetter("authority", "rank")
    assert sorted(live["scores"], key=order) == sorted(stored, key=order)
    assert any(r["evidence"] for s in live["scores"] for r in s["reasons"])


def test_no_value_of_a_child_reaches_logs_metrics_or_errors(home, environment, server):
    url, log = server
    canary = "ZZCANARYZZ"
    key = onroll(home, environment, "keys", "create", "--role", "administrator", "--json")["key"]
    rows = {
        "pupils": [{"pupil_id": canary, "date_of_birth": "2014-05-01"}],
        "enrolments": [{"pupil_id": canary, "urn": canary, "entry_date": "2018-09-04"}],
    }
    ask(f"{url}/api/v1/score", key, {"as_of": "2025-01-13", "histories": rows})
    for path, body in (
        ("score", {"as_of": canary, "histories": rows}),
        ("scores", {"pupil_ids": canary}),
        (canary, {}),
        ("worklist", {canary: canary}),
    ):
        with pytest.raises(httpx2.HTTPStatusError) as refused:
            ask(f"{url}/api/v1/{path}", key, body)
        assert 400 <= refused.value.response.status_code < 500
        assert canary not in refused.value.response.text
    page = read(f"{url}/metrics")
    assert "/api/v1/score" in page
    assert canary not in page
    lines = log.read_text(errors="replace")
    assert '"route": "/api/v1/score"' in lines
    assert canary not in lines
    assert key not in lines


def test_code_left_in_the_folder_of_the_data_does_not_run(home, server):
    """Neither in the supervisor nor in its worker."""
    assert not (home / "ran").exists(), list((home / "ran").iterdir())
    assert not (home / "pickles").exists()

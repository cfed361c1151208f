"""Scores made in Spark's executors are those that DuckDB's rows give, reasons and evidence included."""

import json
import os
import subprocess
import sys
from datetime import date

import pyarrow.parquet as pq
import pytest

from features import matrix
from features import spark as in_spark
from histories.reading.histories import Histories
from serving.cli.main import main
from serving.scoring.parquet import rows_of
from serving.scoring.spark import score_in_spark
from tests.support.engines import QUICK_JAVA
from training.risk_model import RiskModel

D = date(2025, 1, 13)


def near(one, other):
    """Compare as deep as it goes: numbers to 1e-9, everything else as it is."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(near(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(near, one, other))
    return one == pytest.approx(other, abs=1e-9) if isinstance(one, float) else one == other


@pytest.mark.prove
@pytest.mark.parametrize("pupils", [2000, 40])
def test_scores_made_in_the_executors_are_those_of_duckdb(
    spark, small_histories, bundle, tmp_path, monkeypatch, pupils
):
    monkeypatch.setattr(in_spark, "PUPILS", pupils)
    expected = rows_of(RiskModel.load(bundle).score(Histories.open(small_histories), D, top=70))
    out = tmp_path / "scores"
    opened = Histories.open(small_histories, engine="spark")
    written = score_in_spark(opened, bundle, D, str(out), top=70, within=[28])
    rows = pq.read_table(out).sort_by([("authority", "ascending"), ("rank", "ascending")]).to_pylist()
    assert written == len(rows) == len(expected) > 50
    columns = [c for c in pq.read_table(out).schema.names if c != "risk_within_28"]
    shares = {"act_today": 0.6, "help_early": 0.2}
    assert [r["risk_within_28"] for r in rows] == pytest.approx(
        [1 - (1 - r["risk"]) ** shares[r["list"]] for r in rows]
    )
    for one, other in zip(expected, rows, strict=True):
        # Parquet keeps less of a reason than the record: its direction is in the sign.
        kept = {c: one[c] for c in columns}
        for c in ("reasons", "protective", "context"):
            kept[c] = [{k: v for k, v in r.items() if k != "direction"} for r in kept[c]]
        assert near(kept, {c: other[c] for c in columns}), one["rank"]
    assert any(r["evidence"] for s in rows for r in s["reasons"])


@pytest.mark.prove
def test_the_verbs_run_on_spark_and_print_json_and_nothing_else(small_histories, bundle, tmp_path):
    """In a process of its own, where Spark has to start: what Java prints must reach neither output."""
    environment = {**os.environ, "ONROLL_ENGINE": "spark", "ONROLL_SPARK_MASTER": "local[2]"} | dict([QUICK_JAVA])
    for verb, out, more in (("features", "f.parquet", []), ("score", "s", ["--model", str(bundle), "--top", "3"])):
        call = [
            sys.executable,
            "-m",
            "serving.cli.main",
            verb,
            str(small_histories),
            "--as-of",
            str(D),
            "--out",
            out,
            *more,
            "--json",
        ]
        done = subprocess.run(
            call, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=500, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        output = json.loads(done.stdout)
        assert output.get("scores", output.get("rows")) == pq.read_table(tmp_path / out).num_rows > 0
    alone = matrix(Histories.open(small_histories), [D])
    assert pq.read_table(tmp_path / "f.parquet").equals(alone)


def test_scores_that_spark_writes_are_not_stored(small_histories, bundle, capsys):
    call = [
        "score",
        str(small_histories),
        "--as-of",
        str(D),
        "--out",
        "s",
        "--model",
        str(bundle),
        "--engine",
        "spark",
        "--store",
    ]
    with pytest.raises(SystemExit) as left:
        main(call)
    assert left.value.code == 2
    assert "cannot be stored" in capsys.readouterr().err

"""Scores made in Spark's executors are those that DuckDB's rows give, reasons and evidence included."""

from datetime import date

import pyarrow.parquet as pq
import pytest

from features import spark as in_spark
from histories.opening import Histories
from serving.scored import rows_of
from serving.scored_in_spark import score_in_spark
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
    written = score_in_spark(Histories.open(small_histories, engine="spark"), bundle, D, str(out), top=70)
    found = pq.read_table(out).sort_by([("authority", "ascending"), ("rank", "ascending")]).to_pylist()
    assert written == len(found) == len(expected) > 50
    columns = pq.read_table(out).schema.names
    for one, other in zip(expected, found, strict=True):
        # Parquet keeps less of a reason than the record: its direction is in the sign.
        kept = {c: one[c] for c in columns}
        for c in ("reasons", "protective", "context"):
            kept[c] = [{k: v for k, v in r.items() if k != "direction"} for r in kept[c]]
        assert near(kept, other), one["rank"]
    assert any(r["evidence"] for s in found for r in s["reasons"])

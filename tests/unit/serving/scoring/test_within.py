"""``score --within``: the risk within other numbers of days, in columns of their own, or a refusal before anything is scored."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from serving.cli.main import onroll
from training.bundle import read_bundle, write_bundle

SHARES = {"act_today": {28: 0.6, 182: 1.2}, "help_early": {28: 0.2, 182: 1.5}}  # of the fixture


def run(histories, model, out, *more):
    call = ["score", str(histories), "--as-of", "2025-01-13", "--out", str(out), "--model", str(model), *more]
    return CliRunner().invoke(onroll, call)


def test_each_number_of_days_gets_a_column(small_histories, bundle, tmp_path):
    alone, out = tmp_path / "alone.parquet", tmp_path / "s.parquet"
    assert run(small_histories, bundle, alone).exit_code == 0
    given = ("--within", "28", "--within", "182", "--within", "28", "--json")
    done = run(small_histories, bundle, out, *given)
    assert done.exit_code == 0, done.output
    table = pq.read_table(out)
    assert table.schema.names == [*pq.read_schema(alone).names, "risk_within_28", "risk_within_182"]
    assert json.loads(done.stdout)["scores"] == len(table)
    for row in table.select(["list", "risk", "risk_within_28", "risk_within_182"]).to_pylist():
        for days, share in SHARES[row["list"]].items():
            assert row[f"risk_within_{days}"] == pytest.approx(1 - (1 - row["risk"]) ** share)
    assert pq.read_table(alone).equals(table.select(pq.read_schema(alone).names))


@pytest.mark.parametrize(
    ("known", "days", "do"), [(True, "183", "Give 1 to 182"), (False, "28", "Train a new version")]
)
def test_days_that_the_model_does_not_know_are_refused_before_scoring(
    small_histories, bundle, tmp_path, known, days, do
):
    model, out = tmp_path / "model", tmp_path / "s.parquet"
    booster, manifest = read_bundle(bundle)
    if not known:
        manifest.timing = {}
    model.mkdir()
    write_bundle(model, booster, manifest, {"card.md": (Path(bundle) / "card.md").read_text()})
    done = run(small_histories, model, out, "--within", days)
    assert done.exit_code == 1
    assert do in str(done.exception)
    assert not out.exists()


def test_a_stored_score_is_reproduced_without_it():
    done = CliRunner().invoke(onroll, ["score", "--reproduce", "1", "--within", "28"])
    assert done.exit_code != 0

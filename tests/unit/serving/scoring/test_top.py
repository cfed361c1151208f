"""`score --top` limits what is written; the list that is stored holds everybody."""

from datetime import date

import polars as pl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from histories.settings import settings
from serving.cli.score import score as verb
from serving.store import Store
from serving.store.database import reading
from serving.store.tables import StoredScore
from tests.support.databases import KEY
from tests.support.released import release

DAY, TOP = date(2025, 1, 13), 3


@pytest.fixture
def scored(bundle, small_histories, tmp_path, monkeypatch):
    """Score, and return what was written."""
    monkeypatch.setenv("ONROLL_AUDIT_KEY", KEY.decode())
    release(settings().releases, bundle, 1)
    model = str(settings().releases / "onroll" / "v1")

    def run(*words):
        out = tmp_path / "s.parquet"
        answer = CliRunner().invoke(
            verb, [str(small_histories), "--as-of", str(DAY), "--out", str(out), "--model", model, *words]
        )
        assert answer.exit_code == 0, answer.output
        return pl.read_parquet(out), answer.output

    return run


def test_everybody_is_stored_whoever_is_written(scored):
    """Before, the stored list ended where the file did: nobody below could be found, and each counted as not captured."""
    whole, _ = scored()
    first, said = scored("--top", str(TOP), "--store")
    assert first.equals(whole.filter(pl.col("rank") <= TOP))
    assert first.equals(scored("--top", str(TOP))[0])
    assert len(first) < len(whole)
    assert f"{len(first)} scores" in said
    assert f"{len(whole)} stored" in said
    with reading(Store.of(settings()).engine) as connection:
        stored = set(connection.scalars(sa.select(StoredScore.pupil_id)))
    assert stored == set(whole["pupil_id"])

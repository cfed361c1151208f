"""The serving model: taken over when it passes its checks, kept when the next one fails, shadowed by a challenger."""

import json
import logging
import shutil
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import spearmanr
from starlette.testclient import TestClient

from features.posted import open_rows
from histories.reading.histories import Histories
from histories.settings import settings
from serving.http.api import make_app
from serving.http.guard import Guard
from serving.scoring import live_model as holding
from serving.scoring.live_model import LiveModel
from serving.scoring.parquet import rows_of, schema_of
from serving.scoring.shadow import CELLS, Shadow, counted, differences, list_changes, rank_correlation
from serving.store import Store
from tests.support.released import alias, recorded, release, withdraw
from training.explanation.score import Score

FLIPPED = {"a": -1.0, "b": 1.0, "bootstrap": [[-1.0, 1.0]]}


@pytest.fixture
def releases(tmp_path, bundle):
    folder = tmp_path / "mlruns" / "releases"
    release(folder, bundle, 1)
    alias(folder, champion=1)
    return folder


@pytest.fixture
def live_model(releases):
    live = LiveModel("onroll@champion", releases)
    assert live.model().manifest.version == "1"
    return live


def test_a_promotion_is_atomic_and_a_running_request_keeps_its_version(releases, bundle, live_model):
    mine = live_model.model()
    release(releases, bundle, 2)
    alias(releases, champion=2)
    assert live_model.model() is mine
    live_model.refresh()
    assert (live_model.model().manifest.version, mine.manifest.version) == ("2", "1")
    assert live_model.refused is None


def test_a_withdrawn_model_stops_at_once_and_a_promotion_brings_one_back(releases, bundle, live_model):
    withdraw(releases)
    live_model.refresh()
    assert (live_model.model(), live_model.withdrawn, live_model.refused) == (None, True, None)
    release(releases, bundle, 2)
    alias(releases, champion=2)
    live_model.refresh()
    assert (live_model.model().manifest.version, live_model.withdrawn) == ("2", False)


def test_while_it_is_withdrawn_no_call_gives_a_score_and_the_service_stays_ready(releases, monkeypatch):
    withdraw(releases)
    app = make_app(settings())
    client = TestClient(Guard(app, refusals=app.state.store.refusals), raise_server_exceptions=False)
    _, key = app.state.store.create_key("lead", "801")
    client.headers["Authorization"] = f"Bearer {key}"
    rows = {"pupils": [], "enrolments": []}
    for call, body in {
        "score": {"as_of": "2025-01-13", "histories": rows},
        "scores": {"pupil_ids": ["A"]},
        "worklist": {},
        "counts": {"by": "urn"},
    }.items():
        answer = client.post(f"/api/v1/{call}", json=body)
        assert (call, answer.status_code) == (call, 503)
        assert "withdrawn" in answer.json()["detail"]
    assert client.get("/api/v1/model").status_code == 503
    assert client.get("/readyz").json() == {"status": "ready", "model": None, "withdrawn": True}


def spoil(folder):
    text = (folder / "booster.txt").read_text()
    (folder / "booster.txt").write_text(text.replace("0.", "1.", 1))


@pytest.mark.parametrize(
    ("changes", "harm", "why"),
    [
        ({}, spoil, "changed after it was made"),
        ({}, lambda f: (f / "SHA256SUMS").unlink(), "not a model folder"),
        ({}, shutil.rmtree, "not a model folder"),
        ({"catalogue_digest": "other", "feature_digests": {}}, None, "another catalogue"),
        ({"bands": []}, None, "StopIteration"),
        ({"calibrator": {"a": 1e308, "b": 1e308, "bootstrap": [[-1e308, 1e308]]}}, None, ""),
        ({"features": []}, None, ""),
    ],
)
def test_an_unproven_version_is_refused_loudly_and_the_previous_one_stays(
    releases, bundle, live_model, caplog, changes, harm, why
):
    folder = release(releases, bundle, 2, **changes)
    if harm:
        harm(folder)
    alias(releases, champion=2)
    live_model.refresh()
    live_model.refresh()
    assert live_model.model().manifest.version == "1"
    assert live_model.refused.version == "v2"
    assert why in live_model.refused.why
    assert len([r for r in caplog.records if r.levelno == logging.ERROR]) == 1
    alias(releases, champion=1)
    live_model.refresh()
    assert live_model.refused is None


def test_a_half_copied_version_is_served_once_complete(releases, bundle, live_model, monkeypatch):
    folder = release(releases, bundle, 2)
    whole = (folder / "booster.txt").read_text()
    (folder / "booster.txt").write_text(whole[:1000])
    alias(releases, champion=2)
    live_model.refresh()
    (folder / "booster.txt").write_text(whole)
    live_model.refresh()
    assert live_model.model().manifest.version == "1"
    monkeypatch.setattr(holding, "RETRY_SECONDS", 0.0)
    live_model.refresh()
    assert live_model.model().manifest.version == "2"


def test_a_damaged_file_of_aliases_changes_nothing(releases, live_model):
    (releases / "onroll" / "aliases.json").write_text("{")
    live_model.refresh()
    assert live_model.model().manifest.version == "1"
    assert live_model.refused.why == "JSONDecodeError"


def test_readiness_says_which_version_serves_and_which_is_refused(releases, bundle):
    from starlette.testclient import TestClient

    recorded(releases)
    app = make_app(settings())
    client = TestClient(app)
    assert client.get("/readyz").json() == {"status": "ready", "model": "onroll", "model_version": "1"}
    spoil(release(releases, bundle, 2))
    alias(releases, champion=2)
    recorded(releases)
    app.state.live_model.refresh()
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["model_version"], ready.json()["refused"]["version"]) == (200, "1", "v2")
    assert "onroll_model_refused 1.0" in client.get("/metrics").text


def test_a_worker_has_its_model_before_it_takes_connections(releases, monkeypatch):
    from starlette.testclient import TestClient

    monkeypatch.setattr(LiveModel, "watch", lambda self: None)
    recorded(releases)
    app = make_app(settings())
    assert app.state.live_model.current is None
    with TestClient(app):
        assert app.state.live_model.current.manifest.version == "1"


def shadowed(releases, bundle, small_histories, tmp_path, **changes):
    release(releases, bundle, 2, **changes)
    alias(releases, champion=1, challenger=2)
    champion, rival = LiveModel("onroll@champion", releases), LiveModel("onroll@challenger", releases, needed=False)
    rival.refresh()
    shadow = Shadow(rival, Store(f"sqlite:///{tmp_path / 'onroll.db'}"), share=1)
    histories = Histories.open(small_histories)
    scores = champion.model().score(histories, date(2025, 4, 28))
    shadow.offer(histories, date(2025, 4, 28), scores)
    shadow.score(shadow._queue.get_nowait())
    (pair,) = differences(shadow.store)
    assert pair["pupils"] == len(scores) > 100
    return pair, scores


def test_an_identical_challenger_changes_nothing(releases, bundle, small_histories, tmp_path):
    pair, scores = shadowed(releases, bundle, small_histories, tmp_path)
    assert (pair["champion"], pair["challenger"]) == ("1", "2")
    assert pair["rank_correlation"] == pytest.approx(1)
    assert pair["list_changes"] == pytest.approx(0)
    assert pair["mean_risk_difference"] == pytest.approx(0)
    kept = b"".join(f.read_bytes() for f in tmp_path.glob("onroll.db*"))
    assert not any(s.pupil_id.encode() in kept or s.urn.encode() in kept for s in scores)


def test_a_challenger_with_reversed_risks_is_detected(releases, bundle, small_histories, tmp_path):
    pair, scores = shadowed(releases, bundle, small_histories, tmp_path, calibrator=FLIPPED)
    assert pair["rank_correlation"] == pytest.approx(-1, abs=0.01)
    assert pair["list_changes"] == pytest.approx(1)
    wanted = [1 / (1 + np.exp(s.margin - 1)) - s.risk for s in scores]
    assert pair["mean_risk_difference"] == pytest.approx(np.mean(wanted))


def test_the_shadow_never_holds_a_request_up(releases, bundle, tmp_path, caplog):
    alias(releases, champion=1, challenger=1)
    rival = LiveModel("onroll@challenger", releases, needed=False)
    shadow = Shadow(rival, Store(f"sqlite:///{tmp_path / 'onroll.db'}"), share=1)
    scores = LiveModel("onroll@champion", releases).model().score(open_rows(holding.SMOKE_ROWS), date(2025, 1, 13))
    shadow.offer(None, date(2025, 1, 13), scores)
    assert shadow._queue.empty()  # there is no challenger yet
    rival.refresh()
    for _ in range(10):
        shadow.offer(None, date(2025, 1, 13), scores)
    assert shadow._queue.full()
    alias(releases, champion=1)
    rival.refresh()
    assert rival.current is None
    assert rival.refused is None
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


def test_counted_cells_agree_with_pairs():
    rng = np.random.default_rng(4)
    margins = rng.normal(-4, 1, size=3000)
    pairs = 1 / (1 + np.exp(-np.column_stack([margins, margins + rng.normal(0, 0.5, size=3000)])))
    row = counted("1", "2", pairs)
    import json

    table = np.zeros((CELLS, CELLS))
    for i, j, n in json.loads(row["cells"]):
        table[i, j] = n
    assert rank_correlation(table) == pytest.approx(spearmanr(pairs[:, 0], pairs[:, 1])[0], abs=0.003)
    first, second = (set(np.argsort(-pairs[:, k])[:150]) for k in (0, 1))
    assert list_changes(table) == pytest.approx(1 - len(first & second) / 150, abs=0.05)
    alike = np.zeros((CELLS, CELLS))
    alike[7, :9] = 1
    assert rank_correlation(alike) is None


def test_models_shadow_reports_the_pairs(tmp_path, monkeypatch):
    import sqlalchemy as sa
    from click.testing import CliRunner

    from serving.cli.main import onroll
    from serving.scoring.shadow import ShadowCount

    invoked = CliRunner().invoke(onroll, ["models", "shadow"])
    assert "no challenger has scored" in invoked.output
    with Store(settings().database_url).engine.begin() as connection:
        connection.execute(sa.insert(ShadowCount), counted("1", "2", np.array([[0.1, 0.2], [0.2, 0.1]])))
    invoked = CliRunner().invoke(onroll, ["models", "shadow"])
    assert "v2 shadowing v1" in invoked.output
    assert "rank correlation -1.000" in invoked.output


def test_any_declared_day_of_a_score_is_text_in_json_and_a_day_in_parquet(live_model):
    """The recipe for a new field promises both, whatever the field's type."""

    @dataclass(kw_only=True)
    class Later(Score):
        window_ends: date | None = None

    (scored,) = live_model.model().score(open_rows(holding.SMOKE_ROWS), date(2025, 1, 13))
    later = Later(**vars(scored), window_ends=date(2025, 5, 13))
    assert json.loads(json.dumps(later.to_dict()))["window_ends"] == "2025-05-13"
    (row,) = pa.Table.from_pylist(rows_of([later]), schema=schema_of(Later)).to_pylist()
    assert (row["window_ends"], row["as_of"]) == (date(2025, 5, 13), date(2025, 1, 13))

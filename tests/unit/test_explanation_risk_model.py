"""A score is a record whose numbers are calibrated, ranked and the same alone and in bulk."""

import json
import math
import subprocess
import sys
from datetime import date
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from histories.faults import Faults
from tests.unit.explained_model import FEATURES, grown, manifest, numbers, tables
from training.bundle import Calibrator
from training.risk_model import RiskModel


@pytest.fixture(scope="module")
def model():
    return RiskModel(manifest(), grown().model_to_string())


@pytest.fixture(scope="module")
def rows():
    return numbers(60, len(FEATURES), seed=4)


def test_risk_is_the_calibrated_margin_and_lies_in_its_interval(model, rows):
    margin = model.margin(rows)
    risk, (low, high) = model.risk(margin), model.interval(margin)
    assert risk == pytest.approx(1 / (1 + np.exp(-(0.9 * margin - 1.0))))
    assert (low <= risk).all()
    assert (risk <= high).all()
    assert (low < high).all()
    assert np.array_equal(model.interval(margin[7:8])[0], low[7:8])


def test_without_a_bootstrap_the_interval_is_the_risk(rows):
    plain = RiskModel(manifest(calibrator=Calibrator(1.0, 0.0)), grown().model_to_string())
    margin = plain.margin(rows)
    assert np.array_equal(plain.interval(margin)[0], plain.risk(margin))


@pytest.mark.parametrize(("risk", "band"), [(0.0, "low"), (0.0999, "low"), (0.1, "medium"), (1.0, "high")])
def test_bands_begin_where_the_manifest_says(model, risk, band):
    assert model.band(risk) == band


@pytest.mark.parametrize(("risk", "n"), [(0.0, 10**9), (0.08, 12), (0.5, 2), (0.9, 1), (1.0, 1)])
def test_one_in(model, risk, n):
    assert model.one_in(risk) == n


def test_a_score_alone_is_the_score_in_bulk(model, rows):
    matrix, context = tables(rows)
    bulk = {s.pupil_id: s.to_dict() for s in model.score(matrix, context)}
    for i in (0, 31, 59):
        alone = model.score(matrix.slice(i, 1), context.slice(i, 1))[0].to_dict()
        assert {**alone, "rank": 0} == {**bulk[alone["pupil_id"]], "rank": 0}


def test_a_score_is_ready_for_json(model, rows):
    one = model.score(*tables(rows))[0]
    text = json.dumps(one.to_dict(), allow_nan=False)
    assert json.loads(text) == one.to_dict()
    wanted = (
        "pupil_id as_of risk risk_low risk_high rank band one_in reasons protective missing_tables unseen "
    )
    wanted += "model model_version definition horizon_days margin base context"
    assert set(one.to_dict()) == set(wanted.split())
    assert one.as_of == date(2025, 9, 8)
    assert one.to_dict()["as_of"] == "2025-09-08"
    assert (one.authority, one.model, one.model_version, one.horizon_days) == ("301", "onroll", 3, 120)


def test_ranks_go_by_margin_within_the_authority_whatever_the_order_of_rows(model, rows):
    matrix, context = tables(rows)
    scores = model.score(matrix, context)
    for authority in ("301", "302"):
        own = [s for s in scores if s.authority == authority]
        assert [s.rank for s in own] == list(range(1, 31))
        assert [s.margin for s in own] == sorted((s.margin for s in own), reverse=True)
    turned = matrix.take(list(range(59, -1, -1)))
    assert [s.to_dict() for s in model.score(turned, context)] == [s.to_dict() for s in scores]


def test_ties_are_broken_the_same_way_and_not_by_the_number(model, rows):
    matrix, context = tables(np.repeat(rows[:1], 40, axis=0), authorities=("301",))
    order = [s.pupil_id for s in model.score(matrix, context)]
    assert order == [s.pupil_id for s in model.score(matrix.take(list(range(39, -1, -1))), context)]
    assert order != sorted(order)
    assert order != sorted(order, reverse=True)


def test_top_keeps_the_highest_of_each_authority(model, rows):
    matrix, context = tables(rows)
    everyone = model.score(matrix, context)
    assert model.score(matrix, context, top=3) == [s for s in everyone if s.rank <= 3]
    assert model.score(matrix.slice(0, 0), context) == []


def test_columns_are_put_in_the_models_order_by_name(model, rows):
    matrix, context = tables(rows)
    turned = matrix.select(list(reversed(matrix.column_names)))
    assert model.score(turned, context) == model.score(matrix, context)


def test_a_missing_and_a_foreign_column_are_named(model, rows):
    matrix, context = tables(rows)
    wrong = matrix.drop_columns(["moves_365d"]).append_column("colour", matrix.column("secret"))
    with pytest.raises(Faults) as caught:
        model.score(wrong, context)
    assert [(f.where, f.what) for f in caught.value.faults] == [
        ("matrix, column moves_365d", "is missing"),
        ("matrix, column colour", "is not a feature of the model"),
    ]
    with pytest.raises(Faults, match="is there twice"):
        model.score(matrix.append_column("secret", matrix.column("secret")), context)
    with pytest.raises(Faults, match="columns of the model"):
        model.margin(rows[:, :-1])


def test_null_is_missing(model, rows):
    matrix, context = tables(rows)
    nulls = pa.table({c: pa.array(matrix[c].to_pylist(), from_pandas=True) for c in matrix.column_names})
    assert nulls["absence_28d"].null_count > 0
    assert model.score(nulls, context) == model.score(matrix, context)


def test_a_snapshot_outside_of_the_cohort_is_named_by_its_row(model, rows):
    matrix, context = tables(rows)
    with pytest.raises(Faults, match=r"rows 41, 42, .* and 10 more") as caught:
        model.score(matrix, context.slice(0, 40))
    assert "P0040" not in str(caught.value)


def test_what_training_never_saw_is_named(model):
    usual = [0.5, 0.5, 1.0, 7.0, 0.0, math.nan]
    matrix, context = tables(np.array([usual, [2.5, *usual[1:]], [*usual[:2], math.nan, 7.0, 0.0, 1.0]]))
    unseen = {s.pupil_id: s.unseen for s in model.score(matrix, context)}
    assert unseen == {"P0000": [], "P0001": ["absence_28d"], "P0002": ["moves_365d", "secret"]}


def test_evidence_is_asked_for_once_for_the_reasons_and_laid_beside_them(model, rows):
    matrix, context = tables(rows)
    asked = []

    def evidence(histories, snapshots, names):
        asked.append((histories, snapshots.num_rows, names))
        record = {"table": "enrolments", "date": "2025-03-01", "text": "moved"}
        return {(p, date(2025, 9, 8)): {"moves_365d": [record]} for p in snapshots["pupil_id"].to_pylist()}

    opened = SimpleNamespace(missing=("cme", "sen"))
    scores = model.score(matrix, context, opened, top=2, evidence=evidence)
    assert asked == [(opened, 4, ["absence_28d", "absence_prev_28d", "moves_365d"])]
    assert all(s.missing_tables == ["cme", "sen"] for s in scores)
    moves = [r for s in scores for r in s.reasons + s.protective if r.theme == "moves"]
    assert moves
    assert all(r.evidence == [{"table": "enrolments", "date": "2025-03-01", "text": "moved"}] for r in moves)


def test_reading_a_model_needs_neither_mlflow_nor_shap_nor_lightgbm():
    code = (
        "import sys, training.risk_model; early = set(sys.modules)\n"
        "import training.explanation.leaf_tables, training.explanation.trees\n"
        "heavy = {'mlflow', 'shap', 'lightgbm', 'sklearn', 'pandas'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert 'numba' not in early"
    )
    import training

    root = next(iter(training.__path__)) + "/.."
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)

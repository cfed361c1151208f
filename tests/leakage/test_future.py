"""Nothing recorded on or after a day moves a feature as of that day: rows of the future are changed, deleted and added."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import matrix
from histories.opening import Histories, canonical, day_number
from histories.tables import TABLES

D = date(2025, 1, 13)
CUT = day_number(D)


def rows_of(folder):
    import narwhals as nw

    tables = {}
    for file in folder.glob("*.parquet"):
        if file.stem in TABLES:
            frame = pl.read_parquet(file).with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
            days = [c for c in frame.columns if frame[c].dtype == pl.Date]
            numbered = frame.with_columns(pl.col(c).cast(pl.Int32) for c in days)
            for c in TABLES[file.stem].columns.values():
                if c.name not in numbered.columns:
                    numbered = numbered.with_columns(
                        pl.lit(None, pl.Int32 if c.kind == "date" else pl.String).alias(c.name)
                    )
            clocks = canonical(nw.from_native(numbered.lazy()), TABLES[file.stem]).to_native().collect()
            tables[file.stem] = frame.with_columns(
                clocks["known"],
                clocks["end_known"] if "end_known" in clocks.columns else pl.lit(None, pl.Int32).alias("end_known"),
            )
    return tables


def features_of(tables, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    for table, frame in tables.items():
        frame.drop("known", "end_known").write_parquet(folder / f"{table}.parquet")
    return matrix(Histories.open(folder), [D])


@pytest.fixture(scope="module")
def tables(small_histories):
    return rows_of(small_histories)


@pytest.fixture(scope="module")
def before(tables, tmp_path_factory):
    return features_of(tables, tmp_path_factory.mktemp("before"), "h")


def deleted(frame, table):
    """Delete what was recorded on or after the day, and take away ends that were."""
    declared = TABLES[table]
    frame = frame.filter(pl.col("known") < CUT)
    if declared.end:
        late = pl.col("end_known").fill_null(CUT) >= CUT
        also = [c for c in ("leaving_recorded_on", "end_recorded_on") if c in frame.columns]
        frame = frame.with_columns(
            pl.when(late).then(None).otherwise(c).alias(c) for c in (*declared.end_columns, *also) if c in frame.columns
        )
    for stage in declared.stages:
        late = pl.col(stage.date).cast(pl.Int32).fill_null(CUT) >= CUT
        frame = frame.with_columns(pl.when(late).then(None).otherwise(c).alias(c) for c in stage.columns)
    return frame


def test_deleting_the_future_moves_no_feature(tables, before, tmp_path):
    assert any(t.filter(pl.col("known") >= CUT).height for t in tables.values())
    without = {n: f if TABLES[n].always_known or n == "pupils" else deleted(f, n) for n, f in tables.items()}
    assert features_of(without, tmp_path, "h").equals(before)


RECORDED = [
    n for n, t in TABLES.items() if "recorded_on" in t.columns and n not in ("termly_attendance", "interventions")
]
CLOCKS = ("recorded_on", "leaving_recorded_on", "end_recorded_on")
OTHER = {
    "code": "O",
    "destination": "missing_education",
    "kind": "cpp",
    "category": "PERM",
    "provision": "E",
    "response": "declined",
    "urn": "999999",
}


def with_more(tables, seed, make):
    """Add rows to every table with a clock: some of its own, made into others."""
    rng = np.random.Generator(np.random.PCG64(seed))
    more = dict(tables)
    for name in RECORDED:
        if name in tables and not tables[name].is_empty():
            frame = tables[name]
            some = frame[rng.integers(0, frame.height, min(80, frame.height)).tolist()]
            more[name] = pl.concat([frame, make(some, name, rng).select(frame.columns)])
    return more


@settings(max_examples=12)
@given(seed=st.integers(0, 2**31), wait=st.integers(0, 200))
def test_rows_recorded_from_the_day_on_move_no_feature(tables, before, tmp_path_factory, seed, wait):
    """Rows of the past are written again with other values, recorded on the day or later: corrections nobody knew yet."""

    def correct(rows, name, _):
        rows = rows.with_columns(pl.lit(D).dt.offset_by(f"{wait}d").cast(pl.Date).alias("recorded_on"))
        other = {c: v for c, v in OTHER.items() if c in rows.columns and c not in TABLES[name].key}
        return rows.with_columns(pl.lit(v).cast(rows[c].dtype).alias(c) for c, v in other.items())

    assert features_of(with_more(tables, seed, correct), tmp_path_factory.mktemp("after"), "h").equals(before)


@settings(max_examples=12)
@given(seed=st.integers(0, 2**31), wait=st.integers(0, 200), back=st.integers(0, 60))
def test_new_rows_recorded_from_the_day_on_move_no_feature(tables, before, tmp_path_factory, seed, wait, back):
    """Rows about things that nobody had recorded yet: other days, other children, in every table with a clock."""

    def invent(rows, _, rng):
        days = [c for c in rows.columns if rows[c].dtype == pl.Date and "recorded" not in c]
        rows = rows.with_columns(pl.col(c).dt.offset_by(pl.lit(f"-{back}d")).alias(c) for c in days)
        return rows.with_columns(
            pl.Series("pupil_id", rng.permutation(rows["pupil_id"].to_numpy())),
            *(pl.lit(D).dt.offset_by(f"{wait}d").cast(pl.Date).alias(c) for c in CLOCKS if c in rows.columns),
            *(pl.lit(v).cast(rows[c].dtype).alias(c) for c, v in OTHER.items() if c in rows.columns),
        )

    assert features_of(with_more(tables, seed, invent), tmp_path_factory.mktemp("new"), "h").equals(before)


def test_a_feature_that_sees_the_future_is_caught(tables, before, tmp_path, monkeypatch):
    """The test can fail: a feature that counts whole tables, whenever recorded, moves."""
    from features import visible

    def leaky(histories, table, snapshots, known):
        import narwhals as nw

        rows = snapshots.select("pupil_id", "as_of").join(histories.frame(table), on="pupil_id", how="inner")
        return rows.with_columns((nw.col("as_of") - nw.col(visible.HAPPENED[table])).alias("age"))

    import sys

    monkeypatch.setattr(sys.modules["features.matrix"], "visible", leaky)
    without = {n: f if TABLES[n].always_known or n == "pupils" else deleted(f, n) for n, f in tables.items()}
    own = features_of(tables, tmp_path, "a")
    assert not features_of(without, tmp_path, "b").equals(own)

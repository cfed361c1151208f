"""The plain engine gives the same as Polars, step by step, missing values included."""

import math

import narwhals as nw
import polars as pl
import pytest

from features.catalogue import catalogue
from features.counting.tallies import aggregate
from histories.reading.frames import collect
from histories.reading.histories import FEW, Histories
from histories.reading.plain_expressions import supports
from histories.reading.plain_frame import PlainFrame

DATA = {
    "k": ["a", "b", "a", None, "b", "c"],
    "x": [1, None, 3, 0, -2, 5],
    "y": [0, 2, None, 0, 7, 5],
    "t": [True, False, None, True, False, None],
    "d": [0, 31, 20000, 11016, None, -1],
}
KINDS = {"k": pl.String, "x": pl.Int64, "y": pl.Int64, "t": pl.Boolean, "d": pl.Int32}
x, y, t, k = (nw.col(c) for c in "xytk")
STEPS = [
    x + y,
    x - 1,
    5 - x,
    2 + x,
    x * y,
    3 * x,
    x // 2,
    x // y,
    x % 3,
    (x > 0).cast(nw.Float64) / y.cast(nw.Float64),
    1.5 / x.cast(nw.Float64),
    x == y,
    x != 3,
    x < y,
    x <= 1,
    x >= y,
    x > 0,
    (x > 0) & t,
    (x > 0) | t,
    ~t,
    x.is_null(),
    x.fill_null(9),
    x.fill_null(y),
    k.is_in(["a", "c"]),
    x.shift(1).over("k", order_by="y"),
    x.shift(-1).over("k", order_by=["y", "d"]),
    x.shift(9).over("k", order_by="y"),
    x.cum_max().over("k", order_by="y"),
    nw.when(x > 0).then(y).otherwise(x).cum_max().over("k", order_by="d"),
    x.is_between(0, 3),
    x.is_between(y, 5, closed="right"),
    x.is_between(0, 3, closed="none"),
    x.abs(),
    t.cast(nw.Int64),
    x.cast(nw.String),
    nw.when(x > 1).then(y),
    nw.when(x > 1).then(y).otherwise(0),
    nw.when(x > 0, t).then(nw.lit(1)).otherwise(x),
    nw.coalesce("x", y, nw.lit(4)),
    nw.max_horizontal("x", y),
    nw.min_horizontal("x", y),
    nw.any_horizontal(x > 0, t, ignore_nulls=False),
    nw.any_horizontal(x > 0, t, ignore_nulls=True),
    nw.all_horizontal(x > 0, t, ignore_nulls=True),
    nw.col("d").cast(nw.Date).dt.year(),
    nw.col("d").cast(nw.Date).dt.month(),
    nw.col("d").cast(nw.Date).dt.day(),
]


def both():
    return PlainFrame(dict(DATA), 6), nw.from_native(pl.DataFrame(DATA, KINDS))


def alike(a, b):
    return a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b))


def same(plain, polars):
    one, other = list(plain.data.values()), [polars[c].to_list() for c in polars.columns]
    assert plain.columns == polars.columns
    assert all(alike(a, b) for u, v in zip(one, other, strict=True) for a, b in zip(u, v, strict=True)), (one, other)


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_step_gives_the_same_as_in_polars(step):
    plain, polars = both()
    assert supports(step)
    same(plain.select(step.alias("made")), polars.select(step.alias("made")))


@pytest.mark.parametrize(
    "step", [x.sum(), x.max(), x.min(), x.count(), nw.len(), (x > 0).sum(), x.sum().cast(nw.Float64) / 2], ids=str
)
def test_an_aggregation_gives_the_same_as_in_polars(step):
    plain, polars = both()
    same(plain.select(step.alias("made")), polars.select(step.alias("made")))
    grouped = plain.group_by("k").agg(step.alias("made")).sort("k")
    same(grouped, polars.group_by("k").agg(step.alias("made")).sort("k"))


@pytest.mark.parametrize("how", ["inner", "left", "semi", "anti"])
def test_a_join_gives_the_same_as_in_polars(how):
    plain, polars = both()
    beside = {"k": ["b", "a", "b", None], "x": [10, 20, 30, 40], "z": ["p", None, "q", "r"]}
    joined = plain.join(PlainFrame(beside, 4), on="k", how=how)
    order = joined.columns
    same(joined.sort(*order), polars.join(nw.from_native(pl.DataFrame(beside)), on="k", how=how).sort(*order))


@pytest.mark.parametrize("keep", ["first", "last"])
def test_unique_keeps_the_same_row_as_polars(keep):
    plain, polars = both()
    how = {"subset": ["k"], "keep": keep, "order_by": ["x", "y"]}
    same(plain.unique(**how).sort("k"), polars.lazy().unique(**how).collect().sort("k"))


def test_rows_are_kept_where_a_condition_is_true():
    plain, polars = both()
    same(plain.filter(x > 0, t), polars.filter(x > 0, t))


def test_unsupported_steps_are_detected_without_computing():
    assert not supports(nw.col("k").str.to_uppercase() == "A")
    assert not supports(nw.when(x > 0).then(y.rank()))
    assert not supports(nw.col("x", "y"))
    assert not supports(x.sum().over("k"))
    assert not supports(x.rank().over("k", order_by="y"))


def test_every_shipped_feature_runs_on_the_plain_engine():
    assert all(supports(f.value()) for f in catalogue().features)
    assert all(supports(aggregate(tally)) for tally in catalogue().tallies.values())


def test_many_rows_go_to_polars():
    pupils = [{"pupil_id": f"p{n}", "date_of_birth": "2012-05-01", "authority": "801"} for n in range(FEW)]
    few = {"pupils": pupils, "enrolments": [], "schools": []}
    assert Histories.from_rows(few, plain=True).engine == "plain"
    few["pupils"].append({"pupil_id": "one more", "date_of_birth": "2012-05-01", "authority": "801"})
    assert Histories.from_rows(few, plain=True).engine == "polars"


@pytest.mark.parametrize("plain", [True, False])
def test_rows_are_given_to_an_engine_as_arrow_polars_or_plain_lists_alike(plain):
    opened = Histories.from_rows({"pupils": [], "enrolments": [], "schools": []}, plain=plain)
    frame = pl.DataFrame({"as_of": [1, 2]}, schema={"as_of": pl.Int32})
    kinds = [frame, frame.to_arrow(), *([PlainFrame({"as_of": [1, 2]}, 2)] if plain else [])]
    for rows in kinds:
        given = opened.given(rows)
        values = list(given.data["as_of"]) if plain else collect(given)["as_of"].to_list()
        assert values == [1, 2], type(rows)

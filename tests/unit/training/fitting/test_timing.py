"""When children go missing: shares that follow occurrences over exposure, and risks of all horizons that agree."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import Definition
from histories.errors import Faults
from histories.reading.histories import Histories
from tests.support.rolls_that_go_on import going_on
from training.explanation.within import risk_within
from training.fitting.helped import UNTREATED
from training.fitting.timing import DAYS, expected_and_came, followed, timing
from training.labeller import Labeller
from training.task import Task

HORIZON = 120
DAY, KNOWN = date(2023, 1, 9), {days: date(2023, 1, 9) + timedelta(days=days) for days in (HORIZON, 182, 364)}


def rows(onsets, *, of=1000, stopping=False, followed_for=364, as_of=DAY):
    """Children of a day of whom some went missing after so many days, followed for a while."""
    frame = pl.DataFrame({"onset": [*onsets, *[None] * (of - len(onsets))]}, schema={"onset": pl.Int64})
    known = [
        pl.lit(day if days <= followed_for else None, pl.Date).alias(f"known_{days}") for days, day in KNOWN.items()
    ]
    key = pl.format("p{}", pl.int_range(pl.len())).alias("pupil_id")
    return frame.with_columns(
        key,
        *known,
        pl.lit(as_of).alias("as_of"),
        pl.lit(stopping).alias("already_stopping"),
        pl.lit(1.0).alias("weight"),
    )


def test_shares_are_occurrences_over_exposure():
    many = rows([*[5] * 500, *[60] * 1000, *[110] * 500, *[150] * 1000], of=1_000_000)
    shares = timing(many, HORIZON)["help_early"]
    assert list(map(int, shares)) == sorted({*DAYS, HORIZON})
    expected = {"14": 0.25, "28": 0.25, "56": 0.25, "91": 0.75, "120": 1.0, "182": 1.5, "364": 1.5}
    assert shares == pytest.approx(expected, abs=0.02)  # the prior, and that fewer are left at risk


def test_without_an_outcome_the_rate_is_even():
    shares = timing(rows([]), HORIZON)["help_early"]
    assert shares == pytest.approx({str(days): days / HORIZON for days in (*DAYS, HORIZON)})


def test_a_window_known_in_part_teaches_its_first_intervals_only():
    whole = rows([5] * 50 + [150] * 50 + [200] * 50)
    part, longer = (rows([150] * 400, followed_for=days) for days in (182, 364))
    alone, with_part, with_longer = (
        timing(pl.concat([whole, *more]), HORIZON)["help_early"] for more in ([], [part], [longer])
    )
    assert with_part["182"] == with_longer["182"] > 2 * alone["182"]
    after = [shares["364"] - shares["182"] for shares in (with_part, with_longer)]
    assert after[0] > 1.3 * after[1]  # nobody of the second day is known to have stayed until then


def test_lists_have_a_timing_each_and_sampled_children_count_as_many():
    both = pl.concat([rows([3] * 40, of=80, stopping=True), rows([100] * 40)])
    by_list = timing(both, HORIZON)
    assert by_list["act_today"]["14"] > 0.8
    assert by_list["help_early"]["14"] < 0.1
    sampled = both.with_columns(weight=pl.when(pl.col("onset").is_null()).then(10.0).otherwise(1.0))
    others = pl.concat([both, *[both.filter(pl.col("onset").is_null())] * 9])
    for name, shares in timing(sampled, HORIZON).items():
        assert shares == pytest.approx(timing(others, HORIZON)[name])


def test_nothing_known_later_is_used():
    early = rows([5] * 50 + [150] * 20)
    later = rows([100] * 300, as_of=DAY + timedelta(days=200)).with_columns(pl.col("^known_.*$") + timedelta(days=200))
    day = KNOWN[182] + timedelta(days=1)
    known = early.with_columns(known_364=pl.lit(None, pl.Date))
    assert timing(pl.concat([early, later]), HORIZON, day) == timing(known, HORIZON)
    assert "364" not in timing(known, HORIZON, day)["help_early"]


@given(
    st.lists(st.integers(0, 363), max_size=60),
    st.lists(st.floats(0, 1), min_size=1, max_size=20),
    st.lists(st.integers(1, 364), min_size=2, max_size=6),
)
def test_risks_of_all_horizons_agree(onsets, risks, days):
    shares, risk = timing(rows(onsets, of=100), HORIZON)["help_early"], np.array(risks)
    assert risk_within(risk, shares, HORIZON) == pytest.approx(risk)
    by_days = np.array([risk_within(risk, shares, d) for d in sorted(days)])
    assert ((by_days >= 0) & (by_days <= 1)).all()
    assert (np.diff(by_days, axis=0) >= 0).all()


@pytest.mark.parametrize(("shares", "days"), [({}, 28), ({"28": 0.2, "120": 1.0}, 121), ({"28": 0.2, "120": 1.0}, 0)])
def test_days_that_a_model_does_not_know_are_refused(shares, days):
    with pytest.raises(Faults):
        risk_within(np.zeros(1), shares, days)


def leavers():
    """Two hundred children, every second of whom leaves for missing education, one a week; rolls go on until 2024."""
    pupils = [{"pupil_id": f"p{n:03}", "date_of_birth": "2012-03-10", "authority": "801"} for n in range(200)]
    spells = [{"pupil_id": p["pupil_id"], "urn": "100001", "entry_date": "2021-09-02"} for p in pupils]
    for n in range(0, 200, 2):
        left = str(DAY + timedelta(days=3 + 7 * (n // 2)))
        spells[n] |= {"leaving_date": left, "destination": "missing_education", "leaving_recorded_on": left}
    marks = [{"pupil_id": "p001", "date": str(DAY), "session": "AM", "code": "/"}]
    return Histories.from_rows(
        going_on({"pupils": pupils, "enrolments": spells, "attendance": marks}, DAY, date(2024, 12, 20))
    )


def followed_of(task):
    histories, labeller = leavers(), Labeller(leavers(), task)
    frame = labeller.labels(task.as_they_came()).with_columns(already_stopping=pl.lit(value=False))
    return followed(task, histories, frame, labeller)


@pytest.mark.parametrize("until", [None, date(2023, 9, 25), date(2023, 7, 24)])
def test_onsets_are_those_of_the_longest_window_that_is_known(until):
    task = Task(as_of=(DAY,), until=until, definition=Definition.load())
    found = followed_of(task)
    known = [
        d for d in (HORIZON, 182, 364) if f"known_{d}" in found.columns and found[f"known_{d}"].is_not_null().any()
    ]
    longest = {None: 364, date(2023, 9, 25): 182, date(2023, 7, 24): HORIZON}[until]
    assert max(known) == longest
    onsets = sorted(found["onset"].drop_nulls().to_list())
    assert onsets == list(range(3, longest, 7))


def test_other_ways_of_help_are_followed_for_their_window_only():
    assert "known_182" not in followed_of(Task(as_of=(DAY,), helped=UNTREATED)).columns


def test_expected_and_came_at_a_horizon_are_the_calibration(small_run):
    _, task, result = small_run
    rows_ = {(r["list"], r["days"]): r for r in result.manifest.figures["within"]}
    assert {days for _, days in rows_} >= {*(d for d in DAYS if d < task.horizon), task.horizon}
    judged = result.predictions.judged & ~np.isnan(result.predictions.risk(result.manifest.candidate))
    at_horizon = [r for (_, days), r in rows_.items() if days == task.horizon]
    risk, weight = result.predictions.risk(result.manifest.candidate), result.predictions.weight
    assert sum(r["expected"] for r in at_horizon) == pytest.approx((risk * weight)[judged].sum())
    assert sum(r["came"] for r in at_horizon) == pytest.approx((result.predictions.label * weight)[judged].sum())
    for name in ("act_today", "help_early"):
        came = [r["came"] for (of, _), r in sorted(rows_.items()) if of == name and r["days"] <= task.horizon]
        assert came == sorted(came)


def test_expected_and_came_needs_a_judged_day(small_run):
    _, task, result = small_run
    result_ = result.predictions
    nothing = type(result_)(
        frame=result_.frame,
        origin=result_.origin,
        judged=np.zeros(len(result_.frame), bool),
        seen=result_.seen,
        margins=result_.margins,
    )
    assert expected_and_came(nothing, result.manifest.candidate, rows([]), task.horizon) == []

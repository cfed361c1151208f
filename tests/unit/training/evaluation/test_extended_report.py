"""The extended report recovers simulated effects: lead time, churn, the value of themes, unseen authorities and the learning curve."""

from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from features.catalogue import catalogue
from training.evaluation.ablation import by_theme
from training.evaluation.transfer import learning_curve, leave_one_out
from training.evaluation.weekly_lists import churn, lead_time, mondays
from training.fitting.candidates import boosted, learner
from training.fitting.splits import split

SMALL = {
    **boosted.DEFAULTS,
    "rounds": 30,
    "learning_rate": 0.1,
    "min_data_in_leaf": 5,
    "feature_fraction": 1.0,
    "negative_share": 1.0,
}
DAYS = [date(2022 + n // 3, (1, 4, 9)[n % 3], 10) for n in range(9)]
WEEKS = [date(2025, 1, 6) + timedelta(weeks=n) for n in range(4)]


def lists(*weeks):
    return pl.DataFrame([{"pupil_id": p, "as_of": d} for d, who in zip(WEEKS, weeks, strict=True) for p in who])


def test_lead_time_is_from_the_first_list_to_going_missing_and_later_lists_do_not_count():
    listed = lists("ab", "abc", "bc", "d")
    went = {"b": WEEKS[1] + timedelta(days=3), "c": WEEKS[3], "d": WEEKS[3] - timedelta(days=1), "e": WEEKS[2]}
    labels = pl.DataFrame(
        [{"pupil_id": p, "label": 1.0, "happened_on": d} for p, d in went.items()]
        + [{"pupil_id": "a", "label": 0.0, "happened_on": None}]
    )
    # b after 10 days, c after 14; d was listed a day too late, e never, and a did not go missing.
    assert lead_time(listed, labels) == {"went_missing": 4, "listed": 2, "lead_days": [11.0, 12.0, 13.0]}
    assert lead_time(listed, labels.filter(pl.col("pupil_id") == "e"))["lead_days"] is None


def test_churn_compares_consecutive_weeks_and_a_returning_child_is_not_new():
    assert churn(lists("ab", "ac", "cb", "cb"), WEEKS) == {
        "kept": pytest.approx((1 / 2 + 1 / 2 + 1) / 3),
        "new_children": pytest.approx(1 / 3),
    }
    assert churn(lists("ab", "", "", "").filter(pl.col("as_of") == WEEKS[0]), WEEKS[:1]) == {
        "kept": None,
        "new_children": None,
    }


def test_weekly_lists_end_with_the_term():
    assert mondays(date(2024, 12, 2))[-1] == date(2024, 12, 16)
    assert len(mondays(date(2025, 1, 13), 3)) == 3


@pytest.fixture(scope="module")
def trained():
    """Four authorities of 400 children on nine days; absence raises the risk, in authority 804 attendance does."""
    rng = np.random.default_rng(3)
    pupils, at = np.arange(1600), catalogue().names.index("absent_rate_90d")
    authority = np.array(["801", "802", "803", "804"])[pupils % 4]
    parts = []
    for day in DAYS:
        x = rng.random((1600, len(catalogue().names)))
        signal = np.where(authority == "804", 1 - x[:, at], x[:, at])
        label = (rng.random(1600) < 0.25 * signal**6).astype(float)
        parts.append(
            pl.DataFrame(x, schema=catalogue().names).with_columns(
                pl.Series("pupil_id", [f"p{p}" for p in pupils]),
                pl.Series("authority", authority),
                pl.Series("label", label),
                pl.lit(day).alias("as_of"),
                pl.lit(day + timedelta(days=130)).alias("known_on"),
            )
        )
    frame = pl.concat(parts)
    settings = {**SMALL, "monotone": False}
    return SimpleNamespace(frame=frame, splits=split(frame), settings=settings, learn=learner("lightgbm", settings))


def test_removing_the_informative_theme_costs_and_removing_others_does_not(trained):
    losses = by_theme(trained, 1)
    informative = catalogue().by_name["absent_rate_90d"].theme
    assert losses[informative]["lost"] == max(f["lost"] for f in losses.values())
    assert losses[informative]["interval"][0] > 0
    assert all(f["interval"][0] < 0.02 for theme, f in losses.items() if theme != informative)
    assert sum(f["features"] for f in losses.values()) == len(catalogue().names)


def test_a_different_authority_is_predicted_badly_by_a_model_that_never_saw_it(trained):
    by_authority = leave_one_out(trained, 1)
    assert set(by_authority) == {"801", "802", "803", "804"}
    alike = [f["average_precision"] for name, f in by_authority.items() if name != "804"]
    assert by_authority["804"]["average_precision"] < min(alike)
    assert by_authority["804"]["average_precision"] < by_authority["804"]["with_its_own_past"]
    assert {f["snapshots"] for f in by_authority.values()} == {800}


def test_the_learning_curve_is_of_authorities_and_of_pupils_where_there_is_one(trained):
    assert [(p["of"], p["number"]) for p in learning_curve(trained, 1)] == [("authorities", n) for n in (1, 2, 4)]
    alone = trained.frame.filter(pl.col("authority") == "801")
    curve = learning_curve(
        SimpleNamespace(frame=alone, splits=split(alone), settings=trained.settings, learn=trained.learn), 1
    )
    assert [(p["of"], p["number"]) for p in curve] == [("pupils", n) for n in (50, 100, 200, 400)]
    assert [p["positives"] for p in curve] == sorted(p["positives"] for p in curve)
    assert all(0 < p["average_precision"] <= 1 for p in curve)

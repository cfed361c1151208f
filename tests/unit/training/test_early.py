"""Detection and prediction are evaluated separately: children who had stopped coming, and the time before the outcome."""

import numpy as np
import pytest

from features.groups.disclosure import HIDDEN
from training.measures.early import LEAD_DAYS, Onset, judge_early
from training.measures.evaluate import Judged, Resamples
from training.papers.report_early import ahead, of_list


def world(days, stopping, score, lists=None):
    """Children in the order of ``score``; an outcome after so many days, or None."""
    n = len(days)
    when = np.array([np.nan if d is None else float(d) for d in days])
    judged = Judged(
        score=np.array(score, float),
        label=np.isfinite(when).astype(float),
        pupil=np.arange(n),
        list_of=np.zeros(n, int) if lists is None else np.array(lists),
        weight=np.ones(n),
    )
    onset = Onset(stopping=np.array(stopping, bool), days=when)
    return judge_early(judged, onset, Resamples(judged.pupil, 1, 50))


def test_outcomes_count_from_their_day_on_and_only_among_those_not_yet_stopping():
    figures = world([3, 14, 27, 28, 56, None, 60], [0, 0, 0, 0, 0, 0, 1], range(7, 0, -1))
    assert [figures["early"][f"at_least_{n}_days"]["positives"] for n in LEAD_DAYS] == [4, 2, 1]
    assert figures["lists"]["act_today"]["positives"] == 1
    assert figures["lists"]["help_early"]["positives"] == 5


def test_children_who_had_stopped_take_no_place_from_the_early_list():
    """A hundred children who had stopped score highest; the predicted one is first on the other list."""
    days = [5] * 100 + [40] + [None] * 200
    figures = world(days, [1] * 100 + [0] * 201, range(301, 0, -1))
    at = figures["early"]["at_least_28_days"]
    assert at["early_average_precision"] == 1.0
    assert at["top_25"]["early_recall"] == 1.0
    assert at["top_25"]["early_precision"] == pytest.approx(1 / 25)
    assert at["top_100"]["early_precision"] == pytest.approx(1 / 100)


def test_children_missing_sooner_take_places_and_are_not_false_positives():
    figures = world([2] * 25 + [40] + [None] * 50, [0] * 76, range(76, 0, -1))
    at = figures["early"]["at_least_28_days"]
    assert at["early_average_precision"] == 1.0
    assert at["top_25"]["early_recall"] == 0.0
    assert at["top_100"]["early_recall"] == 1.0


def test_each_list_of_an_authority_has_separate_places():
    days = ([40] + [None] * 49) * 2
    figures = world(days, [0] * 100, [100 - n % 50 for n in range(100)], [n // 50 for n in range(100)])
    at = figures["early"]["at_least_28_days"]["top_25"]
    assert (at["listed"], at["early_recall"]) == (50.0, 1.0)
    low, high = at["early_recall_interval"]
    assert low == high == 1.0


def test_without_an_early_outcome_there_is_no_figure_and_no_fault():
    figures = world([3, None, None], [0, 0, 1], [3, 2, 1])
    at = figures["early"]["at_least_14_days"]
    assert (at["positives"], at["early_average_precision"], at["top_25"]["early_recall"]) == (0, None, None)
    assert at["top_25"]["early_recall_interval"] == [None, None]
    assert figures["lists"]["act_today"]["average_precision"] is None


def test_small_numbers_of_the_lists_are_hidden_in_the_report():
    few = {"snapshots": 900, "positives": 6, "average_precision": 0.5, "top_25": {"precision": 0.1, "recall": 0.9}}
    many = {"snapshots": 900, "positives": 40, "average_precision": 0.5, "top_25": {"precision": 0.8, "recall": 0.5}}
    assert of_list(few)[1:] == (HIDDEN, HIDDEN, HIDDEN)
    assert of_list(many)[2:] == ("80%", "50%")
    top = {"listed": 100.0, "early_precision": 0.2, "early_recall": 0.5}
    top |= {"early_precision_interval": [0.1, 0.3], "early_recall_interval": [0.4, 0.6]}
    ((*_, precision, recall),) = ahead("at_least_28_days", {"positives": 40, "top_100": top})
    assert (precision, recall) == ("20.0% (10.0% to 30.0%)", "50.0% (40.0% to 60.0%)")
    ((*_, positives, precision, recall),) = ahead("at_least_28_days", {"positives": 42, "top_100": top})
    # 21 of 42 would be a half: only 20 and 40 are printed.
    assert (positives, precision) == ("40", "20.0% (10.0% to 30.0%)")
    assert recall.startswith("50.0%")
    exact = {
        "snapshots": 900,
        "positives": 43,
        "average_precision": 0.5,
        "top_25": {"precision": 0.8, "recall": 20 / 43},
    }
    assert of_list(exact)[1:] == ("45", "80%", "44%")  # not 20 of 43
    ((*_, precision, recall),) = ahead("at_least_28_days", {"positives": 12, "top_100": top})
    assert (precision, recall) == (HIDDEN, HIDDEN)

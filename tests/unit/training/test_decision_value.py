"""What a year of lists reaches, compared with children who have already stopped coming, and what that is worth."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from features.groups.disclosure import HIDDEN
from histories.calendar import day_number
from training.measures.decision_value import decision_value
from training.measures.evaluate import Judged, Resamples
from training.papers.report_value import in_words, value

DAYS = [date(2023, 9, 11), date(2024, 1, 8), date(2024, 4, 22), date(2024, 9, 9)]  # one year: three lists a year


def measured(label, score, stopping, absent, weight=None):
    """One list on each of four days, the same children in the same order on each."""
    n = len(label)
    judged = Judged(
        score=np.tile(np.array(score, float), 4),
        label=np.tile(np.array(label, float), 4),
        pupil=np.tile(np.arange(n), 4),
        list_of=np.repeat(np.arange(4), n),
        weight=np.tile(np.ones(n) if weight is None else np.array(weight, float), 4),
    )
    days = np.repeat([day_number(d) for d in DAYS], n)
    stopped, away = np.tile(np.array(stopping, bool), 4), np.tile(np.array(absent, float), 4)
    return decision_value(judged, days, stopped, away, Resamples(judged.pupil, 1, 100))


def test_children_reached_and_reviewed_are_those_of_a_year_of_lists():
    """Of 40 children the model lists 10 a day, of whom 4 go missing; 5 have stopped coming, of whom 1 does."""
    label = [1] * 4 + [0] * 31 + [1] + [0] * 4
    of_lists = measured(label, range(40, 0, -1), [0] * 35 + [1] * 5, [np.nan] * 35 + [9] * 5)
    assert of_lists["lists_a_year"] == pytest.approx(3, abs=0.02)
    scale = of_lists["lists_a_year"]
    at = of_lists["top_10_a_list"]
    assert (at["model"]["reached"], at["model"]["reviewed"]) == (pytest.approx(4 * scale), pytest.approx(10 * scale))
    assert (at["present"]["reached"], at["present"]["reviewed"]) == (pytest.approx(scale), pytest.approx(5 * scale))
    assert at["model"]["net_benefit_1_in_20"] == pytest.approx((4 - 6 / 19) * scale)
    assert at["lead"]["reached"] == pytest.approx(3 * scale)


def test_present_practice_reviews_the_longest_absent_first_and_the_unknown_last():
    label = [1, 1] + [0] * 28
    absent = [40, 30, *([20] * 27), np.nan]
    of_lists = measured(label, np.zeros(30), [1] * 30, absent)
    assert of_lists["top_10_a_list"]["present"]["reached"] == pytest.approx(2 * of_lists["lists_a_year"])
    away_last = measured(label, np.zeros(30), [1] * 30, [np.nan, 1, *([20] * 28)])
    assert away_last["top_25_a_list"]["present"]["reached"] == 0


def test_the_interval_of_a_lead_is_paired():
    """Model and present practice list the same children: the lead is exactly zero in every resample."""
    label = [1] * 6 + [0] * 24
    at = measured(label, range(30, 0, -1), [1] * 10 + [0] * 20, range(30, 0, -1))["top_10_a_list"]
    assert at["lead"]["reached_interval"] == [0, 0]
    low, high = at["model"]["reached_interval"]
    assert low < at["model"]["reached"] < high


def test_sampled_children_count_by_their_weight():
    weight = [1] * 4 + [5] * 36
    at = measured([1] * 4 + [0] * 36, range(40, 0, -1), [0] * 40, [0] * 40, weight)
    assert at["top_10_a_list"]["model"]["reviewed"] == pytest.approx(10 * at["lists_a_year"])


def test_without_anybody_who_has_stopped_present_practice_reaches_nobody():
    at = measured([1] + [0] * 29, range(30, 0, -1), [0] * 30, [np.nan] * 30)["top_25_a_list"]
    assert (at["present"]["reached"], at["present"]["reviewed"]) == (0, 0)
    assert at["lead"]["reached"] == at["model"]["reached"]


def with_decision(material, decision, positives):
    manifest = material.manifest
    figures = {**manifest.figures, "decision": decision, "positives": positives}
    return replace(material, manifest=replace(manifest, metrics={**manifest.metrics, manifest.candidate: figures}))


def test_the_first_page_says_what_lists_reach_and_whether_that_is_noise(material):
    label = [1] * 20 + [0] * 100 + [1] * 10 + [0] * 70
    stopping, absent = [0] * 120 + [1] * 80, [0] * 120 + [9] * 80
    decision = measured(label, range(200, 0, -1), stopping, absent)
    text = " ".join(in_words(with_decision(material, decision, 120)))
    assert "With 3 lists a year of 25 children in each authority, about 75 children a year are reviewed and 60 " in text
    assert "The list reaches more: by " in text
    same = measured(label, range(200, 0, -1), [1] * 200, range(200, 0, -1))
    assert "within noise" in in_words(with_decision(material, same, 120))[-1]
    rows = value(with_decision(material, decision, 120)).rows
    assert [r[0] for r in rows] == ["10", "10", "25", "25", "50", "50", "100", "100"]


def test_few_children_are_hidden(material):
    decision = measured([1] + [0] * 199, range(200, 0, -1), [0] * 100 + [1] * 100, [9] * 200)
    hidden = with_decision(material, decision, 4)
    (sentence,) = in_words(hidden)
    assert HIDDEN in sentence
    assert all(set(row[3:]) == {HIDDEN} for row in value(hidden).rows)


def test_a_run_that_did_not_measure_it_says_nothing(material):
    without = with_decision(material, None, 120)
    assert (in_words(without), value(without)) == ([], None)

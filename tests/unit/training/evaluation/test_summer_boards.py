"""Lists of June are judged by September, with models and calibrators that knew nothing later than the June."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from features.groups.disclosure import HIDDEN
from histories.reading.histories import Histories
from training.evaluation import summer_boards as module
from training.evaluation.summer_boards import second_monday_of_june, summer_boards
from training.papers.report_summer import summer


@pytest.fixture(scope="module")
def boards(small_run):
    """The boards of the small population, one of them of all ages, so that children of it go missing; and what was learned from."""
    folder, task, trained = small_run
    learned_from = []

    def learn(learning):
        learned_from.append(learning)
        at = learning.names.index("absent_rate_90d")
        return lambda x: np.nan_to_num(x[:, at])

    spied = SimpleNamespace(
        frame=trained.frame, predictions=trained.predictions, manifest=trained.manifest, learn=learn
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BOARDS", {"year_6": (4, 15), "year_11": (15, 15)})
        patch.setattr(module, "FEWEST", 2)
        return summer_boards(Histories.open(folder), task, spied, 1), learned_from


def test_the_days_are_second_mondays_of_june_with_a_known_september(boards):
    days = [date.fromisoformat(d) for d in boards[0]["days"]]
    assert days == [date(2024, 6, 10), date(2025, 6, 9)]
    assert days == [second_monday_of_june(d.year) for d in days]


def test_models_and_calibrators_know_nothing_from_the_day_on(boards):
    days = [np.datetime64(d) for d in boards[0]["days"]]
    assert len(boards[1]) >= len(days)
    for day, learning in zip(days, boards[1], strict=False):
        assert learning.known_on.max() < day
        assert learning.as_of.max() < day


def test_a_board_compares_the_model_with_present_practice_and_the_checklist(boards):
    board = boards[0]["boards"]["year_6"]
    figures = board["figures"]
    assert set(figures) == {"released", "without_place", "checklist"}
    assert len({f["positives"] for f in figures.values()}) == 1
    assert figures["released"]["positives"] == 2
    assert figures["released"]["average_precision"] > figures["without_place"]["average_precision"]
    assert figures["released"]["expected"] > 0
    assert set(board["leads"]) == {"without_place", "checklist"}
    assert "early" in figures["released"]


def test_a_board_on_which_nobody_went_missing_says_so(boards):
    assert boards[0]["boards"]["year_11"] == {"why": "0 of 456 children went missing; 2 are needed"}


def test_a_window_that_ends_before_september_judges_no_june(small_run):
    folder, task, trained = small_run
    short = summer_boards(Histories.open(folder), replace(task, horizon=60), trained, 1)
    assert short["days"] == []
    assert all("no June" in board["why"] for board in short["boards"].values())


def test_the_report_hides_small_counts_and_names_what_was_not_judged(boards):
    section = summer(SimpleNamespace(report={"summer": boards[0]}))
    assert "Year 11 leavers: not judged; 0 of 456 children went missing; 2 are needed." in section.text
    ((caption, table),) = section.tables
    assert caption == "Year 6, before secondary school"
    assert len(table.rows) == 3
    assert all(row[2:5] == (HIDDEN, HIDDEN, HIDDEN) for row in table.rows)
    assert summer(SimpleNamespace(report={})).text == ["This run did not judge lists of June."]

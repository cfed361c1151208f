"""Among candidates within noise in average precision, what their lists find early decides, where it tells them apart."""

from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from training.fitting.early_recall import early_hits
from training.fitting.rolling_origin import Predictions
from training.fitting.selection import choose
from training.measures.evaluate import Resamples
from training.papers.material import Material

PUPILS, EARLY, STOPPING, DAYS = 300, 30, 40, 6


def world(margins, ahead=60, early=EARLY, columns=True):
    """Six days of 300 children: the first 40 had stopped coming and go missing, the next 30 go missing in ``ahead`` days.

    ``margins`` maps a candidate to its margin of a child by number.
    """
    days = [date(2024, 1, 8) + timedelta(120 * n) for n in range(DAYS)]
    child = np.tile(np.arange(PUPILS), DAYS)
    stopping, gone = child < STOPPING, child < STOPPING + early
    day = np.repeat(np.array(days, dtype="datetime64[D]"), PUPILS)
    frame = pl.DataFrame(
        {
            "pupil_id": [f"P{d}-{c}" for d in range(DAYS) for c in range(PUPILS)],
            "as_of": day,
            "authority": "801",
            "label": gone.astype(float),
            "already_stopping": stopping,
            "happened_on": np.where(gone, day + np.where(stopping, 3, ahead), np.datetime64("NaT")),
            "trailing_absent_sessions": 0.0,
        }
    )
    origin = np.repeat(np.arange(DAYS), PUPILS)
    if not columns:
        frame = frame.drop("already_stopping", "happened_on", "trailing_absent_sessions")
    numbers = {name: np.array([of(c) for c in child], float) for name, of in margins.items()}
    return Predictions(frame=frame, origin=origin, judged=origin >= 2, seen=origin < 0, margins=numbers)


def finds_early(child):
    """A few who had stopped are missed, and all who will."""
    return 0 if child < 3 else -child


def finds_late(child):
    """All who had stopped are found; of those who will go missing, half come after everybody else."""
    is_late = STOPPING + EARLY // 2 <= child < STOPPING + EARLY
    return -500 if is_late else -child


def order_of(*parts):
    """Return margins that rank children by their place in some ranges, then all others."""
    places = [child for start, end in parts for child in range(start, end)]
    rank = {child: place for place, child in enumerate([*places, *(c for c in range(PUPILS) if c not in set(places))])}
    return lambda child: -rank[child]


ALIKE = {"safe": order_of((0, 45), (100, 120), (45, 70)), "early": order_of((0, 55), (100, 145), (55, 70))}


def test_early_recall_tells_apart_what_average_precision_does_not():
    """Both rank those who had stopped first. Of those who will go missing, one lists 5 of 30 among the first 25 and all others just after;
    the other lists 15 at once and the rest late, which is the same in average precision."""
    chosen, story = choose(world(ALIKE), ["safe", "early"], 1)
    assert story["within_noise"] == ["safe", "early"]
    assert story["early_recall"] == {"safe": 5 / EARLY, "early": 15 / EARLY}
    assert (chosen, story["chosen_by"]) == ("early", "early_recall")
    assert story["within_noise_early"] == ["early"]


def test_a_safer_candidate_within_noise_is_taken_before_one_that_is_clearly_behind():
    margins = {"safe": order_of((0, 45), (100, 120), (45, 70)), "early": order_of((40, 70), (100, 250), (0, 40))}
    chosen, story = choose(world(margins), ["safe", "early"], 1)
    assert (chosen, story["within_noise"]) == ("safe", ["safe"])


def test_a_safer_candidate_stays_if_it_finds_more_early_than_the_one_ahead_of_it():
    """Average precision over everybody does not set it aside; a safer one that finds less early is set aside."""
    margins = {
        "early": order_of((40, 70), (100, 250), (0, 40)),
        "worse": order_of((100, 250), (0, 70)),
        "ahead": order_of((0, 45), (100, 120), (45, 70)),
    }
    chosen, story = choose(world(margins), ["worse", "early", "ahead"], 1)
    assert (chosen, story["chosen_by"]) == ("early", "early_recall")
    assert (story["within_noise"], story["finds_more_early"]) == (["ahead"], ["early"])
    said = Material.choice.fget(SimpleNamespace(manifest=SimpleNamespace(parent=None), story=story))
    assert "or finding more early than the one with it" in said


def test_finding_more_early_keeps_no_candidate_that_ranks_everybody_half_as_well():
    """It lists 15 of those who will go missing among its first 25, and those who have stopped last."""
    margins = {
        "early": order_of((100, 110), (40, 70), (110, 300), (0, 40)),
        "ahead": order_of((0, 45), (100, 120), (45, 70)),
    }
    chosen, story = choose(world(margins), ["early", "ahead"], 1)
    assert story["early_recall"] == {"early": 15 / EARLY, "ahead": 5 / EARLY}
    assert (chosen, story["finds_more_early"]) == ("ahead", [])


def test_candidates_alike_in_both_are_decided_by_safety():
    predictions = world({"one": finds_early, "other": finds_early})
    for names in (["one", "other"], ["other", "one"]):
        chosen, story = choose(predictions, names, 1)
        assert (chosen, story["chosen_by"]) == (names[0], "average_precision")
        assert story["within_noise_early"] == names


@pytest.mark.parametrize("facts", [{"columns": False}, {"ahead": 5}, {"early": 0}])
def test_without_early_outcomes_average_precision_decides_alone(facts):
    predictions = world({"safe": finds_early, "early": finds_early}, **facts)
    chosen, story = choose(predictions, ["safe", "early"], 1)
    assert (chosen, story["chosen_by"]) == ("safe", "average_precision")
    assert story["within_noise_early"] == story["within_noise"]


def test_early_recall_is_the_share_of_early_outcomes_among_the_first_25_of_each_list():
    predictions = world({"in order": finds_early, "half": finds_late})
    hits = early_hits(predictions, ["in order", "half"], Resamples(predictions.pupil, 1, 20))
    assert hits.outcomes[:, -1].tolist() == [EARLY] * DAYS
    assert hits.recall(DAYS)[:, -1].tolist() == [25 / EARLY, 0.5]
    assert hits.recall(1)[:, -1].tolist() == [25 / EARLY, 0.5]
    assert hits.recall(DAYS).shape == (2, 21)


def test_papers_do_not_say_that_early_recall_told_nothing_apart_where_it_speaks_for_the_chosen_one():
    """Early recall leaves only the first; average precision alone would have taken it too."""
    among = ["early", "safe"]
    chosen, story = choose(world(ALIKE), among, 1)
    assert (chosen, story["chosen_by"]) == ("early", "average_precision")
    assert (story["within_noise"], story["within_noise_early"]) == (among, ["early"])
    said = Material.choice.fget(SimpleNamespace(manifest=SimpleNamespace(parent=None), story=story))
    assert said.endswith("none of them has a higher early recall at capacity beyond noise")

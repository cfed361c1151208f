"""Stored lists beside what came: only known outcomes count, everybody else has a reason, and the parts add up."""

from datetime import date, timedelta

import polars as pl
import pytest

from features.outcome.definition import Definition
from features.outcome.known_until import newest_known
from histories.reading.histories import Histories
from serving.monitoring.judge import Terms, judge
from serving.monitoring.outcomes import KNOWN, UNKNOWN
from serving.monitoring.promises import at_capacity, compare
from serving.monitoring.results import by_term
from tests.support.monitored import DAY, END, HORIZON, histories, name, reader, stored_list, tables
from tests.support.rolls_that_go_on import going_on

RISKS = [0.5] * 10 + [0.01] * 90
NEWEST = END - timedelta(days=HORIZON + 60)  # the newest day whose outcomes are known


def judged(risks_of, capacity=10, **how):
    return judge(histories(**how), list(risks_of), reader(risks_of), Terms(capacity=capacity))


def test_expected_is_the_sum_of_the_risks_and_observed_who_went_missing():
    judgement = judged({stored_list(RISKS): RISKS}, gone=(0, 1, 2, 50), moved=(3,))
    (result,) = judgement.lists
    whole, first = result.figures.whole, result.figures.first
    assert (whole.children, whole.observed) == (100, 4)
    assert whole.expected == pytest.approx(5.9)
    assert whole.usual == (2, 11)
    assert whole.kept
    assert whole.ratio.value == pytest.approx(4 / 5.9)
    assert (first.listed, first.found, first.missing, first.promised) == (10, 3, 4, 0.5)
    assert first.precision.value == pytest.approx(0.3)
    assert first.capture.value == pytest.approx(0.75)
    assert {name: (c.children, c.observed) for name, c in result.figures.bands.items()} == {
        "high": (10, 3),
        "usual": (90, 1),
    }
    assert list(result.figures.bands) == ["high", "usual"], "highest risk first"


def test_children_without_a_known_outcome_are_counted_by_reason_and_are_never_a_no():
    x = stored_list([0.1] * 103)
    judgement = judged({x: [0.1] * 103}, gone=(0,), moved=(1, 2), left_before=(5,))
    (result,) = judgement.lists
    assert {k: v for k, v in result.fates.items() if v} == {
        "went_missing": 1,
        "stayed": 96,
        "left_for_a_known_reason": 2,
        "had_left_before_the_day": 1,
        "no_longer_in_the_cohort": 1,  # child 100 is an adult
        "not_in_the_histories": 2,
    }
    assert set(result.fates) == {*KNOWN, *UNKNOWN}
    assert result.figures.whole.children == 99
    assert result.figures.whole.expected == pytest.approx(9.9)


@pytest.mark.parametrize("days_after", [1, 8, 400])
def test_a_list_whose_window_is_open_has_no_outcome(days_after):
    open_list = stored_list(RISKS, day=NEWEST + timedelta(days=days_after))
    known, asked = stored_list(RISKS, day=NEWEST), []

    def read(lists):
        asked.extend(lists)
        return reader(dict.fromkeys(lists, RISKS))(lists)

    judgement = judge(histories(gone=(0,)), [known, open_list], read, Terms(capacity=10))
    matured, waiting = judgement.lists
    assert matured.figures is not None
    assert (waiting.figures, waiting.fates) == (None, {})
    assert waiting.known_from == open_list.as_of + timedelta(days=HORIZON + 60)
    assert asked == [known]
    assert [v.last_day for v in judgement.versions] == [NEWEST]


def test_a_child_whom_only_another_version_scored_counts_as_not_captured():
    """Version 1 scored 20 children, version 2 all of them, on the same day: capture is of each list by itself."""
    short, whole = stored_list(RISKS[:20]), stored_list(RISKS, version="2")
    risks = {short: RISKS[:20], whole: RISKS}
    alone, beside = judged({short: RISKS[:20]}, gone=(0, 50, 51)), judged(risks, gone=(0, 50, 51))
    assert [r.unscored for r in beside.lists] == [80, 0]
    assert beside.lists[0].figures == alone.lists[0].figures
    assert beside.lists[0].figures.first.missing == 3
    assert [v.unscored for v in beside.versions] == [80, 0]


def moved_to(authority, tables, children):
    """The same rows, with some children in another authority."""
    pupils = [p | {"authority": authority} if p["pupil_id"] in children else p for p in tables["pupils"]]
    return {**tables, "pupils": pupils}


@pytest.mark.parametrize(
    ("rolls_end", "elsewhere", "known"),
    [
        (END, False, (True, True)),
        (DAY + timedelta(days=HORIZON + 60), False, (True, True)),
        (DAY + timedelta(days=HORIZON + 59), False, (False, False)),  # suspensions go on, nobody records who leaves
        (DAY + timedelta(days=HORIZON + 59), True, (False, True)),  # of one authority only
    ],
)
def test_nobody_stayed_beyond_the_record_of_who_left_once_it_has_stopped(rolls_end, elsewhere, known):
    here, there = stored_list(RISKS), stored_list(RISKS, authority="802")
    weekly = [rolls_end - timedelta(weeks=n) for n in range(30)]
    rows = going_on(tables(children=120, gone=(0,), rolls_end=rolls_end), *weekly, urn="1")
    if elsewhere:
        rows = moved_to("802", rows, {name(n) for n in range(100, 120)})
        rows["enrolments"].append({"pupil_id": name(119), "urn": "2", "entry_date": str(END), "recorded_on": str(END)})
    read = reader(dict.fromkeys((here, there), RISKS))
    judgement = judge(Histories.from_rows(rows), [here, there], read, Terms(capacity=10))
    assert tuple(r.figures is not None for r in judgement.lists) == known
    assert all(r.fates == {} for r in judgement.lists if r.figures is None)


@pytest.mark.parametrize(("weeks", "known"), [(0, False), (1, True), (30, False)])
def test_where_cases_are_the_outcome_their_record_must_reach_as_far(weeks, known):
    """Without any, nothing is known; one says nothing of whether cases go on to be recorded; of one a week that stop, nobody knows what came since."""
    definition, newest_case = Definition.load("cme_register"), DAY + timedelta(days=HORIZON + 59)
    cases = [newest_case - timedelta(weeks=n) for n in range(weeks)]
    newest = newest_known(Histories.from_rows(going_on(tables(), urn="1", cases=cases)), definition, HORIZON)
    assert (newest.of("801") >= DAY) is known
    assert newest.of("999") == newest.whole, "an authority without children in the histories"


def test_children_whom_the_list_left_out_count_as_not_captured():
    x = stored_list(RISKS[:20])
    (result,) = judged({x: RISKS[:20]}, gone=(0, 50, 51)).lists
    assert result.unscored == 80
    assert result.figures.whole.observed == 1
    assert (result.figures.first.found, result.figures.first.missing) == (1, 3)


def test_versions_are_judged_apart_and_terms_stand_beside_the_year_before():
    year = DAY - timedelta(days=364)
    lists = {stored_list(RISKS, day=year): RISKS, stored_list(RISKS): RISKS, stored_list(RISKS, version="2"): RISKS}
    judgement = judged(lists, gone=(0,))
    assert [(v.model_version, v.lists) for v in judgement.versions] == [
        ("1", 1),
        ("2", 1),
    ]  # of the last day teams were shown the other
    assert [(t.term, t.lists) for t in judgement.terms] == [("2022/23 spring", 1), ("2023/24 spring", 1)]
    before, after = judgement.terms
    assert after.year_before == before.whole
    assert before.year_before is None


def test_a_list_of_an_unknown_definition_is_named_and_not_judged():
    x = stored_list(RISKS, definition="gone_with_its_file")
    judgement = judged({x: RISKS})
    assert judgement.lists[0].figures is None
    assert "--definition" in judgement.warnings[0]


def test_lists_of_the_same_children_say_less_than_their_number():
    apart = pl.DataFrame({"pupil_id": [str(n) for n in range(400)], "risk": 0.1, "label": [1.0] * 40 + [0.0] * 360})
    apart = apart.with_columns(as_of=pl.lit(DAY), horizon=HORIZON)
    again = pl.concat([apart.head(100).with_columns(label=pl.Series([1.0] * 10 + [0.0] * 90))] * 4)
    assert compare(again).ratio.value == compare(apart).ratio.value
    width = {name: c.ratio.high - c.ratio.low for name, c in (("apart", compare(apart)), ("again", compare(again)))}
    assert width["again"] > 1.5 * width["apart"]


def test_groups_with_small_numbers_are_hidden():
    gone = (*range(0, 40, 2), 1, 3)  # 20 girls and 2 boys
    judgement = judged({stored_list([0.22] * 100): [0.22] * 100}, gone=gone, capacity=40)
    by_sex = {s.values[0]: s for s in judgement.versions[0].groups.slices if s.groups == ("sex",)}
    assert by_sex["male"].counts["missing"] is None
    assert by_sex["female"].counts["missing"] is None, "it would give the boys away"
    assert by_sex["female"].counts["children"] == 50
    assert "fsm" in judgement.versions[0].groups_left_out


def test_a_version_none_of_whose_children_are_found_has_no_figure():
    (result,) = judge(
        histories(children=0), [stored_list(RISKS)], reader({stored_list(RISKS): RISKS}), Terms(capacity=10)
    ).versions
    assert (result.figures.whole.children, result.groups, result.figures.whole.ratio) == (0, None, None)


def test_no_list_has_no_result():
    judgement = judged({})
    assert (judgement.lists, judgement.versions, judgement.terms) == ([], [], [])


def test_capacity_counts_places_by_the_authority_of_the_child():
    scored = pl.DataFrame(
        {"pupil_id": ["a", "b", "c"], "rank": [1, 2, 1], "places": [1, 1, 5], "risk": 0.5, "label": [0.0, 1.0, 1.0]}
    ).with_columns(as_of=pl.lit(DAY), horizon=HORIZON)
    first = at_capacity(scored, pl.DataFrame({"label": []}, schema={"label": pl.Float64}), 5)
    assert (first.listed, first.found, first.missing) == (2, 1, 2)


def test_terms_begin_with_their_first_school_day():
    scored = pl.DataFrame(
        {
            "pupil_id": "a",
            "authority": "801",
            "model_version": "1",
            "as_of": [date(2024, 9, 1), date(2025, 1, 5), date(2025, 1, 6), date(2025, 8, 3)],
            "risk": 0.5,
            "label": 0.0,
            "horizon": HORIZON,
        }
    )
    assert [t.term for t in by_term(scored)] == ["2024/25 autumn", "2024/25 spring", "2024/25 summer"]
    assert [t.lists for t in by_term(scored)] == [2, 1, 1]

"""Of any lists: parts add up to the whole, every child has one fate, and an open window has no outcome."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.monitoring.judge import Terms, judge
from serving.monitoring.outcomes import KNOWN
from serving.monitoring.promises import compare, poisson_range
from tests.support.monitored import DAY, END, HORIZON, histories, reader, stored_list

CHILDREN = 12
DELAY = timedelta(days=HORIZON + 60)
WORLDS = st.fixed_dictionaries(
    {
        "gone": st.sets(st.integers(0, CHILDREN - 1)),
        "end": st.dates(DAY, DAY + 2 * DELAY),
        "risks": st.lists(st.floats(0.001, 0.999), min_size=1, max_size=CHILDREN + 3),
        "days": st.sets(st.dates(DAY - timedelta(days=40), DAY + timedelta(days=40)), min_size=1, max_size=3),
    }
)


@settings(max_examples=25)
@given(WORLDS)
def test_parts_add_up_and_open_windows_have_no_outcome(world):
    risks = sorted(world["risks"], reverse=True)
    lists = {stored_list(risks, day=day): risks for day in sorted(world["days"])}
    told = histories(children=CHILDREN, gone=world["gone"], end=world["end"])
    judgement = judge(told, list(lists), reader(lists), Terms(capacity=3))
    for result in judgement.lists:
        is_open = result.of.as_of + DELAY > told.last_known()
        assert (result.figures is None) == is_open
        if is_open:
            assert result.fates == {}
            continue
        assert sum(result.fates.values()) == result.of.children
        figures = result.figures
        assert figures.whole.children == sum(result.fates[fate] for fate in KNOWN)
        assert figures.whole.observed == result.fates["went_missing"] <= len(world["gone"])
        for parts in (figures.bands, figures.lists):
            assert sum(c.children for c in parts.values()) == figures.whole.children
            assert sum(c.observed for c in parts.values()) == figures.whole.observed
            assert sum(c.expected for c in parts.values()) == pytest.approx(figures.whole.expected)
        assert figures.first.found <= min(figures.first.listed, figures.first.missing)
    matured = [r.figures.whole for r in judgement.lists if r.figures]
    for version in judgement.versions:
        assert version.figures.whole.observed == sum(c.observed for c in matured)
        assert version.figures.whole.expected == pytest.approx(sum(c.expected for c in matured))
        for places in version.places.values():
            assert sum(c.observed for c in places.values()) == version.figures.whole.observed
            assert sum(c.children for c in places.values()) == version.figures.whole.children
    assert sum(t.whole.observed for t in judgement.terms) == sum(c.observed for c in matured)


@given(st.floats(0.01, 2000))
def test_the_usual_range_holds_95_in_100(expected):
    import math

    low, high = poisson_range(expected)

    def probability(n):
        return math.exp(n * math.log(expected) - expected - math.lgamma(n + 1))

    assert sum(probability(n) for n in range(low, high + 1)) >= 0.95
    assert sum(probability(n) for n in range(low)) < 0.025
    assert sum(probability(n) for n in range(high)) < 0.975


@given(st.lists(st.tuples(st.floats(0.01, 0.99), st.sampled_from([0.0, 1.0, None])), min_size=1, max_size=30))
def test_a_child_without_an_outcome_changes_no_figure(rows):
    frame = pl.DataFrame(
        {"pupil_id": [str(n) for n in range(len(rows))], "risk": [r for r, _ in rows], "label": [y for _, y in rows]},
        schema={"pupil_id": pl.String, "risk": pl.Float64, "label": pl.Float64},
    ).with_columns(as_of=pl.lit(DAY), horizon=HORIZON)
    assert compare(frame) == compare(frame.filter(pl.col("label").is_not_null()))


def test_the_last_known_day_of_the_made_up_histories_is_their_end():
    assert histories(end=date(2024, 9, 30)).last_known() == END

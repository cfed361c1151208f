"""A fault that has lasted for a year does not become the standard: where last year was faulty too, nothing is quiet."""

from datetime import date

import pytest

from features.catalogue import catalogue
from serving.monitoring.acknowledgements import seen
from serving.monitoring.alarms import ALARMS, load_limits
from serving.monitoring.evidence import Evidence
from serving.monitoring.judge import Judgement
from serving.monitoring.season import YEAR, Delay, Season, Shift, season_of
from tests.support.monitored import DAY, histories

BY_CODE = {alarm.code: alarm for alarm in ALARMS}
ON_TIME, LATE = Delay(marks=500, days=0.5), Delay(marks=500, days=9.0)


def moved(difference, usual):
    return {"moves": Shift(missing=0.0, missing_before=0.0, values=900, difference=difference, usual=usual)}


def shift(now, before):
    return {"moves": Shift(missing=now, missing_before=before, values=900, difference=0.0, usual=0.0)}


# Of each alarm that compares years: the season in which the fault begins, the one a year later while it lasts, and the one in which it is mended.
SEASONS = {
    "A009": (
        {"children": {"801": (500, 1000)}},
        {"children": {"801": (500, 500)}},
        {"children": {"801": (1000, 500)}},
    ),
    "A010": (
        {"recorded": {"suspensions": (0, 1000)}},
        {"recorded": {"suspensions": (0, 0)}},
        {"recorded": {"suspensions": (1000, 0)}},
    ),
    "A012": ({"delays": (LATE, ON_TIME)}, {"delays": (LATE, LATE)}, {"delays": (ON_TIME, LATE)}),
    "A013": (
        {"shifts": shift(0.9, 0.1)},
        {"shifts": shift(0.9, 0.9)},
        {"shifts": shift(0.1, 0.9)},
    ),
    "A014": ({"shifts": moved(0.8, 0.0)}, {"shifts": moved(0.0, 0.8)}, {"shifts": moved(-0.8, 0.8)}),
}
SOUND = {
    "children": {"801": (1000, 1000)},
    "recorded": {"suspensions": (1000, 1000)},
    "delays": (ON_TIME, ON_TIME),
    "shifts": shift(0.1, 0.1),
}


def results(code, now, then):
    last = Season(day=DAY - YEAR, **{**SOUND, **then}) if then is not None else None
    season = Season(day=DAY, **{**SOUND, **now}, last_year=last)
    return BY_CODE[code].results(Evidence(judgement=Judgement(), season=season), load_limits()[code])


def test_every_alarm_that_compares_years_has_a_case():
    assert {a.code for a in ALARMS if a.compares_years} == set(SEASONS)


@pytest.mark.parametrize("code", SEASONS)
@pytest.mark.parametrize("which", [1, 2])
def test_where_last_year_was_faulty_it_is_not_judged(code, which):
    begins, lasts = SEASONS[code][0], SEASONS[code][which]
    result = results(code, lasts, begins)[0]
    assert result.state == "not_judged"
    assert "last year is no standard" in result.what
    assert result.where
    assert (code, result.place) in seen([result])["places"], "an acknowledgement there would end"
    assert results(code, lasts, {})[0].state != "not_judged" or code == "A010"


@pytest.mark.parametrize("code", SEASONS)
def test_a_sound_year_changes_nothing(code):
    begins = SEASONS[code][0]
    for then in (None, {}):
        assert [r.state for r in results(code, begins, then)] == ["up"]
        assert [r.state for r in results(code, {}, then)] == ["quiet"]


def test_what_falls_again_is_up_all_the_same():
    """The feed thinned a year ago and stops now."""
    up = results("A010", {"recorded": {"suspensions": (0, 300)}}, {"recorded": {"suspensions": (300, 1000)}})
    assert [r.state for r in up] == ["up"]


def test_one_faulty_place_leaves_the_others_to_be_judged():
    now, then = {"children": {"801": (500, 500), "802": (500, 1000)}}, {"children": {"801": (500, 1000)}}
    assert [(r.state, r.where) for r in results("A009", now, then)] == [
        ("up", "authority 802"),
        ("not_judged", "authority 801"),
    ]


def test_last_years_season_is_what_was_seen_then():
    made = histories(children=30)
    day = date(2024, 9, 23)
    now, then = (season_of(made, d, catalogue().names) for d in (day, day - YEAR))
    assert now.shifts, "there is something to compare"
    for name in ("day", "recorded", "recorded_in", "open_days", "delays", "delays_in", "shifts", "shifts_in"):
        assert getattr(now.last_year, name) == getattr(then, name), name
    assert now.last_year.children == then.children

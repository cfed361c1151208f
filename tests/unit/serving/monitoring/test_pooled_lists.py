"""A small team's promise is judged on as many lists as it takes to expect enough different children, and on no more; by whichever versions."""

from datetime import date, timedelta
from types import SimpleNamespace

import polars as pl
import pytest

from serving.monitoring import evidence as module
from serving.monitoring.acknowledgements import seen
from serving.monitoring.alarms import ALARMS, load_limits
from serving.monitoring.evidence import Evidence
from serving.monitoring.judge import Judgement
from serving.monitoring.outcomes import Outcomes
from serving.monitoring.results import ListResult
from tests.support.monitored import stored_list

ALARM = {alarm.code: alarm for alarm in ALARMS}
LIMITS = load_limits()
NO_ONE = pl.DataFrame(
    schema={"as_of": pl.Date, "authority": pl.String, "model_version": pl.String, "label": pl.Float64}
)
KNOWN = SimpleNamespace()  # the figures of a list whose outcomes are known
TERM = 13


def weekly(weeks, *, places=4, went=False, turnover=4, term=0, authority="801", horizons=(120,), first=0):
    """Weekly lists of ten children at a risk of 30%, of whom a team takes up some; other children take their places every few weeks.

    A new version makes them each ``term``, with the next of ``horizons``; ``went`` says whether a third went missing, of every list or by week.
    """
    lists, rows = [], []
    for week in range(first, weeks):
        number = week // term if term else 0
        day, version = date(2024, 1, 1) + timedelta(weeks=week), str(number + 1)
        horizon = horizons[number % len(horizons)]
        lists.append(stored_list([0.3] * 10, day=day, version=version, authority=authority, horizon_days=horizon))
        has_gone = went(week) if callable(went) else went
        rows += [
            {
                "pupil_id": f"{authority}-{week // turnover}-{n}",
                "as_of": day,
                "authority": authority,
                "model_version": version,
                "rank": n + 1,
                "places": places,
                "risk": 0.3,
                "label": float(has_gone and n % 3 == 0),
                "horizon": horizon,
            }
            for n in range(10)
        ]
    return lists, rows


def evidence(*of_authorities):
    """Return the evidence of the lists of authorities, each as ``weekly`` makes them."""
    lists = [x for some, _ in of_authorities for x in some]
    scored = pl.DataFrame([row for _, rows in of_authorities for row in rows])
    versions = {str(part["model_version"][0]): part for part in scored.partition_by("model_version")}
    judgement = Judgement(
        lists=[ListResult(of=x, known_from=x.as_of, fates={}, figures=KNOWN) for x in lists],
        outcomes={version: Outcomes(part, NO_ONE) for version, part in versions.items()},
        manifests=dict.fromkeys(versions, SimpleNamespace(base_rate=0.3)),
    )
    return Evidence(judgement=judgement)


def results(code, seen):
    return ALARM[code].results(seen, LIMITS[code])


def looked_at(monkeypatch, code, seen):
    """Return the state of an alarm, and the newest days that it asked for last."""
    days = []
    newest = module._newest_days
    with monkeypatch.context() as patch:
        patch.setattr(module, "_newest_days", lambda whole, n: days.append(n) or newest(whole, n))
        state = results(code, seen)[0].state
    return state, days[-1]


def test_few_places_are_judged_on_more_lists(monkeypatch):
    """Four places expect about two different children on eight lists, and more than five only over months."""
    state, days = looked_at(monkeypatch, "A002", evidence(weekly(40)))
    assert (state, days) == ("up", 16)
    assert looked_at(monkeypatch, "A002", evidence(weekly(40, went=True)))[0] == "quiet"


def test_enough_children_need_no_older_list(monkeypatch):
    """With ten places eight lists tell enough; what older ones were is over."""
    assert looked_at(monkeypatch, "A002", evidence(weekly(40, places=10)))[1] == 8
    assert looked_at(monkeypatch, "A001", evidence(weekly(40)))[1] == 8


@pytest.mark.parametrize("term", [0, TERM])
@pytest.mark.parametrize("code", ["A001", "A002", "A003"])
def test_it_looks_no_further_than_its_limit_and_then_says_so(monkeypatch, code, term):
    """The same child for more than a year: no number of lists makes it five, by whichever versions."""
    lists, rows = weekly(60, places=1, turnover=100, term=term)
    seen = evidence((lists, [row for row in rows if row["rank"] == 1]))
    assert looked_at(monkeypatch, code, seen) == ("not_judged", LIMITS[code]["most_days"])


def test_the_place_of_an_acknowledgement_stays_while_more_lists_are_looked_at():
    first, later = (results("A002", evidence(weekly(weeks)))[0] for weeks in (40, 42))
    assert first.state == later.state == "up"
    assert first.place == later.place == "version 1, authority 801"


def few(weeks, **how):
    """Two places: about one child is expected on the lists of a term."""
    return weekly(weeks, places=2, term=TERM, **how)


def test_lists_of_earlier_versions_are_judged_too_where_those_of_one_are_too_few():
    """A new version each term and a team of two: each version alone would never be judged."""
    (up,) = results("A002", evidence(few(52)))
    assert up.state == "up"
    assert up.where == "versions 1, 2, 3, 4, authority 801, newest 52 days of lists with known outcomes"
    assert up.place == "several versions, authority 801"
    assert [r.state for r in results("A002", evidence(few(52, went=True)))] == ["quiet"]


def test_the_next_version_is_the_same_event_where_several_are_judged_together():
    places = {results("A002", evidence(few(weeks)))[0].place for weeks in (51, 53, 60)}
    assert places == {"several versions, authority 801"}


def test_a_version_whose_own_lists_tell_enough_does_not_answer_for_those_before():
    """Nobody of the lists of the earlier versions went missing; of this one's as many as promised."""
    of_new = weekly(4 * TERM, places=10, term=TERM, went=lambda week: week >= 3 * TERM)
    assert [r.state for r in results("A002", evidence(of_new))] == ["quiet"]
    of_old = weekly(4 * TERM, places=10, term=TERM, went=lambda week: week < 3 * TERM)
    assert [(r.state, r.place) for r in results("A002", evidence(of_old))] == [("up", "version 4, authority 801")]


def test_versions_that_foretell_something_else_are_not_judged_together():
    """Every second version is about 20 days: what came of its lists is none of the newest one's business."""
    both = evidence(few(4 * TERM, horizons=(20, 120)))
    (newest,) = both.current()
    looked = [both.until_enough(newest, LIMITS["A002"], lambda known: 0.0).outcomes, both.outcomes_of_versions(newest)]
    assert [set(found.scored["model_version"]) for found in looked] == [{"2", "4"}] * 2


def test_an_authority_that_cannot_be_judged_is_named_beside_one_that_can():
    """The look of the large one says nothing of the small one."""
    large = weekly(40, places=10, went=True)
    small = weekly(40, places=1, turnover=100, authority="802")
    (found,) = results("A002", evidence(large, small))
    assert (found.state, found.place) == ("not_judged", "version 1, authority 802")
    assert "too few" in found.what
    look = seen([found])
    assert (look["partly"], look["quiet"]) == (["A002"], []), "the large one was judged"
    nowhere = seen(results("A002", evidence(small)))
    assert nowhere["partly"] == []

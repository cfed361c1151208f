"""A small team's promise is judged on as many lists as it takes to expect enough different children, and on no more."""

from datetime import date, timedelta
from types import SimpleNamespace

import polars as pl
import pytest

from serving.monitoring.alarms import ALARMS, load_limits
from serving.monitoring.evidence import Current, Evidence
from serving.monitoring.judge import Judgement
from serving.monitoring.outcomes import Outcomes

ALARM = {alarm.code: alarm for alarm in ALARMS}
LIMITS = load_limits()
NO_ONE = pl.DataFrame({"as_of": [], "label": []}, schema={"as_of": pl.Date, "label": pl.Float64})


class Drawn(Evidence):
    """The lists of one version of one authority."""

    def current(self):
        return [Current(authority="801", version="1")]

    def outcomes(self, of):
        return self.judgement.outcomes["1"]


def evidence(weeks, *, places=4, went=False, turnover=4):
    """Weekly lists of ten children at a risk of 30%, of whom a team takes up some; other children take their places every few weeks."""
    rows = [
        {
            "pupil_id": f"p{week // turnover}-{n}",
            "as_of": date(2024, 1, 1) + timedelta(weeks=week),
            "rank": n + 1,
            "places": places,
            "risk": 0.3,
            "label": float(went and n % 3 == 0),
            "horizon": 120,
        }
        for week in range(weeks)
        for n in range(10)
    ]
    judgement = Judgement(outcomes={"1": Outcomes(pl.DataFrame(rows), NO_ONE)})
    judgement.manifests["1"] = SimpleNamespace(base_rate=0.3)
    return Drawn(judgement=judgement)


def looked_at(monkeypatch, code, seen):
    """Return the state of an alarm, and the newest days that it asked for last."""
    days = []
    recent = Evidence.recent
    monkeypatch.setattr(Drawn, "recent", lambda self, of, n: days.append(n) or recent(self, of, n), raising=False)
    state = ALARM[code].results(seen, LIMITS[code])[0].state
    return state, days[-1]


def test_few_places_are_judged_on_more_lists(monkeypatch):
    """Four places expect about two different children on eight lists, and more than five only over months."""
    state, days = looked_at(monkeypatch, "A002", evidence(40))
    assert (state, days) == ("up", 16)
    assert looked_at(monkeypatch, "A002", evidence(40, went=True))[0] == "quiet"


def test_enough_children_need_no_older_list(monkeypatch):
    """With ten places eight lists tell enough; what older ones were is over."""
    assert looked_at(monkeypatch, "A002", evidence(40, places=10))[1] == 8
    assert looked_at(monkeypatch, "A001", evidence(40))[1] == 8


@pytest.mark.parametrize("code", ["A001", "A002", "A003"])
def test_it_looks_no_further_than_its_limit_and_then_says_so(monkeypatch, code):
    """The same child for a year: no number of lists makes it five."""
    seen = evidence(60, places=1, turnover=100)
    one = seen.judgement.outcomes["1"].scored.filter(pl.col("rank") == 1)
    seen.judgement.outcomes["1"] = Outcomes(one, NO_ONE)
    assert looked_at(monkeypatch, code, seen) == ("not_judged", LIMITS[code]["most_days"])


def test_the_place_of_an_acknowledgement_stays_while_more_lists_are_looked_at():
    first, later = (ALARM["A002"].results(evidence(weeks), LIMITS["A002"])[0] for weeks in (40, 42))
    assert first.state == later.state == "up"
    assert first.place == later.place == "version 1, authority 801"

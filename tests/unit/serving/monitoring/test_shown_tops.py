"""A promise is judged on the children whom teams were shown first, not on those of the highest risks of the authority."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
import sqlalchemy as sa

from serving.monitoring.judge import Terms, judge
from serving.monitoring.monitor import _read
from serving.store import Store
from serving.store.cases import cases
from serving.store.cases.tables import CaseEntry
from serving.store.database import writing
from serving.store.scores.complete_lists import complete_lists, shown_lists
from serving.store.scores.shown_tops import shown_first
from serving.store.sign_in import staff
from tests.support import acting
from tests.support.databases import KEY
from tests.support.monitored import DAY, histories, name, scores
from tests.support.stores import ADMIN, do

RISKS = [0.9 - n / 100 for n in range(40)]
SCHOOLS = {"north": ("1",), "south": ("2",)}


@pytest.fixture
def store(tmp_path):
    opened = Store(f"sqlite:///{tmp_path}/onroll.db", KEY, tmp_path / "anchors")
    yield opened
    opened.engine.dispose()


def save(store, **teams):
    """Store a list whose first thirty children are at school 1 and the others at school 2, for teams of a capacity."""
    for team, most in teams.items():
        do(store, staff.set_capacity, "801", team, most, 0)
    store.save([s | {"urn": "1" if n < 30 else "2"} for n, s in enumerate(scores(RISKS))], per_week=6)


def tops(store, schools=SCHOOLS, places=6):
    with store.view(ADMIN) as view:
        (x,) = complete_lists(view)
        top = shown_first(view, x, places, schools)
        view.record("test")
    return sorted(top)


def set_aside(store, pupil, day):
    """Set a child aside at noon of a day."""
    case = do(store, cases.open_case, acting.ref(store, pupil))
    do(store, cases.dismiss, case, 1, "moved")
    entry = sa.and_(CaseEntry.case_id == case, CaseEntry.version == 2)
    with writing(store.engine) as connection:
        at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        connection.execute(sa.update(CaseEntry).where(entry).values(at=at))


def names(*numbers):
    return [name(n) for n in numbers]


def test_each_team_was_shown_the_first_of_its_own_schools(store):
    save(store, north=2, south=3)
    assert tops(store) == names(0, 1, 30, 31, 32)


@pytest.mark.parametrize("teams", [{}, {"": 4}])
def test_without_teams_the_first_of_the_authority_were_shown(store, teams):
    save(store, **teams)
    assert tops(store, places=teams.get("", 6)) == names(*range(teams.get("", 6)))


def test_a_lead_of_all_who_set_a_capacity_was_shown_the_first_of_all_too(store):
    save(store, **{"": 1, "south": 2})
    assert tops(store) == names(0, 30, 31)


def test_the_figures_at_capacity_are_of_those_shown(store):
    """The north's two and the south's three: those of the authority's first five who went missing do not count for the south's."""
    save(store, north=2, south=3)
    gone = (0, 2, 3, 30, 31)
    with store.view(ADMIN) as view:
        lists = complete_lists(view)

        def read(some):
            return _read(view, terms, set(shown_lists(lists)), some)

        terms = Terms(capacity=6, schools=SCHOOLS)
        judgement = judge(histories(children=40, gone=gone), lists, read, terms)
        asked = Terms(capacity=6, asked=5, schools=SCHOOLS)
        terms, shown = asked, judgement.lists[0].figures.first
        first_five = judge(histories(children=40, gone=gone), lists, read, asked).lists[0].figures.first
        view.record("test")
    assert (shown.listed, shown.found, shown.missing) == (5, 3, 5)
    assert shown.promised == pytest.approx(pl.Series([RISKS[n] for n in (0, 1, 30, 31, 32)]).mean())
    assert (first_five.listed, first_five.found) == (5, 3)
    assert first_five.promised == pytest.approx(pl.Series(RISKS[:5]).mean())


def test_teams_whose_schools_nobody_knows_any_more_are_named(store):
    save(store, north=2, south=3)
    with store.view(ADMIN) as view:
        lists = complete_lists(view)
        terms = Terms(capacity=6)
        judgement = judge(histories(children=40), lists, lambda some: _read(view, terms, set(lists), some), terms)
        view.record("test")
    assert any("schools of a team are not in the access file" in w for w in judgement.warnings)


def test_those_set_aside_before_the_day_were_not_shown(store):
    save(store, north=2, south=3)
    set_aside(store, name(0), DAY - timedelta(days=3))
    set_aside(store, name(30), DAY + timedelta(days=1))
    assert tops(store) == names(1, 2, 30, 31, 32)

"""What the demo has behind it: from when its model serves, on which days it made lists, and a trial planned once."""

from datetime import date, timedelta

import pytest

from features.outcome.known_until import NewestKnown
from histories.calendar import school_days
from serving.cli import demo_year
from serving.store.caller import command_line
from serving.store.trials.trials import plans
from serving.trials.measurable import MIN_SCHOOL_DAYS
from tests.support.monitored import DAY, scores
from tests.support.trial_runs import filled_store
from training.task import Task

DAYS = [date(2025, 9, 8), date(2026, 1, 12), date(2026, 4, 20), date(2026, 9, 14)]  # second Mondays of terms


class Histories:
    """Histories that end on a day."""

    def __init__(self, last):
        self.last = last


@pytest.fixture(autouse=True)
def made_up_terms(monkeypatch):
    monkeypatch.setattr(demo_year, "default_as_of", lambda _: DAYS)
    monkeypatch.setattr("training.task.newest_known", known_until_the_end)


def known_until_the_end(histories, definition, horizon, until=None):
    """All is recorded until the histories end."""
    end = min(histories.last, until - timedelta(days=1)) if until else histories.last
    return NewestKnown(whole=end - timedelta(days=horizon + definition.known_after_days), by_authority={})


@pytest.mark.parametrize(
    ("last", "terms"), [("2026-11-29", DAYS[1:3]), ("2026-04-30", DAYS[:1]), ("2026-08-30", DAYS[:2])]
)
def test_two_lists_of_the_two_newest_terms_whose_outcomes_are_known(last, terms):
    task = Task(until=date(2025, 9, 1))
    days = demo_year.earlier_lists(Histories(date.fromisoformat(last)), task)
    assert days == [d + weeks for d in terms for weeks in (timedelta(0), demo_year.BETWEEN)]


def test_no_list_is_of_a_day_that_the_model_has_learnt_from():
    task = Task(until=DAYS[2])
    assert min(demo_year.earlier_lists(Histories(date(2026, 11, 29)), task)) == DAYS[2]


def test_the_newest_known_outcomes_are_always_a_year_newer_than_what_the_model_learnt():
    for day in range(366):
        today = date(2026, 1, 1) + timedelta(days=day)
        since = demo_year.serving_since(today)
        known = Task().newest_labelled(Histories(today))
        learnt = Task(until=since).newest_labelled(Histories(today))
        assert (known - learnt).days >= 360, today


def test_a_trial_is_planned_once_however_often_the_demo_runs(monkeypatch, tmp_path):
    store = filled_store(monkeypatch)
    store.save(scores([0.5] * 820))
    first = demo_year.plan_of(DAY, "801", tmp_path, store)
    assert demo_year.plan_of(DAY, "801", tmp_path, store) == first
    with store.view(command_line()) as view:
        (planned,) = plans(view)
        view.record("trials.seen")
    assert (planned["name"], planned["children"]) == ("demo-2024-01-15", 400)
    assert planned["power"] >= 0.8


def test_a_demo_of_any_week_plans_a_trial_that_can_be_measured():
    for week in range(4 * 52):
        day = date(2024, 1, 1) + timedelta(weeks=week)
        end = day + timedelta(weeks=demo_year.weeks_from(day), days=-1)
        assert len(school_days(day, end)) >= MIN_SCHOOL_DAYS, day

"""Timers of the units: each runs once it is enabled, and the monitor as often as its page expects."""

import re

import pytest

from tests.support.units import DEPLOY, unit


@pytest.mark.parametrize("timer", sorted(f.name for f in DEPLOY.glob("*.timer")))
def test_every_timer_runs_once_it_is_enabled_and_makes_up_for_a_night_without_power(timer):
    of_timer = unit(timer)
    assert len(of_timer["OnCalendar"]) == 1
    assert (of_timer["Persistent"], of_timer["WantedBy"]) == (["yes"], ["timers.target"])
    assert of_timer.get("Unit", [timer.replace(".timer", ".service")]) == [timer.replace(".timer", ".service")]


def test_the_monitor_looks_each_morning_as_cron_would():
    """The page calls a look old after a week: a timer that comes less often would leave it so."""
    hour, minute = re.fullmatch(r"\*-\*-\* (\d\d):(\d\d):00", unit("onroll-monitor.timer")["OnCalendar"][0]).groups()
    text = (DEPLOY / "onroll-monitor.service").read_text("utf-8")
    of_cron = re.search(r"^# +(\d+) (\d+) \* \* \* ", text, re.MULTILINE)
    assert of_cron
    assert (int(of_cron[1]), int(of_cron[2])) == (int(minute), int(hour))

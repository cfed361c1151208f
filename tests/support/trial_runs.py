"""Trials on a store with one list: their plan, their histories, and the command that plans, starts and analyses them."""

import csv
import json
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from click.testing import CliRunner

from histories.errors import Faults
from histories.settings import settings
from serving.cli.main import onroll
from serving.store import Store
from serving.store.trials import trials
from serving.trials import trial
from tests.support.databases import KEY
from tests.support.monitored import scores, tables
from tests.support.stores import ADMIN

PLAN = """
name = "spring-2024"
question = "Does help now keep children in school?"
authority = "801"
as_of = 2024-01-15
first = {first}
unit = "{unit}"
outcome = "{outcome}"
analyse_on = 2024-09-01
seed = 11
icc = 0.0
{expected}
"""
EXPECTED = {
    "missing": "ratio = 0.3",
    "contact": "control = 0.2\ntreated = 0.7",
    "attendance": "control = 0.6\ntreated = 0.9",
}
RISKS = [0.5] * 100
START = date(2024, 1, 18)  # three days after the list
REAL_START, REAL_STATUS = trial.start_trial, trial.status


def starting_on(monkeypatch, day):
    """Let the command start trials on a day."""
    monkeypatch.setattr(trial, "start_trial", partial(REAL_START, today=day))


def looking_on(monkeypatch, day):
    """Let the command look at trials on a day."""
    monkeypatch.setattr(trial, "status", partial(REAL_STATUS, today=day))


def filled_store(monkeypatch):
    """Return the store of the settings with one list; trials start three days after it, and are looked at a week later."""
    monkeypatch.setenv("ONROLL_AUDIT_KEY", KEY.decode())
    starting_on(monkeypatch, START)
    looking_on(monkeypatch, START + timedelta(days=7))
    opened = Store.of(settings())
    opened.save(scores(RISKS))
    return opened


def plan(outcome="missing", first=80, unit="child"):
    Path("plan.toml").write_text(PLAN.format(outcome=outcome, first=first, unit=unit, expected=EXPECTED[outcome]))


def run(*words, code=0):
    answer = CliRunner().invoke(onroll, ["trial", *words])
    if code:
        assert isinstance(answer.exception, Faults), answer.output
        assert answer.exception.exit_code == code
        return str(answer.exception)
    assert answer.exit_code == 0, answer.output + str(answer.exception)
    return json.loads(answer.stdout) if "--json" in words else answer.stdout


def begun(outcome="missing", **how):
    """Plan and start a trial whose lot is always the same: of lots at random, one in twenty shows a difference where there is none."""
    plan(outcome, **how)
    with patch.object(trials, "secrets", SimpleNamespace(token_hex=lambda n: "5a" * n)):
        run("plan", "plan.toml")
    run("start", "plan.toml", "--out", "help_now.csv")


def members(store):
    with store.view(ADMIN) as view:
        rows = trials.allocations(view, "spring-2024")
        view.record("trial.seen")
    return rows


def write(gone=(), **more):
    Path("h").mkdir(exist_ok=True)
    for table, rows in tables(gone=gone, **more).items():
        with (Path("h") / f"{table}.csv").open("w", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]), restval="")
            writer.writeheader()
            writer.writerows(rows)


def in_arm(store, arm):
    return members(store).filter(arm=arm)["pupil_id"].to_list()


def number(pupil):
    return int(pupil[1:])

"""Random checks on a store with one list of 100 children: their plan, and the command that draws and estimates."""

import csv
import json
from functools import partial
from pathlib import Path

import polars as pl
import sqlalchemy as sa
from click.testing import CliRunner

from histories.errors import Faults
from serving.cli.main import onroll
from serving.store.cases import cases
from serving.store.database import reading
from serving.store.tables import Pupil
from serving.store.trials import checks as stored
from serving.trials.checks import checks
from tests.support.stores import ADMIN, do

PLAN = """
name = "checks-2024"
question = "How many children below the cut need help?"
authority = "801"
as_of = 2024-01-15
cut = 20
ends = [60]
checks = [10, 16]
estimate_on = 2024-09-01
seed = 3
"""
DRAW = checks.draw_checks


def plan(*changes):
    """Write the plan with some texts replaced."""
    text = PLAN
    for old, new in changes:
        text = text.replace(old, new)
    Path("checks.toml").write_text(text)


def drawing_on(monkeypatch, day):
    """Let the command draw on a day."""
    monkeypatch.setattr(checks, "draw_checks", partial(DRAW, today=day))


def run(*words, code=0):
    """Run a command of ``onroll trial checks``; return its JSON or text, or the message of its faults."""
    answer = CliRunner().invoke(onroll, ["trial", "checks", *words])
    if code:
        assert isinstance(answer.exception, Faults), answer.output + str(answer.exception)
        assert answer.exception.exit_code == code
        return str(answer.exception)
    assert answer.exit_code == 0, answer.output + str(answer.exception)
    return json.loads(answer.stdout) if "--json" in words else answer.stdout


def draw(*changes, out="checks.csv"):
    """Register the plan, draw, and return the rows of the file."""
    plan(*changes)
    run("draw", "checks.toml", "--out", out)
    return rows_of(out)


def rows_of(file):
    with Path(file).open() as written:
        return list(csv.DictReader(written))


def drawn(store):
    """Return the drawn children, and what is registered."""
    with store.view(ADMIN) as view:
        rows, known = stored.drawn(view, "checks-2024"), stored.registered(view, "checks-2024")
        view.record("trial.checks_seen")
    return rows, known


def in_band(rows, band):
    return rows.filter(pl.col("band") == band)["pupil_id"].to_list()


def spoke(store, pupil, day, outcome):
    """Record a contact in a new case, and return the case."""
    with reading(store.engine) as connection:
        ref = connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == pupil))
    case = do(store, cases.open_case, ref)
    do(store, cases.contact, case, 1, day, outcome)
    return case

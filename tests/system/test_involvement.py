"""``onroll involvement`` on a store with a list and a team: from the audit and the cases to what a committee may read."""

import json
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from histories.calendar import LONDON, london_midnight, london_today
from serving.cli.main import onroll
from serving.store import Caller
from serving.store.cases import cases, doubts
from serving.store.cases.involvement import Material, _first_since, _views
from serving.store.database import reading
from serving.store.records import erasure
from serving.store.sign_in import staff
from serving.store.tables import AuditEntry, Pupil
from tests.support.monitored import DAY, name
from tests.support.stores import ADMIN, do, tamper, verified
from tests.support.trial_runs import filled_store

TEAM = [Caller(f"token:w{n}", "worker", "801") for n in range(5)]


@pytest.fixture
def store(monkeypatch):
    opened = filled_store(monkeypatch)
    for worker in TEAM:
        with opened.change(worker) as change:
            staff.remember(change, f"Name {worker.key_id}", ["north"])
    return opened


def look(store, caller, n):
    with store.view(caller) as view:
        view.record("pupil.seen", pupils=[name(n)])


def case(store, caller, n):
    with reading(store.engine) as connection:
        ref = connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == name(n)))
    with store.change(caller) as change:
        return cases.open_case(change, ref)


def work(store):
    """Ten children are seen and get cases, of whom the list showed eight, one is set aside, and nine are called; a lead works alone."""
    lead = Caller("token:lead", "lead", "801")
    for n in range(10):
        look(store, TEAM[n % 5], n)
        opened = case(store, TEAM[n % 5], n)
        with store.change(TEAM[n % 5]) as change:
            if n != 7:
                version = cases.contact(change, opened, 1, DAY, "spoke_well")
            else:
                version = cases.dismiss(change, opened, 1, "known_plan")
            if n < 2:
                doubts.doubt(change, opened, version, "sen", None, reason="twice", text="Ann says so")
    case(store, TEAM[0], 90)
    third = case_of(store, 3)
    with store.change(lead) as change:
        cases.contact(change, third, 2, DAY, "spoke_well")


def case_of(store, n):
    with store.view(ADMIN) as view:
        return next(c["case_id"] for c in cases.cases(view) if c["pupil_id"] == name(n))


def run(*words):
    answer = CliRunner().invoke(onroll, ["involvement", "--authority", "801", "--since", "2024-01-01", *words])
    assert answer.exit_code == 0, answer.output + str(answer.exception)
    return json.loads(answer.stdout) if "--json" in words else answer.stdout


def test_the_team_is_shown_and_nobody_else(store):
    work(store)
    look(store, Caller("token:far", "worker", "802"), 0)  # of another authority
    found = run("--exact", "--json")
    # The lead's one step would be the difference of the whole and the team: neither is shown by itself beside the other.
    assert found["groups"] == []
    assert found["groups_hidden"] == 2
    together = found["other_groups_together"]
    assert (together["seen"], together["acted"], together["set_aside"], together["opened_below"]) == (8, 7, 1, 3)
    assert together["reasons"] == {"set_aside": {"known_plan": 1}, "doubted": {"twice": 2}}
    assert together["minutes"] < 5
    assert found["lists"] == 1
    text = run()
    for secret in ("token:", "Name w", "p00", "Ann says so"):
        assert secret not in text + json.dumps(found)
    assert verified(store).whole


def test_a_group_that_is_large_enough_is_shown_with_its_locality(store):
    work(store)
    with store.change(replace(TEAM[0], key_id="token:lead")) as change:
        staff.remember(change, "The lead", ["north"])
    (group,) = run("--exact", "--json")["groups"]
    assert (group["authority"], group["locality"], group["role"], group["acted"]) == ("801", "north", "worker", 7)


def test_only_the_period_and_only_the_authority_count(store):
    work(store)
    later = str(london_today() + timedelta(days=2))
    assert run("--until", "2024-06-01", "--json")["staff"] is None
    answer = CliRunner().invoke(
        onroll, ["involvement", "--authority", "801", "--since", later, "--until", "2030-01-01", "--json"]
    )
    assert json.loads(answer.stdout)["lists"] == 0
    other = CliRunner().invoke(onroll, ["involvement", "--authority", "802", "--since", "2024-01-01", "--json"])
    assert json.loads(other.stdout)["staff"] is None


def test_an_erased_child_counts_no_longer(store):
    work(store)
    do(store, erasure.erase, [name(4), *map(name, range(8, 10))], "asked")
    assert run("--exact", "--json")["staff"]["seen"] == 7


def test_the_first_entry_of_a_period_is_found_by_halving(store):
    for n in range(20):
        look(store, TEAM[0], n)
    with store.view(ADMIN) as view:
        rows = view.connection.execute(sa.select(AuditEntry.seq, AuditEntry.at).order_by(AuditEntry.seq)).all()
        for row in rows:
            first = next(r.seq for r in rows if r.at >= row.at)
            assert _first_since(view, datetime.fromisoformat(row.at)) == first
        assert _first_since(view, datetime(2999, 1, 1, tzinfo=LONDON)) == rows[-1].seq + 1
        assert _first_since(view, datetime(1999, 1, 1, tzinfo=LONDON)) == rows[0].seq
        view.record("audit.seen")


@pytest.mark.parametrize(
    ("since", "until"), [(date(2024, 6, 1), date(2024, 7, 1)), (date(2024, 7, 1), date(2024, 8, 1))]
)
def test_a_day_of_summer_begins_and_ends_at_midnight_in_england(store, since, until):
    """The audit keeps UTC, an hour behind: what was seen in the first hour of July is of July."""
    look(store, TEAM[0], 0)
    look(store, TEAM[1], 1)
    with store.view(ADMIN) as view:
        before, after = view.connection.scalars(
            sa.select(AuditEntry.seq).where(AuditEntry.action == "pupil.seen").order_by(AuditEntry.seq)
        )
        view.record("audit.seen")
    tamper(
        store,
        f"UPDATE audit SET at = '2024-06-30T22:30:00.000+00:00' WHERE seq <= {before}",
        f"UPDATE audit SET at = '2024-06-30T23:30:00.000+00:00' WHERE seq = {after}",
    )
    shown = dict.fromkeys((name(0), name(1)), datetime(2024, 1, 15, tzinfo=LONDON))
    with store.view(TEAM[0]) as view:
        steps, _ = _views(view, Material(since=since, until=until, shown=shown))
        view.record("audit.seen")
    of_period = [step.pupil_id for step in steps if step.at >= london_midnight(since)]  # earlier views are read too
    assert of_period == [name(0 if since.month == 6 else 1)]


@pytest.mark.parametrize(("teams", "most"), [({}, 8), ({"north": 4, "south": 5}, 9), ({"": 6, "north": 4}, 6)])
def test_the_top_is_as_long_as_what_the_authority_can_take_up(store, teams, most):
    with store.change(ADMIN) as change:
        for team, per_week in teams.items():
            staff.set_capacity(change, "801", team, per_week, 0)
        change.record("capacities.seen")
    found = run("--exact", "--json")
    assert (found["most"], found["shown"]) == (most, most)

"""``onroll involvement`` on a store with a list and a team: from the audit and the cases to what a committee may read."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from histories.calendar import london_today
from serving.cli.main import onroll
from serving.store import Caller
from serving.store.cases import cases, doubts
from serving.store.cases.involvement import _first_since
from serving.store.database import reading
from serving.store.records import erasure
from serving.store.sign_in import staff
from serving.store.tables import AuditEntry, Pupil
from tests.support.monitored import DAY, name
from tests.support.stores import ADMIN, do, verified
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
            first = next(r.seq for r in rows if r.at[:19] >= row.at[:19])
            assert _first_since(view, row.at) == first
        assert _first_since(view, "2999-01-01T00:00:00") == rows[-1].seq + 1
        assert _first_since(view, "1999-01-01T00:00:00") == rows[0].seq
        view.record("audit.seen")

"""How soon each alarm finds the fault that was put in, and how often it is up without one, over simulated years.

``python -m benchmarks.alarm_years [--seeds 1,2,3,4,5] [--pupils 1000] [--years 10] [--worlds 50] [--children 10000] [--scenario default] [--codes A002,A010]``. Three kinds of years:

*Years of records* (A005 to A015, A017, ``benchmarks.simulated_years``): each seed is a simulated authority, looked at every second Monday for ten years, with a list each time by a
ridge regression that learnt from the years before. Each year each fault (``benchmarks.faults``) is put in from a Monday drawn at random, holidays too.
With ``--scenario no_daily_marks`` it holds counts by term only; faults in daily marks are left out.
*Drawn years* (A001 to A004, ``benchmarks.drawn_years``): the few outcomes of a small authority say too little, so lists and outcomes are drawn.
*The audit* (A016): a real store, looked at after each of some entries, and then changed as its owner could.

The rules and limits are those of ``serving.monitoring.alarms``. A fault counts as found by an alarm that is up, and is not up on that day without it. A false
alarm goes up without a fault; one that stays up counts once. Limits were set on other seeds than those by default.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Collection
from datetime import date
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.drawn_years import OUTCOME_CODES, drawn
from benchmarks.faults import FAULTS
from benchmarks.found import Found, states_of
from benchmarks.simulated_years import (
    A_YEAR,
    FOLLOWED,
    LIST_CODES,
    LIST_FAULTS,
    LONG,
    STEP,
    Lists,
    World,
    starts,
    with_fault,
)
from serving.monitoring.evidence import Evidence
from serving.monitoring.judge import Judgement
from serving.store import Store
from serving.store.audit import audit_log
from serving.store.caller import command_line
from serving.store.database import reading, writing

RECORD_CODES = ("A009", "A010", "A011", "A012", "A013", "A014")
IMPORT_CODES = ("A017",)
AUDIT_CODE = "A016"
OF_FEATURES = {
    "A013",
    "A014",
    *LIST_CODES,
}  # alarms for which the features of every day are computed, which takes most of the time
ENTRIES, OLDEST = 60, 10  # entries of the audit, and the oldest that is changed
BREAKS = {
    "an entry of the audit is changed": "UPDATE audit SET who = 'nobody' WHERE seq = {n}",
    "entries of the audit are removed": "DELETE FROM audit WHERE seq >= {n}",
}


def calm_years(world: World, lists: Lists | None, codes: Collection[str]) -> dict[date, dict[str, str]]:
    """Return the states of the alarms about records and lists at each look at a world without a fault."""
    states = {}
    for n, day in enumerate(world.looks):
        if n % A_YEAR == 0:
            near = world.histories(world.around(day))
        season = Evidence(judgement=Judgement(), season=world.season(near, day, world.x.get(day)))
        states[day] = states_of([c for c in RECORD_CODES if c in codes], season)
        states[day] |= states_of(LIST_CODES, lists.evidence(day)) if lists else {}
        states[day] |= states_of(IMPORT_CODES, imported(world, day, day))
    return states


def imported(world: World, day: date, since: date) -> Evidence:
    """Return the evidence of a day on which the newest record is one that was made before another day."""
    return Evidence(judgement=Judgement(), last_known=world.newest_record(since), today=day)


def imports_stop(found: Found, world: World, calm: dict[date, dict[str, str]], seed: int) -> None:
    """Let the import stop once a year, and add when A017 found it."""
    for start in starts(world.looks, FOLLOWED, np.random.Generator(np.random.PCG64([seed, 99]))):
        looks = [start + k * STEP for k in range(1, FOLLOWED + 1)]
        up = (d for d in looks if states_of(IMPORT_CODES, imported(world, d, start))["A017"] == "up")
        first = next((d for d in up if calm[d]["A017"] != "up"), None)
        found.fault("the import stops", "A017", None if first is None else (first - start).days / 7)


def years_of_records(found: Found, seed: int, codes: Collection[str], say: Callable[[str], None], **how: Any) -> None:
    """Simulate an authority, and add what some alarms found in it; ``how`` goes to ``World.simulated``."""
    begun = time.process_time()
    world = World.simulated(seed, **how, features=not OF_FEATURES.isdisjoint(codes))
    say(f"seed {seed}: simulated and counted, {time.process_time() - begun:.0f} s of processor time")
    lists = Lists.of(world) if world.x else None
    calm = calm_years(world, lists, codes)
    found.calm(list(calm.values()), how["years"])
    say(f"seed {seed}: years without a fault, {time.process_time() - begun:.0f} s")
    for number, (title, code, evidence_of) in enumerate(LIST_FAULTS):
        if lists is None:
            break
        for start in starts(world.looks, LONG, np.random.Generator(np.random.PCG64([seed, number]))):
            looks = ((k, start + k * STEP) for k in range(1, LONG + 1))
            up = (k for k, d in looks if states_of((code,), evidence_of(lists, d, start))[code] == "up")
            first = next((k for k in up if calm[start + k * STEP][code] != "up"), None)
            found.fault(title, code, first and 2 * first)
    imports_stop(found, world, calm, seed)
    say(f"seed {seed}: faults of lists, {time.process_time() - begun:.0f} s")
    for number, fault in enumerate(FAULTS):
        asked = [code for code in fault.codes if code in codes]
        if fault.needs not in world.tables or not asked:
            continue
        rng = np.random.Generator(np.random.PCG64([seed, 100 + number]))
        for start in starts(world.looks, FOLLOWED, rng):
            weeks: dict[str, float | None] = dict.fromkeys(asked)
            for look, evidence in with_fault(world, fault, start, rng):
                states = states_of([c for c in asked if weeks[c] is None], evidence)
                weeks |= {c: (look - start).days / 7 for c, s in states.items() if s == "up" and calm[look][c] != "up"}
                if None not in weeks.values():
                    break
            for code, waited in weeks.items():
                found.fault(fault.title, code, waited)
        say(f"seed {seed}: {fault.title}, {time.process_time() - begun:.0f} s")


def audits(found: Found, times: int) -> None:
    """Change the audits of stores, and add what A016 found; the looks before stand for weeks."""
    for number in range(times):
        rng = np.random.Generator(np.random.PCG64(number))
        for title, statement in BREAKS.items():
            with tempfile.TemporaryDirectory() as folder:
                store = Store(f"sqlite:///{folder}/onroll.db", b"k" * 32, Path(folder) / "anchors")
                states = []
                for entry in range(ENTRIES):
                    store.note(command_line(), "monitor.seen", lists=entry, scores=0)
                    states += [_audit_state(store)] if entry % 2 else []
                found.calm(states, len(states) / A_YEAR)
                _change(store, statement.format(n=int(rng.integers(OLDEST, ENTRIES))))
                found.fault(title, "A016", 2.0 if _audit_state(store)["A016"] == "up" else None)
                store.engine.dispose()


def _audit_state(store: Store) -> dict[str, str]:
    with reading(store.engine) as connection:
        check = audit_log.verify(connection, store.chain, store.anchors)
    why = "" if check.whole else check.why or "an entry does not verify"
    return states_of(("A016",), Evidence(judgement=Judgement(), audit=why))


def _change(store: Store, statement: str) -> None:
    """Change the audit as the owner of the database could."""
    with writing(store.engine) as connection:
        triggers = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
        for line in (*(f"DROP TRIGGER {name}" for name in triggers), statement):
            connection.exec_driver_sql(line)


@click.command()
@click.option("--seeds", default="1,2,3,4,5", show_default=True)
@click.option("--pupils", default=1000, show_default=True)
@click.option("--years", default=10, show_default=True, help="Looked at in each simulated authority.")
@click.option(
    "--worlds",
    default=50,
    show_default=True,
    help="Drawn, with a year without a fault each; 0 leaves them and the audit out.",
)
@click.option("--children", default=10_000, show_default=True, help="Of a drawn authority.")
@click.option("--scenario", default="default", show_default=True, help="Of the simulated authorities.")
@click.option(
    "--codes",
    default=",".join((*OUTCOME_CODES, *RECORD_CODES, *LIST_CODES, AUDIT_CODE)),
    help="Alarms that are looked at, if not all; A017 is always one.",
)
@click.option("--drawn-seed", default=5, show_default=True)
def main(
    *, seeds: str, pupils: int, years: int, worlds: int, children: int, scenario: str, codes: str, drawn_seed: int
) -> None:
    """Print both tables."""
    found = Found()

    def say(text: str) -> None:
        click.echo(text, err=True)

    if worlds:
        drawn(found, worlds, children, drawn_seed, codes.split(","))
        say(f"drawn years, {time.process_time():.0f} s of processor time")
    if worlds and AUDIT_CODE in codes.split(","):
        audits(found, 22)
    for seed in filter(None, seeds.split(",")):
        years_of_records(found, int(seed), codes.split(","), say, pupils=pupils, years=years, scenario=scenario)
        say(f"{found.table_of_faults()}\n\n{found.table_of_codes()}")  # an interrupted run has shown what it had
    click.echo(f"{found.table_of_faults()}\n\n{found.table_of_codes()}")


if __name__ == "__main__":
    main()

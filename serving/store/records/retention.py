"""Retention: how long each kind of record is kept, what is due, and its removal; holds prevent removal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dateutil.relativedelta import relativedelta

from histories.calendar import london_day
from histories.errors import Fault, Faults
from histories.io.toml import read_toml
from serving.store.audit.pruning import prunable, prune
from serving.store.cases.casework_tables import OF_PUPILS, StoredAtHome, StoredDeadline, StoredOffRoll
from serving.store.cases.saved_filters import SavedFilter
from serving.store.cases.tables import Case, Person
from serving.store.people.tables import StoredDetails
from serving.store.records.holds import HELD
from serving.store.records.places import BY_CASE, OF_TRIALS
from serving.store.tables import FormerReference, Hold, Pupil, ScoreList, ShadowCount, StoredKey, StoredScore
from serving.store.unit_of_work import Change, View

DEFAULTS = Path(__file__).with_name("retention.toml")
KINDS = ("scores", "duties", "cases", "filters", "keys", "holds", "shadow_counts", "audit")
FOR_EVER = "for ever"
# Tables without a period of their own, and why; every other table has one above, or goes with its case.
WITH_PUPIL = "goes with the pupil, once no score, case or running duty is left"
NO_PERIOD = {
    **{table.__tablename__: WITH_PUPIL for table in (*OF_PUPILS, *OF_TRIALS, StoredDetails, FormerReference, Pupil)},
    ScoreList.__tablename__: "goes with the last of its scores",
    Person.__tablename__: "an account and a name of staff; a closed account would open again",
    "score_recipes": "a version's booster and manifest, from which scores are made again; no child's data",
    "schools": "names of schools, which are public",
    "capacities": "numbers of teams",
    "copied_logs": "numbers of lines",
    "sessions": "removed twelve hours after they were opened, by whoever signs in next",
    "taken_answers": "codes of sign-ins, removed after minutes by the next one",
}
# The histories would begin such a duty again if its row were gone: what somebody wrote goes, and that it is done stays, as long as the pupil.
BY_PERSON = sa.and_(StoredDeadline.stopped_how == "person", StoredDeadline.case_id == "")
OF_LIST = (StoredScore.authority, StoredScore.as_of, StoredScore.model_version)
Periods = Mapping[str, int | None]


def load(file: Path | None) -> Periods:
    """Return how many months each kind of record is kept (None: for ever), from a file over the defaults.

    Raises
    ------
    Faults
        With every fault of the file.
    """
    overrides = read_toml(file) if file else {}
    months = overrides.get("months", {})
    where = str(file)
    faults = [
        Fault("there is no such section", f"{where}, {name}", "Put the periods under [months].")
        for name in overrides
        if name != "months"
    ]
    if not isinstance(months, dict):
        raise Faults([*faults, Fault("this is not a table", f"{where}, months", "Begin it with [months].")])
    for name, value in months.items():
        if name not in KINDS:
            faults.append(Fault("there is no such kind of record", f"{where}, {name}", f"Use {', '.join(KINDS)}."))
        elif value != FOR_EVER and (type(value) is not int or not 1 <= value <= 1200):
            do = f'Give a whole number of months from 1 to 1200, or "{FOR_EVER}".'
            faults.append(Fault("this is not a period", f"{where}, {name}", do))
    if faults:
        raise Faults(faults)
    merged = read_toml(DEFAULTS)["months"] | months
    periods = {kind: None if merged[kind] == FOR_EVER else merged[kind] for kind in KINDS}
    audited = [periods[k] for k in KINDS if k not in ("audit", "shadow_counts")]
    if periods["audit"] is not None and any(m is None or m > periods["audit"] for m in audited):
        do = "Keep the audit at least as long as the records that it covers."
        raise Faults(Fault("the audit would be removed before its records", f"{where}, audit", do))
    return periods


def _due(kind: str, before: datetime) -> tuple[Any, sa.ColumnElement[bool]]:
    """Return the table of a kind, and the condition for rows older than a time and not under a hold."""
    closed = sa.select(Person.person_id).where(Person.active.is_(False), Person.changed_at < before)
    expired = sa.or_(StoredKey.revoked_at < before, StoredKey.expires < london_day(before))
    conditions: dict[str, tuple[Any, sa.ColumnElement[bool]]] = {
        "scores": (StoredScore, sa.and_(StoredScore.stored_at < before, StoredScore.pupil_id.not_in(HELD))),
        "cases": (Case, sa.and_(Case.closed_at < before, Case.pupil_id.not_in(HELD))),
        "duties": (
            StoredDeadline,
            sa.and_(StoredDeadline.stopped_at < before, sa.not_(BY_PERSON), StoredDeadline.pupil_id.not_in(HELD)),
        ),
        "filters": (SavedFilter, SavedFilter.person_id.in_(closed)),
        "keys": (StoredKey, expired),
        "holds": (Hold, Hold.lifted_at < before),
        "shadow_counts": (ShadowCount, ShadowCount.counted_at < before),
    }
    return conditions[kind]


def due(view: View, periods: Periods) -> dict[str, int]:
    """Return how many records of each kind are due; remove none."""
    counts = dict.fromkeys(periods, 0)
    for kind, months in periods.items():
        before = view.now - relativedelta(months=months or 0)
        if kind == "audit" and months:
            counts[kind] = prunable(view, before)[0]
        elif months:
            table, condition = _due(kind, before)
            counts[kind] = view.connection.scalar(sa.select(sa.func.count()).select_from(table).where(condition)) or 0
    view.record("retention.looked", due=counts, months=dict(periods))
    return counts


def apply(change: Change, periods: Periods) -> dict[str, int]:
    """Remove what is due, and return how many records of each kind."""
    removed = dict.fromkeys(periods, 0)
    before = {k: change.now - relativedelta(months=m) for k, m in periods.items() if m is not None}
    if "scores" in before:
        _mark_thinned(change, _due("scores", before["scores"])[1])
    if "duties" in before:
        old = sa.and_(BY_PERSON, StoredDeadline.stopped_at < before["duties"], StoredDeadline.pupil_id.not_in(HELD))
        change.connection.execute(sa.update(StoredDeadline).where(old).values(stopped_text=None))
    for kind in (k for k in KINDS if k in before and k != "audit"):  # duties before the cases that take theirs along
        removed[kind] = remove(change.connection, *_due(kind, before[kind]))
    tidy(change.connection)
    if "audit" in before:  # last: it locks the audit until the commit
        removed["audit"] = prune(change, before["audit"])
    change.record("retention.applied", removed=removed, months=dict(periods))
    return removed


def _mark_thinned(change: Change, condition: sa.ColumnElement[bool]) -> None:
    """Mark the lists that lose scores in force: the children who stay are held, or were scored again, and stand for nobody else."""
    lost = sa.select(*OF_LIST).where(condition, StoredScore.replaced_at.is_(None))
    whole = sa.tuple_(ScoreList.authority, ScoreList.as_of, ScoreList.model_version)
    thinned = sa.update(ScoreList).where(whole.in_(lost), ScoreList.thinned_at.is_(None))
    change.connection.execute(thinned.values(thinned_at=change.now))


def remove(connection: sa.Connection, table: Any, condition: sa.ColumnElement[bool]) -> int:
    """Remove rows, and the entries, doubts and duties of removed cases; return how many rows of the table itself."""
    if table is Case:
        gone = sa.select(Case.case_id).where(condition)
        for part in (*BY_CASE, StoredDeadline):
            connection.execute(sa.delete(part).where(part.case_id.in_(gone)))
    return connection.execute(sa.delete(table).where(condition)).rowcount


def tidy(connection: sa.Connection) -> None:
    """Remove pupils and lists without remaining records, except pupils under a hold and those who live with a pupil who remains."""
    remaining = [sa.select(table.pupil_id) for table in (StoredScore, Case, StoredOffRoll)]
    remaining.append(sa.select(StoredDeadline.pupil_id).where(StoredDeadline.stopped_at.is_(None)))
    of_remaining = sa.or_(*(StoredAtHome.pupil_id.in_(rows) for rows in remaining))
    homes = sa.select(StoredAtHome.home).where(of_remaining)
    siblings = sa.select(StoredAtHome.pupil_id).where(StoredAtHome.home.in_(homes))
    gone = [Pupil.pupil_id.not_in(rows) for rows in (*remaining, siblings, HELD)]
    connection.execute(sa.delete(Pupil).where(*gone))
    for table in (*OF_PUPILS, *OF_TRIALS, StoredDetails, FormerReference):
        connection.execute(sa.delete(table).where(table.pupil_id.not_in(sa.select(Pupil.pupil_id))))
    whole = (ScoreList.authority, ScoreList.as_of, ScoreList.model_version)
    scored = sa.select(*OF_LIST)
    connection.execute(sa.delete(ScoreList).where(sa.tuple_(*whole).not_in(scored)))

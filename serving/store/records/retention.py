"""How long records are kept: a period for each kind, what is due as of now, and its removal; what is held stays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dateutil.relativedelta import relativedelta

from histories.errors import Fault, Faults
from histories.io.toml import read_toml
from serving.store.audit.pruning import prunable, prune
from serving.store.cases.casework_tables import OF_PUPILS, StoredDeadline
from serving.store.cases.tables import Case, CaseEntry, DataFault
from serving.store.records.holds import HELD
from serving.store.tables import Hold, Pupil, ScoreList, ShadowCount, StoredKey, StoredScore
from serving.store.unit_of_work import Change, View

DEFAULTS = Path(__file__).with_name("retention.toml")
KINDS = ("scores", "cases", "keys", "holds", "shadow_counts", "audit")
FOR_EVER = "for ever"
Periods = Mapping[str, int | None]


def load(file: Path | None) -> Periods:
    """Return the months that each kind of record is kept, None for ever: those of a file over the defaults.

    Raises
    ------
    Faults
        With everything that is wrong in the file.
    """
    given = read_toml(file) if file else {}
    months = given.get("months", {})
    where = str(file)
    faults = [
        Fault("there is no such part", f"{where}, {name}", "Put the periods under [months].")
        for name in given
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
    found = {kind: None if merged[kind] == FOR_EVER else merged[kind] for kind in KINDS}
    told_of = [found[k] for k in KINDS if k not in ("audit", "shadow_counts")]
    if found["audit"] is not None and any(m is None or m > found["audit"] for m in told_of):
        do = "Keep the audit at least as long as the records that it tells of."
        raise Faults(Fault("the audit would be removed before its records", f"{where}, audit", do))
    return found


def _due(kind: str, before: datetime) -> tuple[Any, sa.ColumnElement[bool]]:
    """Return the table of a kind, and which of its rows are older than a moment and not held."""
    expired = sa.or_(StoredKey.revoked_at < before, StoredKey.expires < before.date())
    conditions: dict[str, tuple[Any, sa.ColumnElement[bool]]] = {
        "scores": (StoredScore, sa.and_(StoredScore.stored_at < before, StoredScore.pupil_id.not_in(HELD))),
        "cases": (Case, sa.and_(Case.closed_at < before, Case.pupil_id.not_in(HELD))),
        "keys": (StoredKey, expired),
        "holds": (Hold, Hold.lifted_at < before),
        "shadow_counts": (ShadowCount, ShadowCount.counted_at < before),
    }
    return conditions[kind]


def due(view: View, periods: Periods) -> dict[str, int]:
    """Return how many records of each kind are due, and remove none."""
    found = dict.fromkeys(periods, 0)
    for kind, months in periods.items():
        before = view.now - relativedelta(months=months or 0)
        if kind == "audit" and months:
            found[kind] = prunable(view, before)[0]
        elif months:
            table, condition = _due(kind, before)
            found[kind] = view.connection.scalar(sa.select(sa.func.count()).select_from(table).where(condition)) or 0
    view.record("retention.looked", due=found, months=dict(periods))
    return found


def apply(change: Change, periods: Periods) -> dict[str, int]:
    """Remove what is due, and return how many records of each kind."""
    removed = dict.fromkeys(periods, 0)
    past = {k: change.now - relativedelta(months=m) for k, m in periods.items() if m is not None}
    for kind in past.keys() - {"audit"}:
        removed[kind] = remove(change.connection, *_due(kind, past[kind]))
    tidy(change.connection)
    if "audit" in past:  # last, since nobody else can append from here on
        removed["audit"] = prune(change, past["audit"])
    change.record("retention.applied", removed=removed, months=dict(periods))
    return removed


def remove(connection: sa.Connection, table: Any, condition: sa.ColumnElement[bool]) -> int:
    """Remove rows, and with cases what belongs to them; return how many rows of the table itself."""
    if table is Case:
        gone = sa.select(Case.case_id).where(condition)
        for part in (CaseEntry, DataFault):
            connection.execute(sa.delete(part).where(part.case_id.in_(gone)))
    return connection.execute(sa.delete(table).where(condition)).rowcount


def tidy(connection: sa.Connection) -> None:
    """Forget pupils and lists of which nothing is left; a held pupil is not forgotten."""
    left = [sa.select(table.pupil_id) for table in (StoredScore, Case)]
    left.append(sa.select(StoredDeadline.pupil_id).where(StoredDeadline.stopped_at.is_(None)))
    gone = [Pupil.pupil_id.not_in(rows) for rows in (*left, HELD)]
    connection.execute(sa.delete(Pupil).where(*gone))
    for table in OF_PUPILS:
        connection.execute(sa.delete(table).where(table.pupil_id.not_in(sa.select(Pupil.pupil_id))))
    whole = (ScoreList.authority, ScoreList.as_of, ScoreList.model_version)
    scored = sa.select(StoredScore.authority, StoredScore.as_of, StoredScore.model_version)
    connection.execute(sa.delete(ScoreList).where(sa.tuple_(*whole).not_in(scored)))

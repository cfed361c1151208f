"""Reading the audit: verification of the chain, search, and export."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from histories.io.atomic_write import new_file
from histories.io.spreadsheet import GuardedWriter
from serving.store.audit.unanchored import AppendsByDay, Stretches, in_force, lost
from serving.store.audit.unrecorded import unrecorded_keys
from serving.store.ledger.anchors import Anchors
from serving.store.ledger.believed import carries_its_code
from serving.store.ledger.chain import Chain, ChainKey
from serving.store.ledger.details import details_of
from serving.store.ledger.entry import PRUNED, REKEYED, SIGNED, End
from serving.store.tables import AuditEntry, Base
from serving.store.triggers import foreign_rules, missing_triggers
from serving.store.unit_of_work import View

BATCH = 1000


@dataclass(frozen=True, kw_only=True)
class Verified:
    """The result of verifying the chain.

    Attributes
    ----------
    entries : int
        How many entries verified.
    first, last : int
        The first and the last entry that verified; 0 when there is none.
    anchors : int
        How many anchors matched.
    since_anchor : int
        How many entries follow the newest anchor: their removal would not show yet.
    bad : int or None
        The first entry that does not verify.
    why : str
        What is wrong with it, or with the table.
    meddled : bool
        Whether the database lacks the audit's triggers, or holds what may suppress entries.
    """

    entries: int
    first: int
    last: int
    anchors: int
    since_anchor: int = 0
    bad: int | None = None
    why: str = ""
    meddled: bool = False

    @property
    def whole(self) -> bool:
        """Return whether the audit verifies."""
        return not self.why


def newest_details(
    connection: sa.Connection,
    chain: Chain,
    action: str,
    matches: Callable[[dict[str, Any]], bool],
) -> tuple[str, dict[str, Any]] | None:
    """Return when the newest entry of an action with matching details was written, and its details; None if there is none.

    A row that does not carry its code is passed over; ``verify`` names it.
    """
    of_action = sa.select(AuditEntry.__table__).where(AuditEntry.action == action)
    for row in _rows(connection, of_action.order_by(AuditEntry.seq.desc())):
        before = connection.scalar(sa.select(AuditEntry.mac).where(AuditEntry.seq == row["seq"] - 1))
        if carries_its_code(connection, chain, row, before) and matches(details := json.loads(row["details"])):
            return row["at"], details
    return None


def verify(connection: sa.Connection, chain: Chain, anchors: Anchors, also: Sequence[Path] = ()) -> Verified:
    """Verify the chain from its first entry to the last anchor and beyond, up to the first entry that does not verify.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    chain : Chain
    anchors : Anchors
    also : sequence of Path
        Further files of anchors, such as what a syslog collected.

    Raises
    ------
    Faults
        When a file of anchors cannot be read.
    """
    read = list(anchors.read(also))
    known = [*read, *anchors.kept, *filter(None, [anchors.newest])]
    anchored = {a.seq: a for a in known}
    in_places = {a.seq for a in read}
    appends, stretches = AppendsByDay(), Stretches(in_force(connection, 0))
    first = last = met = 0
    before: str | None = ""
    link: ChainKey | None = None
    for row in _rows(connection, sa.select(AuditEntry.__table__).order_by(AuditEntry.seq)):
        if not first:
            first, before = row["seq"], _pruned(connection, row["seq"] - 1)
            last = first - 1
            link = next((x for x in chain.links if x.code(before or "", row) == row["mac"]), chain.links[0])
        wrong = _wrong(link, before, last, row, anchored)
        if wrong:
            bad, why = wrong
            return Verified(entries=last - first + 1, first=first, last=last, anchors=met, bad=bad, why=why)
        appends.count(row["at"])
        stretches.count(row, anchored=row["seq"] in in_places)
        met += row["seq"] in in_places
        last, before = row["seq"], row["mac"]
        if row["action"] == REKEYED:
            link = chain.named(str(details_of(row["details"]).get("key")))
    entries = last - first + 1 if first else 0
    beyond = max(anchored, default=0)
    if beyond > last:
        why = f"it and what follows were removed: on {anchored[beyond].at[:10]} the audit reached entry {beyond}"
        return Verified(entries=entries, first=first, last=last, anchors=met, bad=last + 1, why=why)
    since = max(0, last - max(in_places, default=0))
    meddled = _meddled(connection)
    why = meddled or _conflict(known) or ("" if first else _emptied(connection)) or _keys(connection)
    why = why or appends.unanchored(read, anchors.file) or lost(anchors.kept, read, anchors.file)
    why = why or stretches.unanchored(anchors.file)
    found = {"entries": entries, "first": first, "last": last, "anchors": met, "since_anchor": since}
    return Verified(**found, why=why, meddled=bool(meddled))


def _meddled(connection: sa.Connection) -> str:
    """Return what in the database itself changes, hides or suppresses entries; "" when nothing does."""
    gone, foreign = missing_triggers(connection), foreign_rules(connection)
    if gone:
        return f"the triggers that protect the audit are gone or changed: {', '.join(gone)}"
    if foreign:
        return f"the database holds what may suppress entries and is not onroll's: {', '.join(foreign)}"
    return ""


def _keys(connection: sa.Connection) -> str:
    """Return which keys the audit does not know; "" when it knows all."""
    unknown = unrecorded_keys(connection)
    return f"no entry made these keys with their rights: {', '.join(unknown)}" if unknown else ""


def _conflict(anchors: Iterable[End]) -> str:
    """Return which entry two anchors disagree on; "" when they agree."""
    codes: dict[int, str] = {}
    for anchor in anchors:
        if codes.setdefault(anchor.seq, anchor.mac) != anchor.mac:
            return f"two anchors of entry {anchor.seq} disagree: one of their places was changed"
    return ""


def _emptied(connection: sa.Connection) -> str:
    """Return that an audit without entries was emptied, if another table has rows: no row comes about without an entry."""
    for table in Base.metadata.sorted_tables:
        if table.name == AuditEntry.__tablename__ or not _may_read(connection, table.name):
            continue
        if connection.scalar(sa.select(sa.exists().select_from(table))):
            return f"the audit was emptied: it has no entry, and the table {table.name} has rows"
    return ""


def _may_read(connection: sa.Connection, table: str) -> bool:
    """Return whether this account may read a table: of PostgreSQL's accounts not each may read each."""
    if connection.dialect.name == "sqlite":
        return True
    return bool(connection.scalar(sa.text("SELECT has_table_privilege(:table, 'SELECT')"), {"table": table}))


def _wrong(
    link: ChainKey | None, before: str | None, last: int, row: Any, anchored: dict[int, Any]
) -> tuple[int, str] | None:
    """Return the entry that does not verify at this row, and why; None when the row verifies."""
    seq = row["seq"]
    if before is None:
        return 1, f"it and what follows, up to entry {seq - 1}, were removed, and not by 'onroll retention'"
    if seq != last + 1:
        return last + 1, "it was removed"
    if link is None:
        return seq, "the key that it was made with is not in the file of keys"
    if link.code(before, row) != row["mac"]:
        return seq, "it was changed or inserted, or the audit's key is another"
    if seq in anchored and anchored[seq].mac != row["mac"]:
        return seq, f"it is not what was anchored on {anchored[seq].at[:10]}: the chain was made again"
    return None


def _pruned(connection: sa.Connection, until: int) -> str | None:
    """Return the code of the last entry that retention removed, as the chain records it; "" at its beginning."""
    if until == 0:
        return ""
    prunings = connection.scalars(sa.select(AuditEntry.details).where(AuditEntry.action == PRUNED))
    removals = (d for d in map(details_of, prunings) if isinstance(d.get("mac"), str))
    return next((d["mac"] for d in removals if d.get("until") == until), None)


def _rows(connection: sa.Connection, query: Any) -> Iterator[Any]:
    yield from connection.execute(query, execution_options={"yield_per": BATCH}).mappings()


def entries(
    view: View,
    *,
    last: int | None = None,
    action: str | None = None,
    pupils: Sequence[str] = (),
    authority: str | None = None,
) -> Any:
    """Yield entries as dicts, oldest first.

    Parameters
    ----------
    view : View
    last : int, optional
        Only this many of the newest.
    action : str, optional
        Only this action, or all actions that begin with it and a dot.
    pupils : sequence of str
        Only entries about these pupils.
    authority : str, optional
        Only what callers of this authority did.
    """
    query = sa.select(AuditEntry.__table__)
    query = query.where(AuditEntry.authority == authority) if authority else query
    if action:
        query = query.where(
            sa.or_(AuditEntry.action == action, AuditEntry.action.startswith(f"{action}.", autoescape=True))
        )
    if pupils:
        named = [
            AuditEntry.pupils.contains(ref) | AuditEntry.details.contains(ref) for ref in view.all_references(pupils)
        ]
        query = query.where(sa.or_(*named))
    if last is not None:
        newest = query.order_by(AuditEntry.seq.desc()).limit(last).subquery()
        query = sa.select(newest)
    for row in _rows(view.connection, query.order_by(sa.literal_column("seq"))):
        yield {**row, "pupils": _references(row["pupils"]), "details": details_of(row["details"])}


def _references(text: str) -> list[str]:
    """Return the references of an entry; none if they cannot be read, which ``verify`` says."""
    return [str(ref) for ref in details_of(f'{{"pupils": {text}}}').get("pupils") or ()]


def export(view: View, file: Path, kind: str) -> int:
    """Write all entries to a file, as ``jsonl`` or ``csv``, and return how many; the export is itself audited."""
    rows = _rows(view.connection, sa.select(AuditEntry.__table__).order_by(AuditEntry.seq))
    count = 0
    with new_file(file) as beside, beside.open("w", encoding="utf-8", newline="") as out:
        table = GuardedWriter(out)
        if kind == "csv":
            table.rows([[*SIGNED, "mac"]])
        for row in rows:
            count += 1
            if kind == "csv":
                table.rows([[row[name] for name in (*SIGNED, "mac")]])
            else:
                out.write(json.dumps(dict(row), ensure_ascii=False) + "\n")
    view.record("audit.exported", entries=count, kind=kind)
    return count

"""Export of contacts and actions as rows of the histories' ``interventions``, so that models can learn what was done.

A contact in which nobody was spoken to is no help: it is left out, as trials and random checks leave it out.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from histories.calendar import london_day
from serving.store.cases.cases import PLACE
from serving.store.cases.tables import Case, CaseEntry
from serving.store.tables import Pupil
from serving.store.unit_of_work import View

SCHEMA = pa.schema(
    [
        ("pupil_id", pa.string()),
        ("date", pa.date32()),
        ("kind", pa.string()),
        ("team", pa.string()),
        ("recorded_on", pa.date32()),
    ]
)


def export(view: View, file: Path, since: date | None = None, *, no_conversation: Collection[str]) -> int:
    """Write the contacts and actions of the caller's scope to a Parquet file, and return how many.

    Parameters
    ----------
    view : View
    file : Path
    since : date, optional
        Only those on this day or later.
    no_conversation : collection of str
        Outcomes of a contact in which nobody was spoken to.
    """
    spoken = sa.or_(CaseEntry.code.is_(None), CaseEntry.code.not_in(list(no_conversation)))
    query = (
        sa.select(Case.pupil_id, CaseEntry.on_day, CaseEntry.kind, CaseEntry.code, CaseEntry.team, CaseEntry.at)
        .join(Case, Case.case_id == CaseEntry.case_id)
        .join(Pupil, Pupil.pupil_id == Case.pupil_id)
        .where(
            *view.caller.children(PLACE),
            sa.or_(CaseEntry.kind == "action", sa.and_(CaseEntry.kind == "contact", spoken)),
        )
        .order_by(Case.pupil_id, CaseEntry.on_day, CaseEntry.at)
    )
    entries = view.connection.execute(query.where(CaseEntry.on_day >= since) if since else query).all()
    rows = [
        {
            "pupil_id": r.pupil_id,
            "date": r.on_day,
            "kind": "contact" if r.kind == "contact" else r.code,
            "team": r.team,
            "recorded_on": london_day(r.at),
        }
        for r in entries
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), file, compression="zstd")
    view.record("actions.exported", pupils=dict.fromkeys(r.pupil_id for r in entries), rows=len(rows))
    return len(rows)

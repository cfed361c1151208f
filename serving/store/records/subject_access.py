"""Subject access: everything that is held on one child, and who saw it."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from serving.store.audit import audit_log
from serving.store.cases.tables import Case
from serving.store.people import details
from serving.store.people.cipher import Cipher
from serving.store.people.tables import StoredDetails
from serving.store.records.places import BY_CASE, BY_PUPIL, NOT_REACHED
from serving.store.scores import kept_numbers
from serving.store.tables import StoredScore
from serving.store.unit_of_work import View

JSON_COLUMNS = ("body",)
SHOWN = ("at", "who", "role", "authority", "action")  # of the audit; other details may concern other children


def held_on(view: View, pupil_id: str, cipher: Cipher | None = None) -> dict[str, Any]:
    """Return the rows of a pupil from every table, and the audit's entries about the pupil; personal details decrypted.

    Returns
    -------
    dict
        ``tables``: rows by table; ``seen_by``: who saw or changed something, when; ``not_reached``: where else records may lie.

    Raises
    ------
    Unreadable
        When there are personal details, and the cipher cannot decrypt them.
    """
    tables = {t.__tablename__: _rows(view, t, t.pupil_id == pupil_id) for t in BY_PUPIL if t is not StoredDetails}
    known = details.of_pupil(view.connection, cipher, pupil_id)
    tables[StoredDetails.__tablename__] = [{"pupil_id": pupil_id, **known}] if known else []
    cases = sa.select(Case.case_id).where(Case.pupil_id == pupil_id)
    tables |= {t.__tablename__: _rows(view, t, t.case_id.in_(cases)) for t in BY_CASE}
    entries = audit_log.entries(view, pupils=[pupil_id])
    seen_by = [{name: entry[name] for name in SHOWN} for entry in entries]
    view.record("pupil.subject_access", pupils=[pupil_id], rows=sum(map(len, tables.values())), entries=len(seen_by))
    return {"tables": tables, "seen_by": seen_by, "not_reached": list(NOT_REACHED)}


def _rows(view: View, table: Any, condition: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    rows = view.connection.execute(sa.select(table.__table__).where(condition)).mappings().all()
    if table is StoredScore:
        texts = kept_numbers.texts_of_rows(view.connection, rows)
        made = (kept_numbers.with_score(row, text) for row, text in zip(rows, texts, strict=True))
        return [{k: v for k, v in {**row, "body": row["score"]}.items() if k != "score"} for row in made]
    return [{k: json.loads(v) if k in JSON_COLUMNS else v for k, v in row.items()} for row in rows]

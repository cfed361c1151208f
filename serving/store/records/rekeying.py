"""Give the pupils of the database their pseudonyms under a new key, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from histories.errors import Fault, Usage
from histories.identity import IS_PSEUDONYM
from serving.store.people import details
from serving.store.people.cipher import Cipher, Unreadable
from serving.store.people.tables import StoredDetails
from serving.store.records.places import BY_PUPIL
from serving.store.schema import may_upgrade
from serving.store.tables import FormerReference, Pupil, StoredScore
from serving.store.unit_of_work import Change

BATCH = 1000
NOT_REKEYED = (
    "backups of the database, and copies of histories",
    "files of scores, exports and lists that commands wrote: write them again, or remove them",
    "identifiers that other programs keep to ask for scores",
)
# Lives as long as the transaction's connection; the pupils' references in pages' addresses stay the same.
FORMER = sa.Table(
    "rekeyed_pupils",
    sa.MetaData(),
    sa.Column("former", sa.String(100), primary_key=True),
    sa.Column("pupil_id", sa.String(100), unique=True),
    sa.Column("pupil_ref", sa.String(32)),
    prefixes=["TEMPORARY"],
)


@dataclass(frozen=True, kw_only=True)
class Rekeyed:
    """The outcome for the database.

    Attributes
    ----------
    pupils : int
        How many pupils have a new pseudonym.
    others : int
        How many have one that none of the histories gave: other histories, not named, hold them.
    """

    pupils: int
    others: int


def require_able(connection: sa.Connection, cipher: Cipher | None) -> None:
    """Refuse, before anything is done, an account or a key of the people file that cannot re-key everything.

    Raises
    ------
    Usage
        When the account of PostgreSQL does not own the tables.
    Unreadable, Faults
        When there are personal details, which are encrypted for one pseudonym each, and the key does not decrypt them.
    """
    if connection.dialect.name == "postgresql" and not may_upgrade(connection):
        do = "Let ONROLL_DATABASE_URL name the account that owns the tables, for this command only."
        raise Usage(Fault("this account may not re-key pupils", "ONROLL_DATABASE_URL", do))
    if cipher is None and connection.scalar(sa.select(StoredDetails.pupil_id).limit(1)) is not None:
        raise Unreadable
    details.must_fit(connection, cipher)


def rekey(change: Change, new_of: Mapping[str, str], key_id: str, cipher: Cipher | None = None) -> Rekeyed:
    """Replace former pseudonyms in every table but the audit, which cannot be changed.

    The audit knows pupils by references. Those of the former pseudonyms are stored beside the new ones, so that whoever saw a
    child before is still found; they cannot be made from a known pseudonym without the audit's key.

    Parameters
    ----------
    new_of : mapping
        The new pseudonym of each former one in the histories.
    key_id : str
        The name of the new key, for the audit.
    cipher : Cipher, optional
        Of the people file, if details are stored.
    """
    connection = change.connection
    stored = {p for table in BY_PUPIL for p in connection.scalars(sa.select(table.pupil_id).distinct())}
    former = sorted(stored & new_of.keys())
    known = set(new_of.values()) | new_of.keys()
    others = sum(IS_PSEUDONYM.fullmatch(p) is not None for p in stored - known)
    FORMER.create(connection)
    for at in range(0, len(former), BATCH):
        part = former[at : at + BATCH]
        refs = dict(
            connection.execute(sa.select(Pupil.pupil_id, Pupil.pupil_ref).where(Pupil.pupil_id.in_(part))).all()
        )
        rows = [{"former": p, "pupil_id": new_of[p], "pupil_ref": refs.get(p)} for p in part]
        connection.execute(sa.insert(FORMER), rows)
    if cipher is not None:
        details.rename(change, cipher, {p: new_of[p] for p in former})
    _replace(connection)
    FORMER.drop(connection)
    for at in range(0, len(former), BATCH):
        references = [
            {"pupil_id": new_of[p], "reference": reference}
            for p in former[at : at + BATCH]
            for reference in change.chain.references(p)
        ]
        connection.execute(sa.insert(FormerReference), references)
    change.record("pseudonyms.rekeyed", key=key_id, count=len(former), others=others)
    return Rekeyed(pupils=len(former), others=others)


def _replace(connection: sa.Connection) -> None:
    """Replace the identifiers of all rows; cases refer to pupils, so each pupil is added anew before the former one goes."""
    formers = sa.select(FORMER.c.former)
    moved = [c.name for c in Pupil.__table__.columns if c.name not in ("pupil_id", "pupil_ref")]
    again = sa.select(FORMER.c.pupil_id, FORMER.c.pupil_id, *(Pupil.__table__.c[c] for c in moved))
    again = again.join_from(FORMER, Pupil.__table__, Pupil.pupil_id == FORMER.c.former)
    connection.execute(sa.insert(Pupil).from_select(["pupil_id", "pupil_ref", *moved], again))
    _repack(connection)
    for table in BY_PUPIL:
        if table not in (Pupil, StoredDetails):
            new = sa.select(FORMER.c.pupil_id).where(FORMER.c.former == table.pupil_id).scalar_subquery()
            values: dict[str, Any] = {"pupil_id": new}
            if "body" in table.__table__.columns and table is not StoredScore:
                values["body"] = sa.func.replace(table.body, table.pupil_id, new)
            connection.execute(
                sa.update(table).where(table.pupil_id.in_(formers)).values(values),
                execution_options={"synchronize_session": False},
            )
    connection.execute(sa.delete(Pupil).where(Pupil.pupil_id.in_(formers)))
    ref = sa.select(FORMER.c.pupil_ref).where(FORMER.c.pupil_id == Pupil.pupil_id).scalar_subquery()
    connection.execute(
        sa.update(Pupil).where(Pupil.pupil_id.in_(sa.select(FORMER.c.pupil_id))).values(pupil_ref=ref),
        execution_options={"synchronize_session": False},
    )


def _repack(connection: sa.Connection) -> None:
    """Replace the identifiers inside scores, which are packed so that SQL cannot look into them."""
    names = (StoredScore.score_id, StoredScore.body, FORMER.c.former, FORMER.c.pupil_id)
    query = sa.select(*names).join_from(StoredScore, FORMER, StoredScore.pupil_id == FORMER.c.former)
    query = query.order_by(StoredScore.score_id).limit(BATCH)
    of_row = StoredScore.score_id == sa.bindparam("of")
    change, after = sa.update(StoredScore).where(of_row).values(body=sa.bindparam("now")), ""
    while rows := connection.execute(query.where(StoredScore.score_id > after)).all():
        # Numbers that are kept in place of a text name nobody.
        bodies = [
            {"of": r.score_id, "now": r.body.replace(r.former, r.pupil_id)} for r in rows if isinstance(r.body, str)
        ]
        if bodies:
            connection.execute(change, bodies)
        after = rows[-1].score_id

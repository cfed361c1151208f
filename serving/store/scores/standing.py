"""A list that teams were shown stands: a wrong import is corrected within days, and no promise is made anew once outcomes may be known."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from histories.errors import Fault, Faults
from serving.store.tables import ScoreList, StoredScore
from serving.store.unit_of_work import Change

SHOWN, SHADOW = "shown", "shadow"  # purposes of lists: those that teams see, and those for monitoring only
CORRECTABLE = timedelta(days=7)  # from the first storing; nearly no outcome of a window is recorded so soon


def must_stand(change: Change, lists: Collection[tuple[str, date, str]]) -> None:
    """Raise ``Faults`` when scores would be added to, or replaced on, a list that teams were first shown longer than ``CORRECTABLE`` ago.

    Parameters
    ----------
    lists : collection of tuple
        Authority, day and version of the lists of scores that are new or differ from the stored ones.
    """
    of_list = sa.tuple_(ScoreList.authority, ScoreList.as_of, ScoreList.model_version).in_(lists)
    _must_be_correctable(
        change.connection, [of_list], change.now, "teams were shown other scores of this day and version"
    )


def must_not_supersede(connection: sa.Connection, lists: Collection[tuple[str, date, str]], now: datetime) -> None:
    """Raise ``Faults`` when teams were shown a list of another version of the same authority and day longer than ``CORRECTABLE`` ago.

    Of several lists of a day the one stored last counts as shown: a second one, made once outcomes may be known, would be judged in its place.

    Parameters
    ----------
    lists : collection of tuple
        Authority, day and version of lists that would be shown.
    """
    for authority, day, version in lists:
        other = [ScoreList.authority == authority, ScoreList.as_of == day, ScoreList.model_version != version]
        _must_be_correctable(connection, other, now, "teams were shown the list of another version of this day")


def _must_be_correctable(
    connection: sa.Connection, of_lists: Sequence[sa.ColumnElement[bool]], now: datetime, what: str
) -> None:
    first = connection.scalar(sa.select(sa.func.min(ScoreList.shown_at)).where(*of_lists, ScoreList.purpose == SHOWN))
    if first is not None and now - first > CORRECTABLE:
        do = "Score a newer day. What was promised is judged as it stands."
        raise Faults(Fault(f"{what} more than {CORRECTABLE.days} days ago", "score --store", do))


def must_be_of_one_model(connection: sa.Connection, lists: Collection[tuple[str, date, str]], model: str) -> None:
    """Raise ``Faults`` when an authority has a list of another model's version of the same number.

    Lists, accounts of a child and withdrawals name a version by its number: one number must not stand for two models.

    Parameters
    ----------
    lists : collection of tuple
        Authority, day and version of lists that would be stored.
    """
    for authority, version in {(authority, version) for authority, _, version in lists}:
        of_version = (ScoreList.authority == authority, ScoreList.model_version == version)
        newest = sa.select(sa.func.max(ScoreList.as_of)).where(*of_version).scalar_subquery()
        of_list = (
            StoredScore.authority == authority,
            StoredScore.model_version == version,
            StoredScore.as_of == newest,
        )
        other = connection.scalar(sa.select(StoredScore.model).where(*of_list).limit(1))
        if other not in (None, model):
            do = f"Register the model as a version of {other}, or train it until its number is free."
            what = f"there are lists of version {version} of {other}, and these are of version {version} of {model}"
            raise Faults(Fault(what, "score --store", do))

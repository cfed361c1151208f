"""Drift: the mean stored risk of each list, without identities."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from serving.access.disclosed_counts import disclosed
from serving.store.tables import StoredScore
from serving.store.unit_of_work import View

MAX_LISTS = 8  # newest lists that are shown


def drift(view: View, base_rate: float | None) -> list[dict[str, Any]]:
    """Return the number of children and the mean risk of the newest lists of the caller's authority.

    Parameters
    ----------
    base_rate : float or None
        Base rate of the serving model's training data.

    Returns
    -------
    list of dict
        ``as_of, model_version, children, mean_risk`` and ``times``, the mean risk over the base rate; newest first. Counts
        are rounded and small lists left out, so that two lists that differ by one child do not reveal that child.
    """
    key = (StoredScore.as_of, StoredScore.model_version)
    query = (
        sa.select(*key, sa.func.count().label("children"), sa.func.avg(StoredScore.risk).label("mean_risk"))
        .where(*view.caller.scope(StoredScore), StoredScore.replaced_at.is_(None))
        .group_by(*key)
        .order_by(StoredScore.as_of.desc(), StoredScore.model_version.desc())
        .limit(MAX_LISTS)
    )
    lists = [dict(r) for r in view.connection.execute(query).mappings()]
    view.record("drift.seen", count=len(lists))
    rounded = [{**r, "children": disclosed((r["as_of"], {"": r["children"]}), "")["all"]} for r in lists]
    return [
        {**r, "times": float(r["mean_risk"]) / base_rate if base_rate else None}
        for r in rounded
        if r["children"] is not None
    ]

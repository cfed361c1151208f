"""Drift: how the stored risks moved from one list to the next, in sums that name nobody."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from serving.access.disclosed_counts import disclosed
from serving.store.tables import StoredScore
from serving.store.unit_of_work import View

NEWEST = 8  # lists that are told


def drift(view: View, base_rate: float | None) -> list[dict[str, Any]]:
    """Return, for the newest lists that the caller's authority has, how many were scored and with what mean risk.

    Parameters
    ----------
    base_rate : float or None
        The rate in the data that the serving model learned from.

    Returns
    -------
    list of dict
        ``as_of, model_version, children, mean_risk`` and ``times``, the mean risk over the base rate; newest first. Children are
        rounded, and a list of few is left out, so that two lists that differ by a child do not give that child away.
    """
    key = (StoredScore.as_of, StoredScore.model_version)
    query = (
        sa.select(*key, sa.func.count().label("children"), sa.func.avg(StoredScore.risk).label("mean_risk"))
        .where(*view.caller.scope(StoredScore), StoredScore.replaced_at.is_(None))
        .group_by(*key)
        .order_by(StoredScore.as_of.desc(), StoredScore.model_version.desc())
        .limit(NEWEST)
    )
    found = [dict(r) for r in view.connection.execute(query).mappings()]
    view.record("drift.seen", count=len(found))
    told = [{**r, "children": disclosed((r["as_of"], {"": r["children"]}), "")["all"]} for r in found]
    return [
        {**r, "times": float(r["mean_risk"]) / base_rate if base_rate else None}
        for r in told
        if r["children"] is not None
    ]

"""What happened about one child: each score and the list it was on, who saw what, what was done, and which version served.

One account for a complaint: it says which model, data and rule put a child on a list on a day.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from serving.store.audit import audit_log
from serving.store.cases.cases import PLACE
from serving.store.cases.tables import Case, CaseEntry
from serving.store.scores import kept_numbers, list_capacity
from serving.store.scores.stored_scores import SHOWN
from serving.store.tables import Pupil, ScoreList, StoredScore
from serving.store.trials.tables import RandomCheck, TrialAllocation, TrialException
from serving.store.unit_of_work import View

OF_SCORE = ("list", "capacity_band", "one_in", "risk_low", "risk_high", "reasons", "protective", "missing_tables")
OF_ENTRY = ("kind", "code", "on_day", "team", "to_person", "result", "asked_by", "next_turn", "record", "review_on")


def timeline(view: View, pupil_id: str, as_of: date | None = None) -> list[dict[str, Any]]:
    """Return what happened about a child, oldest first.

    Parameters
    ----------
    as_of : date, optional
        Only the scores as of this day, and what happened from the first of them until the next list was stored; by default everything.

    Returns
    -------
    list of dict
        ``at`` and ``what``: ``scored`` (a stored score, with ``listed_at``, None if its list was never complete, and the list's ``purpose``,
        ``per_week``, how many its teams could take up, None if the list does not hold it, and ``sources``, the last known day of each table;
        ``place`` is the child's among those of the same part of the list), ``done`` (an entry of a case, without free text), ``allocated`` (the arm of a trial),
        ``excepted`` (helped whatever the arm), ``drawn`` (for a random check) or ``audited`` (who saw or changed something). Further keys by kind.
    """
    scores = _scores(view, pupil_id)
    audited = [
        {"what": "audited", **{k: e[k] for k in ("who", "role", "authority", "action")}, "at": _moment(e["at"])}
        for e in audit_log.entries(view, pupils=[pupil_id])
    ]
    events = [*scores, *_done(view, pupil_id), *_by_lot(view, pupil_id), *audited]
    view.record("pupil.timeline", pupils=[pupil_id], events=len(events))
    if as_of is not None:
        events = _about(events, scores, as_of)
    return sorted(events, key=lambda event: event["at"])


def serving_at(moves: Iterable[dict[str, Any]], at: datetime) -> dict[str, Any] | None:
    """Return the last move of the champion's alias before a moment; None if no version had been released."""
    before = [m for m in moves if m.get("alias") == "champion" and _moment(m["at"]) <= at]
    return before[-1] if before else None


def _scores(view: View, pupil_id: str) -> list[dict[str, Any]]:
    on_list = sa.and_(
        ScoreList.authority == StoredScore.authority,
        ScoreList.as_of == StoredScore.as_of,
        ScoreList.model_version == StoredScore.model_version,
    )
    of_list = (ScoreList.stored_at.label("listed_at"), ScoreList.purpose, ScoreList.sources, ScoreList.capacity)
    query = (
        sa.select(StoredScore.__table__, _place().label("place"), *of_list)
        .join(ScoreList, on_list, isouter=True)
        .where(*view.caller.children(StoredScore), StoredScore.pupil_id == pupil_id)
    )
    scores = []
    rows = view.connection.execute(query).mappings().all()
    for row, text in zip(rows, kept_numbers.texts_of_rows(view.connection, rows), strict=True):
        of_score = kept_numbers.with_score(row, text)
        body = of_score.pop("score")
        columns = {
            k: v for k, v in of_score.items() if k not in ("body", "themes", "pupil_id", "stored_at", "capacity")
        }
        scores.append(
            {
                "at": row["stored_at"],
                "what": "scored",
                **columns,
                **{name: body.get(name) for name in OF_SCORE},
                "sources": json.loads(row["sources"] or "{}"),
                "per_week": list_capacity.of_authority(row["capacity"] or "{}"),
            }
        )
    return scores


def _place() -> sa.ScalarSelect[int]:
    """Return a score's place among those of its authority, day and version that are in the same part of the list."""
    other = aliased(StoredScore)
    columns = ("authority", "as_of", "model_version", "list_name")
    same = [getattr(other, c).is_not_distinct_from(getattr(StoredScore, c)) for c in columns]
    ahead = sa.and_(*same, other.replaced_at.is_(None), other.rank < StoredScore.rank)
    return sa.select(sa.func.count() + 1).select_from(other).where(ahead).correlate(StoredScore).scalar_subquery()


def _done(view: View, pupil_id: str) -> list[dict[str, Any]]:
    query = (
        sa.select(CaseEntry.__table__, Case.authority)
        .join(Case, Case.case_id == CaseEntry.case_id)
        .join(Pupil, Pupil.pupil_id == Case.pupil_id)
        .where(*view.caller.children(PLACE), Case.pupil_id == pupil_id)
    )
    return [
        {"at": e["at"], "what": "done", "who": e["by"], "authority": e["authority"], **{k: e[k] for k in OF_ENTRY}}
        for e in view.connection.execute(query).mappings()
    ]


def _by_lot(view: View, pupil_id: str) -> list[dict[str, Any]]:
    """Return the arms of trials in which the lot put the child, the exceptions from them, and the checks for which it was drawn."""
    own = view.caller.scope_of_authority
    arms = sa.select(TrialAllocation.__table__).where(*own(TrialAllocation), TrialAllocation.pupil_id == pupil_id)
    drawn = sa.select(RandomCheck.__table__).where(*own(RandomCheck), RandomCheck.pupil_id == pupil_id)
    allocated = [
        {"at": r["allocated_at"], "what": "allocated", **{k: r[k] for k in ("trial", "arm", "authority", "as_of")}}
        for r in view.connection.execute(arms).mappings()
    ]
    of = TrialException.trial.in_([e["trial"] for e in allocated])
    excepted = sa.select(TrialException.__table__).where(of, TrialException.pupil_id == pupil_id)
    return [
        *allocated,
        *(
            {"at": r["drawn_at"], "what": "drawn", **{k: r[k] for k in ("plan", "authority", "as_of", "until")}}
            for r in view.connection.execute(drawn).mappings()
        ),
        *(
            {"at": r["recorded_at"], "what": "excepted", "who": r["recorded_by"], "trial": r["trial"], "why": r["why"]}
            for r in view.connection.execute(excepted).mappings()
        ),
    ]


def _about(events: list[dict[str, Any]], scores: list[dict[str, Any]], as_of: date) -> list[dict[str, Any]]:
    """Return every score as of a day, and what happened from the first of them until teams were shown the child's next one as of a later day.

    A day may be scored, or scored again, after a later one: such a later score was there already and ends nothing. Nor does a list that no
    team was shown.
    """
    first = min((s["at"] for s in scores if s["as_of"] == as_of), default=None)
    if first is None:
        return []
    shown = [s["at"] for s in scores if s["listed_at"] and s["purpose"] == SHOWN and s["as_of"] > as_of]
    until = min((at for at in shown if at > first), default=None)
    return [
        event
        for event in events
        if event.get("as_of") == as_of
        or ("as_of" not in event and event["at"] >= first and (until is None or event["at"] < until))
    ]


def _moment(text: str | datetime) -> datetime:
    return datetime.fromisoformat(text) if isinstance(text, str) else text

"""What a child's page shows of the records for the register of children not in school."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from serving.pages.context import PageContext
from serving.store.cases.not_in_school import DUTIES, RECORDS


def records_now(records: Iterable[dict[str, Any]], deadlines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the newest record of each kind and every earlier address, each with its running duty.

    Parameters
    ----------
    records : iterable of dict
        Oldest first; see ``serving.store.cases.not_in_school.records``.
    deadlines : sequence of dict
        The child's running duties.
    """
    by_kind: dict[str, list[dict[str, Any]]] = {kind: [] for kind in RECORDS}
    for record in records:
        before = by_kind[record["record"]] if record["record"] == "earlier_address" else []
        by_kind[record["record"]] = [*before, record]
    running = {deadline["kind"]: deadline for deadline in deadlines}
    return [{**r, "duty": running.get(DUTIES.get(kind, ""))} for kind, kept in by_kind.items() for r in kept]


def record_event(context: PageContext, record: dict[str, Any]) -> dict[str, Any]:
    """Return a record as an event of the timeline; an address is not repeated there."""
    what = context.renderer.words(f"record.is_{record['record']}")
    state = context.settings.record_text(record["record"], record["code"])
    text = f"{what}: {state}" if state else what
    return {"lane": "records", "date": record["on_day"].isoformat(), "text": text}

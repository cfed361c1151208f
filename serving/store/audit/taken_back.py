"""What the audit says was withdrawn or rolled back from, for when the promotion log has lost it: a file that is gone forbids nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from serving.store.database import reading
from serving.store.ledger.details import details_of
from serving.store.tables import AuditEntry
from training.release.promotion_log import readable
from training.release.resolve import MOVES, Release, Withdrawn
from training.release.standing import TAKEN_BACK, WITHDRAWN, standings

SERVES = "model.serves"
OF_SERVICE = ("serves", "refused to serve")  # says what a process did, after the move and perhaps after the next one
Line = Mapping[str, Any]


def once_served(engine: sa.Engine) -> bool:
    """Return whether the audit knows a version that served, or had the champion's alias."""
    with reading(engine) as connection:
        return any(line["action"] == "serves" or line.get("alias") == "champion" for line in _audited(connection))


def lost_by_log(engine: sa.Engine, name: str, lines: Sequence[Line]) -> frozenset[str]:
    """Return the versions of a model that the audit says were taken back, if its log lost a line that the audit holds; else none.

    Parameters
    ----------
    lines : sequence of mapping
        What can be read of the log; it alone decides while it has every line of the audit, since a command writes it first.
    """
    with reading(engine) as connection:
        moved = [line for line in _audited(connection) if line.get("model") == name]
    return frozenset(str(v) for v, left in _lost(moved, lines).items() if left in TAKEN_BACK)


def must_not_be_withdrawn(engine: sa.Engine, releases: Path, release: Release) -> None:
    """Raise ``Withdrawn`` if a folder, which no alias names, holds a version whose withdrawal only the audit still knows."""
    with reading(engine) as connection:
        audited = _audited(connection)
    for name in sorted({str(line.get("model")) for line in audited}):
        own = [line for line in audited if line.get("model") == name]
        lost = _lost(own, _lines(releases / name / MOVES))
        same = {int(line["version"]) for line in own if line.get("bundle") == release.bundle and line.get("version")}
        if WITHDRAWN in {lost.get(version) for version in same}:
            raise Withdrawn(release.name, dict([line for line in own if line["action"] == WITHDRAWN][-1]))


def _lost(audited: Sequence[Line], lines: Sequence[Line]) -> dict[int, str]:
    """Return how the audit's moves left each version, unless the log holds the newest one and all that take something back."""
    moves = [m for m in audited if m.get("alias") == "champion" and m["action"] not in OF_SERVICE]
    known = {line.get("hash") for line in lines}
    withdrawn = {line.get("before") for line in lines if line.get("action") == WITHDRAWN}

    def held(move: Line) -> bool:  # a withdrawal that contradicted its log was noted without a hash
        return str(move["hash"]) in known if move.get("hash") else move.get("before") in withdrawn

    whole = all(held(move) for move in [*moves[-1:], *(m for m in moves if m["action"] in TAKEN_BACK)])
    return {} if whole else standings(moves)


def _audited(connection: sa.Connection) -> list[Line]:
    """Return the audit's entries about models as lines of a log, oldest first; what cannot be read is for ``audit verify``."""
    of_models = sa.select(AuditEntry.action, AuditEntry.details).where(AuditEntry.action.startswith("model."))
    found: list[Line] = []
    for action, details in connection.execute(of_models.order_by(AuditEntry.seq)):
        try:
            line = {**details_of(details), "action": action.removeprefix("model.").replace("_", " ")}
            int(line.get("version") or 0), int(line.get("before") or 0)
        except (ValueError, TypeError, OverflowError):
            continue
        if line["action"] == WITHDRAWN:
            line["alias"] = "champion"
        found.append(line)
    return found


def _lines(log: Path) -> list[dict[str, Any]]:
    try:
        return readable(log)
    except OSError:
        return []

"""The promotion log: a line for every registration, evaluation, promotion, refusal and rollback, each chained to the line before.

Each line holds its own hash and the previous line's, so changed, removed and inserted lines are detected. Someone with write access
could rewrite the whole file or append to it, so its end is also kept in MLflow, and every line that a command wrote in the audit, which is
chained with a key (``serving.store.audit.model_log``).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from training.release.signature import sign

WITHDRAWN = "withdrawn"  # the action of a line that takes the champion away; its version is 0
HEAD = "log_head"  # tag of the registered model in MLflow
DO = "Keep the file as evidence, restore it from a backup, and find out who changed it. The audit records who did what, and the hash of every line."

UNREAD = "it cannot be read"


@dataclass(frozen=True, kw_only=True)
class LogState:
    """The result of verifying a log.

    Attributes
    ----------
    lines : int
        Number of complete lines; ``unchained`` of them were written before lines were chained.
    bad : int or None
        The first line that does not verify, counted from 1.
    why : str
    head : str
        The hash of the last line; empty if there is none.
    """

    lines: int
    unchained: int
    bad: int | None = None
    why: str = ""
    head: str = ""

    @property
    def whole(self) -> bool:
        """Whether every line verifies."""
        return self.bad is None

    def fault(self, where: str) -> Fault:
        """Return the fault of a log that does not verify."""
        return Fault(f"line {self.bad} does not verify: {self.why}", where, DO)


def readable(file: Path) -> list[dict[str, Any]]:
    """Return every complete line that can be read, oldest first: a line that only takes away counts whatever stands around it."""
    read = (_read(line) for line in _lines(file))
    return [entry for entry in read if entry is not None]


def entries(file: Path) -> list[dict[str, Any]]:
    """Return every complete line, oldest first.

    Raises
    ------
    Faults
        If a line cannot be read.
    """
    return [entry for _, entry in _all_read(file)]


def hashes(file: Path) -> list[str]:
    """Return the hash of every complete line; for lines from before chaining, as the first chained line states it of the last one.

    Raises
    ------
    Faults
        If a line cannot be read.
    """
    return [entry.get("hash") or hashlib.sha256(line.encode()).hexdigest() for line, entry in _all_read(file)]


def append(
    file: Path,
    signing_key: bytes | None = None,
    *,
    even_if_broken: bool = False,
    since: int | None = None,
    **entry: Any,
) -> dict[str, Any]:
    """Append a line, flush it to disk and return it.

    Parameters
    ----------
    signing_key : bytes, optional
        The private key to sign the line with.
    even_if_broken : bool
        Whether to append also to a log that does not verify: for a line that only takes away. The log stays broken.
    since : int, optional
        How many lines there were when the command that moves an alias began.

    Raises
    ------
    Faults
        If the log does not verify, or a version was withdrawn since; nothing is then appended.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+b") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        _drop_half_a_line(log)
        chain = follow(file)
        if not chain.whole and not even_if_broken:
            raise Faults(chain.fault(str(file)))
        if since is not None and any(e.get("action") == WITHDRAWN for e in readable(file)[since:]):
            # A withdrawal waits for nobody, so it may come while gates are checked; what it took away must stay away.
            do = "Nothing serves. Find out why, and begin again if a version is to serve all the same."
            raise Faults(Fault("the champion was withdrawn while this ran", str(file), do, "withdrawn_meanwhile"))
        line = {
            "n": chain.lines + 1,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            **entry,
            "previous": chain.head,
        }
        line["hash"] = _hash(line)
        if signing_key is not None:
            line["signature"] = sign(line["hash"], signing_key)
        log.write(json.dumps(line).encode() + b"\n")
        log.flush()
        os.fsync(log.fileno())
    return line


def follow(file: Path) -> LogState:
    """Verify the chain from the first line to the last."""
    head, unchained = "", 0
    lines = _lines(file)
    for n, line in enumerate(lines, 1):
        entry = _read(line)
        if entry is None:
            return LogState(lines=len(lines), unchained=unchained, bad=n, why=UNREAD, head=head)
        if "hash" not in entry and unchained == n - 1:
            unchained, head = n, hashlib.sha256(line.encode()).hexdigest()
            continue
        if entry.get("hash") != _hash(entry):
            return LogState(lines=len(lines), unchained=unchained, bad=n, why="it was changed", head=head)
        if entry.get("previous") != head or entry.get("n") != n:
            return LogState(
                lines=len(lines),
                unchained=unchained,
                bad=n,
                why="a line before it was changed, removed or inserted",
                head=head,
            )
        head = entry["hash"]
    return LogState(lines=len(lines), unchained=unchained, head=head)


def verify_to(file: Path, head: str) -> LogState:
    """Verify the chain, and that it contains the end recorded elsewhere as ``n hash``."""
    chain = follow(file)
    n, _, noted = head.partition(" ")
    if not chain.whole or not (head or chain.lines > chain.unchained):
        return chain
    lines = entries(file)
    if not head:
        return replace(chain, bad=chain.lines, why="its end is not recorded in MLflow")
    if int(n) > len(lines):
        return replace(chain, bad=len(lines), why=f"lines are missing after it: {n} were written")
    if lines[int(n) - 1].get("hash") != noted:
        return replace(chain, bad=int(n), why="it is not the line that was written")
    return chain


def _read(line: str) -> dict[str, Any] | None:
    """Return a line's entry; None if it is none, or one field is of a kind that no command writes and every reader would stumble over."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    kinds = {"version": int, "before": int, "bundle": str, "hash": str}
    fields = ((entry[name], kind) for name, kind in kinds.items() if entry.get(name) is not None)
    return entry if all(type(value) is kind for value, kind in fields) else None


def _all_read(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every complete line and its entry."""
    for n, line in enumerate(_lines(file), 1):
        entry = _read(line)
        if entry is None:
            raise Faults(LogState(lines=n, unchained=0, bad=n, why=UNREAD).fault(str(file)))
        yield line, entry


def _hash(entry: dict[str, Any]) -> str:
    plain = {k: v for k, v in entry.items() if k not in ("hash", "signature")}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _lines(file: Path) -> list[str]:
    # A byte that is no text makes its line fail the check; it must not stop the reading of the others.
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    lines = text.splitlines(keepends=True)
    return [line for line in lines if line.endswith("\n")]


def _drop_half_a_line(log: Any) -> None:
    """Remove an incomplete last line, left by a killed run."""
    log.seek(0)
    whole = log.read().rpartition(b"\n")
    log.truncate(len(whole[0]) + len(whole[1]))

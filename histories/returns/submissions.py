"""The statements of each return, kept inside the histories folder, so that tables can be derived from all returns together.

The folder ``.returns`` holds an index and one Parquet file per submission and table. Children are identified by keyed pseudonyms;
names, UPNs and postcodes are never stored there (``docs/decisions/0011-importing-is-a-merge.md``).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any, Literal

from histories.errors import Fault, Faults

FOLDER = ".returns"
LISTED = "listed_children"  # the file of all children of a return, beside those of its tables
INDEX = "index.json"
VERSION = 1
FOOTER = 1 << 16
EARLIEST = date.min
Clock = Literal["return", "row"]
SENDER_IN_PERIOD = ("cin-census", "sen2")  # forms whose period named the authority too, as an earlier onroll wrote it
KEYS = {"return_date": "said_on"}  # keys of the index that differ from the attribute's name


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One submission of one return.

    Attributes
    ----------
    number : int
        Number in order of import, from 1.
    form, period : str
        The format and the period, such as ``2025 spring``; a later submission for the same period corrects it.
    return_date : date or None
        The date in the return itself, such as census day or the day of the extract.
    submitted_on : date or None
        The day it was submitted, if given by the user.
    after : date or None
        The newest date of all returns when it was imported; an undated correction counts from that day.
    clock : {"return", "row"}
        Whether rows without ``recorded_on`` count as recorded on the date of the return or on their own dates.
    digest : str
        SHA-256 of its files and mapping.
    tables : tuple of str
        The tables of its statements.
    part : str
        Which part of the return it is, such as a school's file of a census; empty for a whole return.
    sender : str
        The authority whose return it is, where the file or the user names it; else ``merging.senders`` decides.
    """

    number: int
    form: str
    period: str
    return_date: date | None
    submitted_on: date | None
    after: date | None
    clock: Clock
    digest: str
    tables: tuple[str, ...]
    part: str = ""
    sender: str = ""


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A submission and its rank: if two contradict each other, the higher rank counts.

    Attributes
    ----------
    rank : int
    stated_on : date or None
        The day from which its rows count as known.
    """

    submission: Submission
    rank: int
    stated_on: date | None


def ranked(submissions: list[Submission], scopes: Mapping[int, Iterable[str]]) -> list[Ranked]:
    """Order submissions by date, independently of the order of import.

    The first submission of a return counts from the date in the return, a correction from the day it was submitted.

    Parameters
    ----------
    scopes : mapping
        By submission: the senders whose part of the return it states (``merging.senders``); it corrects earlier ones of the same
        form and period there only.
    """
    returns: dict[tuple[str, str, str], list[Submission]] = {}
    for s in submissions:
        for scope in scopes[s.number]:
            returns.setdefault((s.form, s.period, scope), []).append(s)
    corrections: set[int] = set()
    for group in returns.values():
        group.sort(key=lambda s: (s.submitted_on or s.return_date or EARLIEST, s.number))
        corrections |= {s.number for s in group[1:]}
    placed = []
    for s in submissions:
        correction = s.number in corrections
        corrected = max(filter(None, (s.return_date, s.after)), default=None)
        stated_on = (s.submitted_on or corrected) if correction else (s.return_date or s.submitted_on)
        # Undated submissions and corrections are ordered by import; all others by digest, independently of the import.
        tie = (correction, "" if correction or stated_on is None else s.digest, s.number)
        placed.append((stated_on or EARLIEST, tie, s, stated_on))
    placed.sort(key=lambda p: p[:2])
    return [Ranked(submission=s, rank=n, stated_on=day) for n, (_, _, s, day) in enumerate(placed, start=1)]


class Submissions:
    """The folder ``.returns`` of a histories folder."""

    def __init__(self, histories: Path) -> None:
        self.folder = histories / FOLDER
        self.all: list[Submission] = []
        self.written: dict[str, str] = {}
        self.links = ""
        self.key_id = ""  # of the key that the pseudonyms were made with; an earlier onroll recorded none
        self.kept: tuple[
            str, ...
        ] = ()  # keys of children that stay their main keys: a rotation changes the order of keys
        index = self.folder / INDEX
        if index.is_file():
            self._read(index)

    def _read(self, index: Path) -> None:
        try:
            read = json.loads(index.read_text(encoding="utf-8"))
            self.all = [_submission(s) for s in read["submissions"]]
            self.written, self.links = dict(read["written"]), str(read["links"])
            self.key_id, self.kept = str(read.get("key", "")), tuple(read.get("kept", ()))
        except (ValueError, KeyError, TypeError) as error:
            do = "Restore the folder from a backup, or remove .returns: the tables are kept, but later corrections no longer change them."
            raise Faults(Fault("the index of imported returns cannot be read", str(index), do)) from error
        if read.get("version") != VERSION:
            do = "Use the version of onroll that wrote it, or a newer one."
            raise Faults(Fault("the imported returns were written by another version of onroll", str(index), do))

    def find(self, form: str, period: str, digest: str) -> Submission | None:
        """Return the submission with the same content, or None."""
        return next((s for s in self.all if (s.form, s.period, s.digest) == (form, period, digest)), None)

    def latest(self) -> date | None:
        """Return the newest date of a return or a submission."""
        return max((d for s in self.all for d in (s.return_date, s.submitted_on) if d), default=None)

    def file(self, number: int, table: str) -> Path:
        """Return the file of a submission's statements for a table; number 0 holds rows from before the first import."""
        return self.folder / f"{number:06}.{table}.parquet"

    def share_with(self, other: Path) -> None:
        """Link all files into another folder without copying them."""
        other.mkdir()
        for file in sorted(self.folder.glob("*.parquet")) if self.folder.is_dir() else []:
            os.link(file, other / file.name)

    def write_index(self, folder: Path) -> None:
        """Write the index."""
        submissions = [
            {KEYS.get(k, k): v.isoformat() if isinstance(v, date) else v for k, v in asdict(s).items()}
            for s in self.all
        ]
        index = {
            "version": VERSION,
            "key": self.key_id,
            "kept": list(self.kept),
            "written": self.written,
            "links": self.links,
            "submissions": submissions,
        }
        (folder / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def _submission(read: dict[str, Any]) -> Submission:
    keys = {f.name: KEYS.get(f.name, f.name) for f in fields(Submission)}
    values = {
        name: read[key] for name, key in keys.items() if key in read
    }  # an earlier onroll wrote no part and no sender
    if values["form"] in SENDER_IN_PERIOD and "sender" not in values:
        values["period"], _, values["sender"] = values["period"].partition(" ")
    days = {k: date.fromisoformat(values[k]) if values[k] else None for k in ("return_date", "submitted_on", "after")}
    return Submission(**{**values, **days, "tables": tuple(values["tables"])})


def stamp_of(links: Mapping[str, str]) -> str:
    """Return an identifier of links; tables are derived again when it changes."""
    return hashlib.sha256(repr(sorted(links.items())).encode()).hexdigest()[:16] if links else ""


def fingerprint(file: Path) -> str:
    """Return an identifier of a Parquet file: its size and the hash of its footer, which describes every column."""
    size = file.stat().st_size
    with file.open("rb") as data:
        data.seek(max(size - FOOTER, 0))
        return f"{size}-{hashlib.sha256(data.read()).hexdigest()[:16]}"

"""Looking for the bytes of erased pupils' identifiers in files: the database's own where they can be read, and any that a person names."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from histories.errors import Fault, Usage
from serving.store.database import reading
from serving.store.tables import Pupil

MIN_BYTES = 8  # a shorter identifier stands in other numbers by chance
NOT_READ = "The database server's files were not looked into. On the server, name its data directory: --look-in."


@dataclass(frozen=True)
class Remains:
    """What looking for bytes found.

    Attributes
    ----------
    looked_for : int
        How many identifiers were looked for; short ones, and parts of another pupil's, are not.
    looked_in : int
        How many files were read.
    found_in : tuple of str
        The files that hold one; never which.
    """

    looked_for: int
    looked_in: int
    found_in: tuple[str, ...]


def remains(engine: sa.Engine, pupils: Sequence[str], folders: Iterable[Path] = ()) -> Remains:
    """Look for erased pupils' identifiers in SQLite's files and in every file of some folders.

    Raises
    ------
    Usage
        When a file cannot be read.
    """
    needles = [p.encode() for p in pupils if len(p.encode()) >= MIN_BYTES and not _is_part(engine, p)]
    files = [Path(f"{engine.url.database}{end}") for end in ("", "-wal", "-journal")] if _is_file(engine) else []
    places = [(f, f.name) for f in files if f.exists()]
    for folder in folders:
        places += [(f, str(f.relative_to(folder))) for f in sorted(folder.rglob("*")) if f.is_file()]
    pattern = re.compile(b"|".join(map(re.escape, needles)))
    found = tuple(name for file, name in places if needles and _holds(file, name, pattern))
    return Remains(len(needles), len(places), found)


def _is_file(engine: sa.Engine) -> bool:
    return engine.dialect.name == "sqlite" and bool(engine.url.database)


def _is_part(engine: sa.Engine, pupil: str) -> bool:
    """Return whether a pupil who stays has an identifier that contains this one."""
    with reading(engine) as connection:
        longer = (Pupil.pupil_id.contains(pupil, autoescape=True), Pupil.pupil_id != pupil)
        return bool(connection.scalar(sa.select(sa.exists().where(*longer))))


def _holds(file: Path, name: str, pattern: re.Pattern[bytes]) -> bool:
    try:
        with file.open("rb") as opened:
            if not file.stat().st_size:
                return False
            with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return pattern.search(content) is not None
    except FileNotFoundError:
        return False  # the server removed it meanwhile
    except (OSError, ValueError):
        do = "Run the command with an account that may read it."
        raise Usage(Fault("this file cannot be read", name, do)) from None

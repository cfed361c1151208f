"""Import small returns from text into one folder of histories, and read its tables."""

from __future__ import annotations

from pathlib import Path

import duckdb

from histories.identity import pseudonym
from histories.returns import FORMATS, Report, import_return

KEY = b"a key for tests only"
UPNS = ("B801200005001", "Q801200005002", "E801200005003")
ME, ALSO, THIRD = (pseudonym(upn, KEY) for upn in UPNS)
ROLL = """
[[table]]
fills = "enrolments"
files = "*.csv"
pupil = "UPN"
[table.columns]
urn = "URN"
entry_date = "Entry"
leaving_date = "Left"
[[table]]
fills = "pupils"
files = "*.csv"
pupil = "UPN"
[table.columns]
date_of_birth = "Born"
"""


def import_text(
    place: Path, form: str, files: dict[str, str], *, mapping: str | None = None, sender: str = ""
) -> Report:
    """Import files given by name and text into ``place/h``."""
    folder = place / f"return_{len(list(place.iterdir()))}"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    mapping_file = None
    if mapping is not None:
        mapping_file = folder / "own.toml"
        mapping_file.write_text(mapping, encoding="utf-8")
    sources = [folder / name for name in files]
    return import_return(FORMATS[form], sources, place / "h", KEY, mapping=mapping_file, sender=sender)


def import_roll(place: Path, spells: list[tuple[str, str, str, str]]) -> Report:
    """Import spells: UPN, URN, entry date, and leaving date or empty text."""
    rows = "".join(f"{upn},{urn},{entry},{left},2012-01-01\n" for upn, urn, entry, left in spells)
    return import_text(place, "csv", {"roll.csv": f"UPN,URN,Entry,Left,Born\n{rows}"}, mapping=ROLL)


def rows(place: Path, table: str, columns: str) -> list[tuple]:
    """Return columns of a table, sorted."""
    file = place / "h" / f"{table}.parquet"
    return duckdb.execute(f"SELECT {columns} FROM read_parquet(?) ORDER BY ALL", [str(file)]).fetchall()

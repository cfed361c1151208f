"""The School Census as XML, one school a file, staged as the tables of COLLECT's CSV export are.

Source of the layout: two open-source exporters of the census, which name the elements of pupils, status, exclusions, needs and
attendance, and the terms ``AUT``, ``SPR`` and ``SUM``. No file was seen. Values are found by the headings of the CSV export, in
any case, in whatever element holds them; ``AbsenceSessions`` and ``Gender`` are older names of ``Sessions`` and ``Sex``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from histories.errors import Fault, Faults
from histories.returns.files.row_buffer import RowBuffer
from histories.returns.files.xml import AGAIN, Node, Take, read_units

if TYPE_CHECKING:
    from histories.returns.files.staging import Staging

ROOT = "Message"
UNITS = {"PupilOnRoll": "pupilonroll", "PupilNoLongerOnRoll": "pupilnolongeronroll"}
COLLECTIONS = ("SC", "SCHOOL CENSUS", "SCHOOLCENSUS")
OWN_VALUES = ("pupil", "specialeducationalneeds")  # how elements begin that hold a pupil's own values
OLDER = {"absencesessions": "sessions", "gender": "sex"}
TERMS = {"AUT": "autumn", "SPR": "spring", "SUM": "summer"}
SUMMER, ANNUAL = "summerhalfterm2", "annual"


@dataclass(frozen=True, kw_only=True)
class CensusOfSchool:
    """One file of a census.

    Attributes
    ----------
    year : int
    term, school : str
    pupils : int
    tables : dict
        The staged tables, each with the kind of table of the CSV export and the name that it has there.
    """

    year: int
    term: str
    school: str
    pupils: int
    tables: dict[str, tuple[str, str]]


def stage(staging: Staging, file: Path, number: int, kinds: Mapping[str, tuple[str, ...]]) -> CensusOfSchool:
    """Stage a file; ``kinds`` are the kinds of tables with their columns.

    Raises
    ------
    Faults
        When the file is damaged, of another kind, or does not say which census of which school it is.
    """
    buffers: dict[tuple[str, str], RowBuffer] = {}
    tables: dict[str, tuple[str, str]] = {}
    for roll, ending in (("pupilonroll", "onroll"), ("pupilnolongeronroll", "offroll")):
        for kind, columns in kinds.items():
            if kind in UNITS.values() and kind != roll:
                continue
            table = roll if kind == roll else f"{kind}{ending}"
            name = f"xml_{number}_{table}"
            buffers[roll, kind] = RowBuffer(staging, name, file, [f"{roll}tableid", *columns])
            tables[name] = (kind, table)

    numbers = count(1)

    def taker(roll: str) -> Take:
        def take(pupil: Node, line: int) -> None:
            key = f"{roll} {next(numbers)}"
            values = own_values(pupil)
            buffers[roll, roll].add(line, key, *(values.get(c) for c in kinds[roll]))
            for kind, record in records_of(pupil):
                buffers[roll, kind].add(line, key, *(record.get(c) for c in kinds[kind]))

        return take

    pupils, header = read_units(file, ROOT, {unit: taker(roll) for unit, roll in UNITS.items()})
    for buffer in buffers.values():
        buffer.flush()
    year, term, school = _census_of({k.lower(): v for k, v in header.items()}, file)
    for roll in UNITS.values():
        staging.sql(f'UPDATE "{buffers[roll, roll].name}" SET nativeid = ?', school)
    return CensusOfSchool(year=year, term=term, school=school, pupils=pupils, tables=tables)


def _leaves(node: Node) -> dict[str, str]:
    """Return the values that stand right under a node, by their names in lower case."""
    values: dict[str, str] = {}
    for name, children in node.items():
        text = next((c for c in children if isinstance(c, str) and c), None)
        if text:
            values.setdefault(OLDER.get(name.lower(), name.lower()), text)
    return values


def own_values(pupil: Node) -> dict[str, str]:
    """Return a pupil's own values: those right under it, and under its identifiers, status, characteristics and needs."""
    values = _leaves(pupil)
    for name, children in pupil.items():
        if name.lower().startswith(OWN_VALUES):
            for child in children:
                if isinstance(child, dict):
                    values = _leaves(child) | values
    return values


def records_of(node: Node, above: tuple[str, ...] = ()) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the records under a pupil, each with the kind of table that it belongs to.

    Attendance and exclusions of a whole year, which older censuses have too, are left out: they say the same again.
    """
    for name, children in node.items():
        path = (*above, name.lower())
        for child in children:
            if not isinstance(child, dict):
                continue
            values = _leaves(child)
            kind = _kind_of(values, path)
            if kind and not any(part.startswith(ANNUAL) for part in path):
                yield kind, values
            yield from records_of(child, path)


def _kind_of(values: dict[str, str], path: tuple[str, ...]) -> str | None:
    if "attendancereason" in values:
        summer = any(part.startswith(SUMMER) for part in path)
        return "summerhalfterm2sessiondetails" if summer else "termlysessiondetails"
    if {"category", "startdate"} <= values.keys():
        return "termlyexclusions"
    if "fsmstartdate" in values:
        return "fsmperiod"
    if "sentype" in values:
        return "senneeds"
    return "addresses" if {"postcode", "uniquepropertyreferencenumber"} & values.keys() else None


def _census_of(header: dict[str, str], file: Path) -> tuple[int, str, str]:
    """Return year and term of a census, and the URN of its school, else its LA and establishment numbers."""
    faults = []
    try:
        day = date.fromisoformat(header.get("referencedate", "")[:10])
    except ValueError:
        day = None
    term = TERMS.get(header.get("term", "")[:3].upper())
    if term is None and day:
        term = next(name for last, name in ((3, "spring"), (8, "summer"), (12, "autumn")) if day.month <= last)
    year = str(day.year) if day else header.get("year", "")
    school = header.get("urn") or f"{header.get('lea', '')}{header.get('estab', '')}"
    if term is None or not year.isdigit():
        faults.append(
            Fault("the header does not say which census it is (ReferenceDate, or Term and Year)", str(file), AGAIN)
        )
    if not school:
        faults.append(Fault("the header names no school (URN, or LEA and Estab)", str(file), AGAIN))
    if faults or term is None:
        raise Faults(faults)
    return int(year), term, school

"""Declared formats: a TOML file says which files fill which tables, from which columns and in which format.

The shipped formats (``formats/*.toml``) and a user's own (``onroll import csv --mapping FILE``) use the same keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.delimited import heading
from histories.io.sql import literal, literals
from histories.io.toml import read_toml
from histories.tables import TABLES

FOLDER = Path(__file__).with_name("formats")
# A year of two digits is tried first, since %Y reads it as a year of the first century.
DATES = (
    "%Y-%m-%d",
    "%d/%m/%y",
    "%d/%m/%Y",
    "%Y-%b-%d %H:%M:%S",
    "%d-%b-%y",
    "%d-%b-%Y",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%Y/%m/%d",
)
TIMES = (" %H:%M:%S", " %H:%M", "T%H:%M:%S", " %H:%M:%S.%f", "T%H:%M:%S.%f", " %I:%M:%S %p", " %I:%M %p")
MOMENT = "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(Z|[+-][0-9]{2}:?[0-9]{2})"
AS_DATES = "Write dates like 2024-09-30 or 30/09/2024; a mapping of your own can name other formats (dates)."
NOTHING = ("-", "--", "n/a", "na", "#n/a", "none", "null", "nil")  # no date, number, or yes or no
TRUE, FALSE = ("true", "yes", "y", "1", "t"), ("false", "no", "n", "0", "f")


@dataclass(frozen=True, kw_only=True)
class Filled:
    """How one table is filled.

    Attributes
    ----------
    table : str
        The table of histories.
    files : str
        Which files, such as ``*cases*.csv``.
    pupil : tuple of str
        Accepted headings of the UPN; empty for tables without pupils.
    former : tuple of str
        Accepted headings of a former UPN.
    person : tuple of str
        Accepted headings of the list's own key of a child, by which rows without a UPN are linked.
    postcode : tuple of str
        Accepted headings of the postcode of a home; it determines the LSOA (format ``postcodes``) and is not stored.
    columns : dict
        Accepted headings by column of the table; the first with a value is used.
    dates : tuple of str
        Date formats of ``strptime``.
    codes : dict
        Translation of values by column; a value without a translation becomes empty and is counted.
    constants : dict
    """

    table: str
    files: str
    pupil: tuple[str, ...] = ()
    former: tuple[str, ...] = ()
    person: tuple[str, ...] = ()
    postcode: tuple[str, ...] = ()
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dates: tuple[str, ...] = DATES
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)

    def headings(self) -> set[str]:
        """Return all headings of the table."""
        return {n for names in self.columns.values() for n in names} | {
            *self.pupil,
            *self.former,
            *self.person,
            *self.postcode,
        }

    def days(self) -> set[str]:
        """Return the headings of dates."""
        columns = TABLES[self.table].columns
        return {n for c, names in self.columns.items() if columns[c].kind == "date" for n in names}


@dataclass(frozen=True)
class Mapping:
    """A declared format; a file must have one of the headings in ``signs`` to be recognised."""

    name: str
    title: str
    cannot_know: tuple[str, ...]
    tables: tuple[Filled, ...]
    signs: tuple[str, ...] = ()

    @property
    def fills(self) -> tuple[str, ...]:
        """The tables that it fills."""
        return tuple(dict.fromkeys(t.table for t in self.tables))


def load_mapping(file: Path) -> Mapping:
    """Read a mapping.

    Raises
    ------
    Faults
        For a missing file, bad TOML, unknown keys, tables and columns.
    """
    read = read_toml(file)
    faults: list[Fault] = []
    entries = read.get("table", [])
    if not isinstance(entries, list) or not entries:
        do = "Write at least one [[table]] with fills, files and columns."
        raise Faults(Fault("the mapping fills no table", str(file), do))
    tables = [f for n, e in enumerate(entries, start=1) if (f := _filled(e, f"{file}, table {n}", faults))]
    unknown = sorted(set(read) - {"title", "cannot_know", "signs", "table"})
    faults += [
        Fault("there is no such key", f"{file}, {k}", "Use title, cannot_know, signs or [[table]].") for k in unknown
    ]
    if faults:
        raise Faults(faults)
    signs = _names(read.get("signs"))
    title, cannot_know = str(read.get("title", file.stem)), tuple(read.get("cannot_know", ()))
    return Mapping(file.stem, title, cannot_know, tuple(tables), signs)


def _filled(entry: Any, where: str, faults: list[Fault]) -> Filled | None:
    kinds: dict[str, Any] = {
        "fills": str,
        "files": str,
        "pupil": (str, list),
        "former": (str, list),
        "person": (str, list),
        "postcode": (str, list),
        "columns": dict,
        "dates": list,
        "codes": dict,
        "constants": dict,
    }
    if not isinstance(entry, dict):
        faults.append(Fault("this is not a table", where, "Write it as [[table]]."))
        return None
    before = len(faults)
    for key, value in entry.items():
        if key not in kinds:
            faults.append(Fault("there is no such key", f"{where}, {key}", f"Use one of {', '.join(kinds)}."))
        elif not isinstance(value, kinds[key]):
            faults.append(
                Fault("the value has the wrong type", f"{where}, {key}", "Write it as docs/returns.md shows.")
            )
    name = entry.get("fills")
    if name not in TABLES or not isinstance(entry.get("files"), str):
        do = f"Write files, and fills with one of {', '.join(TABLES)}."
        faults.append(Fault("the table or its files are missing", where, do))
        return None
    for part in ("columns", "codes", "constants"):
        for c in entry.get(part, {}) if isinstance(entry.get(part, {}), dict) else ():
            if c not in TABLES[name].columns:
                do = f"Use one of {', '.join(TABLES[name].columns)}."
                faults.append(Fault("the table has no such column", f"{where}, {part}.{c}", do))
    if "postcode" in entry and name != "addresses":
        faults.append(Fault("only addresses have a postcode", f"{where}, postcode", "Take it out."))
    if len(faults) > before:
        return None
    return Filled(
        table=name,
        files=entry["files"].lower(),
        pupil=_names(entry.get("pupil")),
        former=_names(entry.get("former")),
        person=_names(entry.get("person")),
        postcode=_names(entry.get("postcode")),
        columns={c: _names(v) for c, v in entry.get("columns", {}).items()},
        dates=tuple(entry.get("dates", DATES)),
        codes={c: {str(k).lower(): str(v) for k, v in t.items()} for c, t in entry.get("codes", {}).items()},
        constants={c: str(v) for c, v in entry.get("constants", {}).items()},
    )


def _names(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(dict.fromkeys(heading(str(v)) for v in ([value] if isinstance(value, str) else value)))


def _forms(dates: tuple[str, ...]) -> list[str]:
    """Return the date formats, each also with a time, and the ISO format, which no other can be confused with."""
    iso = () if any(d.startswith("%Y-") for d in dates) else ("%Y-%m-%d",)
    days = (*dates, *iso)
    # Each format costs the database a while for every column, so that those seldom seen have one time only.
    common = {"%Y-%m-%d", "%d/%m/%Y"} if dates == DATES else set(days)
    times = [
        f"{d}{time}" for d in days if "%H" not in d and "%y" not in d for time in (TIMES if d in common else TIMES[:1])
    ]
    return list(dict.fromkeys([*days, *times]))


def expression_of(kind: str, raw: str, dates: tuple[str, ...] = DATES) -> str:
    """Return the SQL that converts text to a kind of column; null if it cannot be converted.

    A time after a date is ignored, but for one with a time zone, which is a day in London. A date before 1900 or after 2100 is
    refused: its year is mistyped.
    """
    if kind == "date":
        forms = ", ".join(literal(d) for d in _forms(dates))
        zoned = f"try_cast({raw} AS TIMESTAMPTZ) AT TIME ZONE 'Europe/London'"
        moment = f"CASE WHEN regexp_full_match({raw}, '{MOMENT}') THEN ({zoned})::DATE END"
        day = f"coalesce(try_strptime({raw}, [{forms}])::DATE, {moment})"
        # In a list the day is written once; twice would take the database twice the time to prepare a statement.
        return f"list_transform([{day}], lambda d: CASE WHEN year(d) BETWEEN 1900 AND 2100 THEN d END)[1]"
    if kind == "integer":
        return f"CASE WHEN try_cast({raw} AS DOUBLE) = round(try_cast({raw} AS DOUBLE)) THEN try_cast(try_cast({raw} AS DOUBLE) AS BIGINT) END"
    if kind == "boolean":
        return f"CASE WHEN lower({raw}) IN {literals(TRUE)} THEN true WHEN lower({raw}) IN {literals(FALSE)} THEN false END"
    return raw

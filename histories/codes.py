"""Code sets, one TOML file each in ``histories/codes``; attendance codes have the dates between which they are valid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from histories.io.toml import read_toml

FOLDER = Path(__file__).with_name("codes")


@dataclass(frozen=True, kw_only=True)
class AttendanceCode:
    """One attendance code: its meaning, its class, and when it was valid."""

    code: str
    meaning: str
    counts_as: str
    since: date | None = None
    until: date | None = None


@cache
def code_set(name: str) -> dict[str, str]:
    """Return the codes of a set and their meanings.

    Examples
    --------
    >>> code_set("sen_provision")["K"]
    'SEN support'
    >>> code_set("attendance")["O"]
    'absent, other or unknown reason'
    """
    if name == "attendance":
        return {code: c.meaning for code, c in attendance_codes().items()}
    return read_toml(FOLDER / f"{name}.toml")["codes"]


@cache
def extended_codes(name: str) -> dict[str, str]:
    """Return the codes of a set's extended form, each with the code of the set that it belongs to.

    Examples
    --------
    >>> extended_codes("ethnicity")["WENG"]
    'WBRI'
    """
    return {} if name == "attendance" else read_toml(FOLDER / f"{name}.toml").get("extended", {})


@cache
def attendance_codes() -> dict[str, AttendanceCode]:
    """Return every attendance code, current and withdrawn."""
    read = read_toml(FOLDER / "attendance.toml")
    return {code: AttendanceCode(code=code, **row) for code, row in read.items() if isinstance(row, dict)}


@cache
def attendance_class(*classes: str) -> tuple[str, ...]:
    """Return the codes of the given classes.

    Examples
    --------
    >>> attendance_class("unauthorised")
    ('G', 'N', 'O', 'U')
    """
    return tuple(code for code, c in attendance_codes().items() if c.counts_as in classes)


ABSENCE_CODES = attendance_class("authorised", "unauthorised")
# Marks of a session that the child was not due for at the school that made them: of several schools, another knows where the child was.
YIELDING = ("#", "D")
POSSIBLE_CODES = attendance_class("present", "educational", "authorised", "unauthorised")

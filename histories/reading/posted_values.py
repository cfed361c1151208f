"""What the values of posted rows lack: implausible dates, numbers out of range, pupils sent twice and rows without a match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from histories.calendar import day_number
from histories.io.quantities import quantity
from histories.reading.plain_frame import PlainFrame
from histories.reading.posted_columns import PostedColumn, distinct
from histories.reading.unmatched import LINKS
from histories.reading.usable import (
    ENDS_EARLY,
    NO_DAY,
    NOT_YET,
    OUT_OF_RANGE,
    TOO_EARLY,
    leaves_out,
    odd_values,
    told,
)
from histories.reading.values import last_day
from histories.tables import Column, Table

SHOWN = 10
SENT_BEFORE = "the pupil is in an earlier row too"


def suspect_rows(table: type[Table], columns: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return warnings of pupils sent twice, and ends before starts."""
    warnings = []
    if table.table == "pupils":
        seen: set[Any] = set()
        again = []
        for i, pupil in enumerate(columns["pupil_id"]):
            again += [i] if pupil in seen else []
            seen.add(pupil)
        if again:
            warnings.append(f"{place('pupils', again, 'pupil_id')}: {quantity(len(again))}: {SENT_BEFORE}")
    if table.end:
        early = [
            i
            for i, (start, end) in enumerate(zip(columns[str(table.start)], columns[table.end], strict=True))
            if end is not None and start is not None and end < start
        ]
        if early:
            warnings.append(f"{place(table.table, early, table.end)}: {quantity(len(early))}: {ENDS_EARLY}")
    return warnings


def place(table: str, rows: list[int], column: str) -> str:
    """Name the first rows of a posted table, counted from 0."""
    listed = ", ".join(str(i) for i in rows[:SHOWN]) + (", …" if len(rows) > SHOWN else "")
    return f"tables.{table}[{listed}].{column}"


def usable_rows(table: type[Table], frame: PlainFrame, warnings: list[str]) -> PlainFrame:
    """Treat implausible dates and numbers out of range as missing; leave out rows that then lack a required value.

    Codes are checked before: a request with an unknown one is refused.
    """
    data, dropped = dict(frame.data), set()
    for c in table.columns.values():
        if c.kind != "date" and not c.limits:
            continue
        odd = odd_values(table, c, distinct(data[c.name]))  # marks have few distinct days
        none = {i for i, v in enumerate(data[c.name]) if v in odd} if odd else set()
        _tell_of_odd(table, c, data[c.name], none, warnings)
        if leaves_out(table, c):
            dropped |= none
        elif none:
            data[c.name] = [None if i in none else v for i, v in enumerate(data[c.name])]
    if not dropped:
        return PlainFrame(data, len(frame))
    data = {name: [v for i, v in enumerate(values) if i not in dropped] for name, values in data.items()}
    return PlainFrame(data, len(frame) - len(dropped))


def _tell_of_odd(table: type[Table], c: Column, values: PostedColumn, none: set[int], warnings: list[str]) -> None:
    """Warn of the values of a column that count as missing, and of those that were recorded on a day still to come."""
    of_dates = TOO_EARLY if c.name in table.recordings else NO_DAY
    what = OUT_OF_RANGE if c.limits else of_dates
    found = {told(table, c, what): sorted(none)}
    if c.name in table.recordings:
        high = day_number(last_day())
        late = {v for v in distinct(values) if v is not None and v > high}
        found[NOT_YET] = [i for i, v in enumerate(values) if v in late] if late else []
    for said, rows in found.items():
        if rows:
            warnings.append(f"{place(table.table, rows, c.name)}: {quantity(len(rows))}: {said}")


def unmatched(frames: Mapping[str, PlainFrame]) -> list[str]:
    """Return warnings with the number of rows whose pupil, school or area is missing from its own table."""
    warnings = []
    for name, frame in frames.items():
        for column, (other, key) in LINKS.items():
            if other == name or other not in frames or column not in frame.data:
                continue
            keys = {None, *frames[other].data[key]}
            if keys.issuperset(distinct(frame.data[column])):
                continue
            rows = [i for i, v in enumerate(frame.data[column]) if v not in keys]
            if rows:
                warnings.append(
                    f"{place(name, rows, column)}: {len(rows)} of {len(frame)} rows have no match in {other}"
                )
    return warnings

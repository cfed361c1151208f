"""The week's list as CSV and as an Excel workbook: dates as dates, columns wide enough, and a filter on the first row."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from histories.io.spreadsheet import GuardedWriter, as_text
from serving.pages.context import PageContext
from serving.pages.records_line import short_silence
from serving.store.people.details import PersonalDetails
from serving.store.scores import week_list
from training.explanation.chance import last_day

HEADINGS = (
    "rank",
    "reference",
    "school",
    "urn",
    "year",
    "band",
    "chance",
    "until",
    "moved",
    "register",
    "reasons",
    "owner",
    "done",
    "clock",
    "due",
    "as_of",
)
NAMED = ("name", "date_of_birth", "upn")  # columns for those who may see personal details, after the reference
# What XML 1.0, and so a workbook, cannot hold: most controls, halves of characters, and two that are none.
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
DAY = "DD/MM/YYYY"
MIN_WIDTH, MAX_WIDTH = 8, 60  # of a column, in characters


def table(
    context: PageContext,
    children: list[week_list.Listed],
    done: dict[str, str],
    details: Mapping[str, PersonalDetails] | None = None,
) -> list[list[Any]]:
    """Return the heading and a row for each child, as texts, numbers and dates.

    Parameters
    ----------
    context : PageContext
    children : list of Listed
    done : dict
        What was done last, by pupil.
    details : mapping, optional
        Who the children are; None for a caller who may not see it.
    """
    words = context.renderer.words
    at = HEADINGS.index("reference") + 1
    headings = [*HEADINGS[:at], *(NAMED if details is not None else ()), *HEADINGS[at:]]
    rows: list[list[Any]] = [[words(f"export.{name}") for name in headings]]
    for c in children:
        s = c.score
        rows.append(
            [
                s["rank"],
                c.pupil_id,
                *(_named(details.get(c.pupil_id)) if details is not None else ()),
                c.school,
                s["urn"],
                words.year_group_of(s["nc_year"], c.roll_year),
                s["band"],
                words.chance(s["risk"]),
                last_day(date.fromisoformat(s["as_of"]), s["horizon_days"]),
                words(f"work_list.{c.moved}") if c.moved else "",
                short_silence(c.silent, words) if c.silent else "",
                "; ".join(r["sentence"] for r in s["reasons"][:3]),
                c.owner or "",
                done.get(c.pupil_id, ""),
                words(f"clock.{c.clock['kind']}") if c.clock else "",
                c.clock["due_on"] if c.clock else None,
                date.fromisoformat(s["as_of"]),
            ]
        )
    return rows


def _named(details: PersonalDetails | None) -> list[Any]:
    return [getattr(details, name) for name in NAMED] if details else [None] * len(NAMED)


def _held(cell: Any) -> Any:
    """Return a cell without the characters that a workbook cannot hold."""
    return ILLEGAL.sub("", cell) if isinstance(cell, str) else cell


def as_csv(rows: list[list[Any]], reminder: str) -> bytes:
    """Return the rows as CSV that a spreadsheet opens as UTF-8; dates as 2025-01-13."""
    out = io.StringIO()
    GuardedWriter(out).rows([*([_held(cell) for cell in row] for row in rows), [reminder]])
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(rows: list[list[Any]], title: str, reminder: str) -> bytes:
    """Return the rows as an Excel workbook; its first row stays in sight and filters the others."""
    import openpyxl
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for n, column in enumerate(zip(*rows, strict=True), start=1):
        longest = max(len(DAY) if isinstance(cell, date) else len(str(cell or "")) for cell in column)
        sheet.column_dimensions[get_column_letter(n)].width = min(max(longest + 2, MIN_WIDTH), MAX_WIDTH)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(rows[0]))}{len(rows)}"
    for row in [*rows, [reminder]]:
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, as_text(_held(value)))
            cell.alignment = Alignment(vertical="top", wrap_text=len(row) > 1)
            cell.font = Font(bold=row is rows[0])
            if isinstance(value, date):
                cell.number_format = DAY
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()

"""Real returns become histories: each format is a small declared mapping."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from histories.errors import Fault, Usage
from histories.returns import cin_census, ctf, marks, school_census, ssda903
from histories.returns import mapping as mapping_
from histories.returns.reading import Report, Return, import_return

if TYPE_CHECKING:
    from histories.returns.pupil_keys import People
    from histories.returns.staging import Staging

NO_RECORDED = "when a thing was recorded: it counts as known on its own date"


def _declared(name: str) -> Return:
    m = mapping_.load_mapping(mapping_.FOLDER / f"{name}.toml")
    return Return(
        name=name, title=m.title, fills=m.fills, cannot_know=m.cannot_know, convert=partial(mapping_.convert, m)
    )


def _own(staging: Staging, people: People, files: list[Path], report: Report, mapping: Path | None) -> None:
    if mapping is None:
        raise Usage(
            Fault(
                "there is no mapping",
                "import csv --mapping",
                "Name a TOML file that says which columns fill which table.",
            )
        )
    mapping_.convert(mapping_.load_mapping(mapping), staging, people, files, report)


FORMATS: dict[str, Return] = {
    r.name: r
    for r in (
        Return(
            name="school-census",
            title="COLLECT's CSV export of the School Census, all terms, files named like 2024_autumn_pupilonroll.csv; give all censuses at once",
            fills=("pupils", "enrolments", "sen", "fsm", "addresses", "suspensions", "termly_attendance", "schools"),
            cannot_know=(
                "why a child left and where to",
                "daily marks",
                "when provision changed between two censuses",
                "the LSOA of a home",
                "social care, admissions and cases",
            ),
            convert=school_census.convert,
        ),
        Return(
            name="cin-census",
            title="the Children in Need census, XML of 2017 to 2026",
            fills=("social_care",),
            cannot_know=(NO_RECORDED, "children without a UPN (they need linking)", "early help"),
            convert=cin_census.convert,
            suffixes=(".xml",),
        ),
        Return(
            name="ssda903",
            title="looked-after children, CSV files header, episodes and missing",
            fills=("social_care",),
            cannot_know=(NO_RECORDED, "children without a UPN (they need linking)"),
            convert=ssda903.convert,
        ),
        Return(
            name="ctf",
            title="Common Transfer Files, XML",
            fills=("pupils", "enrolments"),
            cannot_know=(NO_RECORDED, "the URN of a school: it is named by its LA and establishment numbers"),
            convert=ctf.convert,
            suffixes=(".xml", ".ctf"),
        ),
        Return(
            name="marks",
            title="daily marks as CSV: long, a column a session, or a string a week; --mapping names the columns",
            fills=("attendance",),
            cannot_know=(
                "marks before the system was used",
                "when a mark was entered, unless there is a column for it",
            ),
            convert=marks.convert,
            mappable=True,
        ),
        *(_declared(n) for n in ("cme-cases", "schools", "areas")),
        Return(
            name="csv",
            title="any other CSV, by a mapping file (--mapping)",
            fills=("what the mapping says",),
            cannot_know=("what the mapping does not say",),
            convert=_own,
            mappable=True,
        ),
    )
}

__all__ = ["FORMATS", "Report", "Return", "import_return"]

"""The HTML report of ``onroll check``: findings as a table, recording delays and marks as charts; no pupil's value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from histories.checks.check import Checked
from histories.io.atomic_write import new_file
from histories.io.html import render
from histories.io.pictures import Bar, Picture, bars

TEMPLATE = Path(__file__).with_name("report.html")


def write_report(checked: Checked, out: Path) -> None:
    """Write the findings as one HTML page, atomically."""
    late = {table: days["nine_tenths"] for table, days in checked.delays.items()}
    charts = [
        _chart("Days until 90% of rows are recorded", late, "Days from an event to its record, by table"),
        _chart("Marks by month", checked.months, "Number of attendance marks, by month"),
    ]
    page = render(TEMPLATE, checked=checked, pictures=[c for c in charts if c])
    with new_file(out) as beside:
        beside.write_text(page, encoding="utf-8")


def _chart(title: str, values: Mapping[str, float], caption: str) -> Picture | None:
    """Draw one bar for each value; None without values. The text alternative lists them all."""
    if not values:
        return None
    alt = f"{title}: " + "; ".join(f"{name} {value:,.0f}" for name, value in values.items())
    return bars(title, [Bar(name, value) for name, value in values.items()], alt=alt, caption=caption)

"""Write the table of alarms in ``docs/monitoring.md`` from the alarms and their limits; with ``--check``, fail if it is out of date."""

from __future__ import annotations

import re
import sys

from histories.table_docs import DOCS, write
from serving.monitoring.alarms import ALARMS, load_limits
from training.gate_docs import limits_text

BEGIN, END = "<!-- alarms: written by make docs -->", "<!-- end of alarms -->"


def table() -> str:
    """Return the alarms as a Markdown table."""
    limits = load_limits()
    rows = [
        f"| {a.code} | {a.title} | {' '.join(a.reason.split())} | {limits_text(limits.get(a.code, {}))} | {a.do} | {a.since} |"
        for a in ALARMS
    ]
    head = "| alarm | what is wrong | why it matters | limits | what to do | since |\n|---|---|---|---|---|---|"
    return "\n".join([head, *rows])


def page(text: str) -> str:
    """Return the page with the current table."""
    return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{table()}\n{END}", text, flags=re.DOTALL)


if __name__ == "__main__":
    file = DOCS / "monitoring.md"
    sys.exit(write(file, page(file.read_text(encoding="utf-8"))))

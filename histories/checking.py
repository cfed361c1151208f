"""Check histories by coded rules: counts and places, never a pupil's value."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw

from histories.opening import Histories
from histories.rules import RULES, Rule
from histories.writing import new_file


@dataclass(frozen=True)
class Finding:
    """What one rule found."""

    rule: Rule
    rows: int


@dataclass(frozen=True)
class Checked:
    """What all rules found."""

    findings: list[Finding]
    warnings_of_opening: list[str]

    @property
    def errors(self) -> int:
        """How many rules of severity error found something."""
        return sum(1 for f in self.findings if f.rows and f.rule.severity == "error")

    @property
    def warnings(self) -> int:
        """How many rules of severity warning found something."""
        return sum(1 for f in self.findings if f.rows and f.rule.severity == "warning")

    def to_dict(self) -> dict[str, Any]:
        """Return the findings ready for JSON."""
        found = [
            {
                "code": f.rule.code,
                "severity": f.rule.severity,
                "title": f.rule.title,
                "table": f.rule.table,
                "rows": f.rows,
                "do": f.rule.do,
            }
            for f in self.findings
            if f.rows
        ]
        return {
            "errors": self.errors,
            "warnings": self.warnings,
            "rules": len(self.findings),
            "findings": found,
            "ignored": self.warnings_of_opening,
        }

    def text(self) -> str:
        """Return the findings as lines."""
        lines = [f"ignored: {w}" for w in self.warnings_of_opening]
        lines += [
            f"{f.rule.code} {f.rule.severity}: {f.rule.table}: {f.rule.title}: {f.rows:,} rows\n    {f.rule.do}"
            for f in self.findings
            if f.rows
        ]
        return "\n".join([*lines, f"{len(self.findings)} rules, {self.errors} errors, {self.warnings} warnings"])


def check(histories: Histories) -> Checked:
    """Run every rule whose tables are there."""
    findings = []
    for rule in RULES:
        if {rule.table, *rule.needs} <= histories.present:
            found = rule.bad(histories).select(nw.len().alias("n")).collect().item()
            findings.append(Finding(rule, int(found)))
    return Checked(findings, histories.warnings)


def write_report(checked: Checked, out: Path) -> None:
    """Write the findings as one HTML page: beside, then renamed."""
    rows = "".join(
        f"<tr><td>{f.rule.code}</td><td>{f.rule.severity}</td><td>{f.rule.table}</td><td>{html.escape(f.rule.title)}</td><td>{f.rows:,}</td><td>{html.escape(f.rule.do)}</td></tr>"
        for f in checked.findings
    )
    head = "<tr><th>rule</th><th>severity</th><th>table</th><th>what</th><th>rows</th><th>what to do</th></tr>"
    style = (
        "body{font-family:sans-serif;margin:2em}td,th{text-align:left;padding:.3em .8em;border-bottom:1px solid #ccc}"
    )
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Check of histories</title><style>{style}</style><h1>Check of histories</h1>'
        f"<p>{len(checked.findings)} rules, {checked.errors} errors, {checked.warnings} warnings.</p><table>{head}{rows}</table></html>"
    )
    with new_file(out) as beside:
        beside.write_text(page, encoding="utf-8")

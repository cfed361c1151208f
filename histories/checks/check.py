"""Check histories against the rules; findings hold counts and row numbers, never a pupil's value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw

from histories.checks.profile import delays, marks_by_month
from histories.checks.row_numbers import row_numbers
from histories.errors import Fault, Faults
from histories.io.quantities import quantity
from histories.io.toml import read_toml
from histories.reading.histories import Histories
from histories.rules import RULES, Rule


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The violations of one rule in one place."""

    rule: Rule
    place: str
    rows: int
    row_numbers: tuple[str, ...] = ()  # of the first violations in the table's file, from 1
    silenced: str = ""  # the reason for silencing it

    @property
    def table(self) -> str:
        """The table."""
        return self.place.split(".")[0]

    @property
    def title(self) -> str:
        """What is wrong, with the column for a rule about one."""
        column = self.place.partition(".")[2]
        return f"{self.rule.title} in {column}" if column else self.rule.title

    @property
    def where(self) -> str:
        """The first row numbers as text."""
        more = " …" if len(self.row_numbers) < self.rows else ""
        return f" (row {', '.join(self.row_numbers)}{more})" if self.row_numbers else ""

    @property
    def weight(self) -> str:
        """``error``, ``warning`` or ``silenced``."""
        return "silenced" if self.silenced else self.rule.severity


@dataclass(frozen=True)
class Checked:
    """The findings of all rules, and what the report shows beside them."""

    findings: list[Finding]
    warnings_of_opening: list[str]
    delays: dict[str, dict[str, float]]
    months: dict[str, int]

    @property
    def errors(self) -> int:
        """The number of findings that are errors."""
        return sum(1 for f in self.findings if f.rows and f.weight == "error")

    @property
    def warnings(self) -> int:
        """The number of findings that are warnings."""
        return sum(1 for f in self.findings if f.rows and f.weight == "warning")

    @property
    def rules(self) -> int:
        """The number of rules that were applicable."""
        return len({f.rule.code for f in self.findings})

    @property
    def summary(self) -> str:
        """The counts on one line."""
        return f"{self.rules} rules, {self.errors} errors, {self.warnings} warnings"

    def to_dict(self) -> dict[str, Any]:
        """Return the findings as JSON-ready values."""
        findings = [
            {
                "code": f.rule.code,
                "severity": f.rule.severity,
                "title": f.title,
                "table": f.table,
                "rows": f.rows,
                "row_numbers": list(f.row_numbers),
                "do": f.rule.do,
                "silenced": f.silenced or None,
            }
            for f in self.findings
            if f.rows
        ]
        return {
            "errors": self.errors,
            "warnings": self.warnings,
            "rules": self.rules,
            "findings": findings,
            "ignored": self.warnings_of_opening,
            "days_until_recorded": self.delays,
        }

    def text(self) -> str:
        """Return the findings as text, one paragraph each."""
        lines = [f"ignored: {w}" for w in self.warnings_of_opening]
        lines += [
            f"{f.rule.code} {f.weight}: {f.table}: {f.title}: {quantity(f.rows)}{f.where}\n    {f.silenced or f.rule.do}"
            for f in self.findings
            if f.rows
        ]
        lines += [
            f"{table}: days until recorded: {d['median']:.0f} (median), {d['nine_tenths']:.0f} (90th percentile)"
            for table, d in self.delays.items()
        ]
        return "\n".join([*lines, self.summary])


def load_silences(file: Path | None) -> dict[str, str]:
    """Read the rules that an authority silences, such as ``H040 = "our nursery units overlap on purpose"``.

    Raises
    ------
    Faults
        For bad TOML, unknown rules and empty reasons.
    """
    if file is None:
        return {}
    read = read_toml(file)
    codes = {r.code for r in RULES}
    faults = [
        Fault("there is no such rule", f"{file}, {c}", "'onroll check --json' lists the codes.")
        for c in read
        if c not in codes
    ]
    faults += [
        Fault("a silenced rule has no reason", f"{file}, {c}", 'Write the reason: H040 = "…".')
        for c, why in read.items()
        if not isinstance(why, str) or not why.strip()
    ]
    if faults:
        raise Faults(faults)
    return read


def check(histories: Histories, silences: dict[str, str] | None = None) -> Checked:
    """Run every rule in every place whose tables are present."""
    findings = []
    histories = histories.as_written()
    for rule in RULES:
        for place in rule.applicable_places(histories):
            broken = rule.broken(histories, place)
            violations = int(broken.select(nw.len().alias("n")).collect().item())
            where = row_numbers(histories, place.split(".")[0], broken) if violations else ()
            findings.append(
                Finding(
                    rule=rule,
                    place=place,
                    rows=violations,
                    row_numbers=where,
                    silenced=(silences or {}).get(rule.code, ""),
                )
            )
    return Checked(findings, histories.warnings, delays(histories), marks_by_month(histories))

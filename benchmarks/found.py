"""What alarms found: weeks until each fault, and false alarms a year, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from serving.monitoring.alarms import ALARMS, load_limits
from serving.monitoring.evidence import Evidence

LIMITS = load_limits()
BY_CODE = {alarm.code: alarm for alarm in ALARMS}


def states_of(codes: Iterable[str], evidence: Evidence) -> dict[str, str]:
    """Return the state of each alarm."""
    return {code: BY_CODE[code].results(evidence, LIMITS.get(code, {}))[0].state for code in codes}


@dataclass(kw_only=True)
class Found:
    """What was looked at, and found.

    Attributes
    ----------
    years : dict
        Years without a fault by alarm.
    looks, judged, up, raised : dict
        By alarm: looks without a fault, those at which it was judged, those at which it was up, and how often it went up.
    weeks : dict
        By fault and alarm: weeks until it was found, None if it was not while it was followed.
    """

    years: dict[str, float] = field(default_factory=dict)
    looks: dict[str, int] = field(default_factory=dict)
    judged: dict[str, int] = field(default_factory=dict)
    up: dict[str, int] = field(default_factory=dict)
    raised: dict[str, int] = field(default_factory=dict)
    weeks: dict[tuple[str, str], list[float | None]] = field(default_factory=dict)

    def calm(self, states: Sequence[Mapping[str, str]], years: float) -> None:
        """Add looks at one world without a fault, in their order."""
        for code in states[0]:
            of_code = [s[code] for s in states]
            is_up = np.array([s == "up" for s in of_code])
            self.years[code] = self.years.get(code, 0.0) + years
            self.looks[code] = self.looks.get(code, 0) + len(of_code)
            self.judged[code] = self.judged.get(code, 0) + sum(s != "not_judged" for s in of_code)
            self.up[code] = self.up.get(code, 0) + int(is_up.sum())
            went_up = int(is_up[0]) + int((is_up[1:] & ~is_up[:-1]).sum())
            self.raised[code] = self.raised.get(code, 0) + went_up

    def fault(self, title: str, code: str, weeks: float | None) -> None:
        """Add a fault that was put in."""
        self.weeks.setdefault((title, code), []).append(weeks)

    def table_of_faults(self) -> str:
        """Return how soon each fault was found, as a Markdown table."""
        head = "| fault put in | alarm | times | found | weeks until found: median | nine in ten |\n|---|---|---|---|---|---|"
        return "\n".join([head, *(_row(*key, weeks) for key, weeks in self.weeks.items())])

    def table_of_codes(self) -> str:
        """Return how often each alarm was up without a fault, as a Markdown table."""
        lines = ["| alarm | years without a fault | judged at | false alarms a year | up at |", "|---|---|---|---|---|"]
        for code in sorted(self.years):
            years, looks = self.years[code], self.looks[code]
            rate, share = self.raised[code] / years, self.up[code] / max(self.judged[code], 1)
            judged = self.judged[code] / looks
            lines.append(f"| {code} | {years:.0f} | {judged:.0%} of {looks:,} looks | {rate:.2f} | {share:.1%} |")
        return "\n".join(lines)


def _row(title: str, code: str, weeks: list[float | None]) -> str:
    seen = sorted(w for w in weeks if w is not None)
    # A fault that was not found waits longer than all that were.
    longest = np.array([*seen, *[np.inf] * (len(weeks) - len(seen))])
    middle, most = (longest[min(int(share * len(longest)), len(longest) - 1)] for share in (0.5, 0.9))
    shown = [f"{w:.0f}" if np.isfinite(w) else "not found" for w in (middle, most)]
    return f"| {title} | {code} | {len(weeks)} | {len(seen) / len(weeks):.0%} | {shown[0]} | {shown[1]} |"

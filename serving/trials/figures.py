"""What of an analysis may be shown: by default small numbers hidden, and figures of few children left out; all of it to those who may see the children."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor, isfinite
from typing import Any

import polars as pl

from features.groups.disclosure import HIDDEN, SMALLEST, shown
from serving.trials.effects import LEVEL
from serving.trials.plan import TrialPlan
from serving.trials.sentences import Interval, finding, is_better

TOO_FEW = "The numbers are too small to show; --exact shows them to those who may see the children."
DIGITS = 2  # of shares that are shown to everybody


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of a comparison.

    Attributes
    ----------
    who : str
        What made the difference, such as ``Help now``.
    interval : tuple or None
        95% interval of the difference; None if it cannot be computed.
    p : float
    few : bool
        Whether few children are behind a mean.
    """

    plan: TrialPlan
    who: str
    difference: float
    interval: Interval
    p: float
    few: bool

    @property
    def better(self) -> bool | None:
        """Whether a difference was shown, and for the better."""
        return is_better(self.plan, self.difference, self.interval, self.p)

    def conclusion(self, *, exact: bool) -> str:
        """Return what the trial says, in one sentence."""
        if self.few and not exact:
            return TOO_FEW
        return finding(
            self.plan, self.who, rounded(self.difference, exact=exact), _out(self.interval, exact), self.better
        )

    def to_dict(self, *, exact: bool) -> dict[str, Any]:
        """Return JSON-ready data; unless ``exact``, as it may be shown to anybody."""
        hidden = self.few and not exact
        interval = _out(self.interval, exact)
        ends = [end if isfinite(end) else None for end in interval or ()] or None
        return {
            "difference": None if hidden else rounded(self.difference, exact=exact),
            "interval": None if hidden else ends,
            "p": None if hidden else self.p,
            "level": LEVEL,
            "better": None if hidden else self.better,
            "conclusion": self.conclusion(exact=exact),
        }


def rounded(share: float, *, exact: bool) -> float:
    """Return a share as it is shown.

    Examples
    --------
    >>> rounded(0.12345, exact=False), rounded(0.12345, exact=True)
    (0.12, 0.12345)
    """
    return share if exact else round(share, DIGITS)


def _out(interval: Interval, exact: bool) -> Interval:
    """Return an interval as it is shown: rounded outwards."""
    if interval is None or exact:
        return interval
    scale = 10**DIGITS
    low, high = interval
    return floor(low * scale) / scale if isfinite(low) else low, ceil(high * scale) / scale if isfinite(high) else high


def is_few(values: pl.Series, *, yes_or_no: bool) -> bool:
    """Return whether a mean of some children's outcomes gives few of them away: few in all, or of outcomes yes and no, few with either."""
    yes = int(values.sum())
    return min([len(values), yes, len(values) - yes] if yes_or_no else [len(values)]) <= SMALLEST


def flow_shown(flow: Mapping[str, Any], *, exact: bool) -> dict[str, Any]:
    """Return CONSORT counts as they are shown: who was allocated is no secret, but what became of a few children is."""
    if exact:
        return dict(flow)
    arms = {
        arm: {
            **part,
            **{key: shown(part[key]) for key in ("exceptions", "erased")},
            "lost": counts_shown(part["lost"], exact=exact),
            # With the number of those allocated it would tell how few were lost.
            "analysed": shown(part["analysed"]) if part["allocated"] - part["analysed"] > SMALLEST else None,
        }
        for arm, part in flow["arms"].items()
    }
    return {**flow, "exceptions": counts_shown(flow["exceptions"], exact=exact), "arms": arms}


def status_shown(status: Mapping[str, Any], *, exact: bool) -> dict[str, Any]:
    """Return what ``serving.trials.trial.status`` counts as it is shown: what the analysis hides of a few children, no earlier look gives away."""
    if exact:
        return dict(status)
    arms = {arm: {**part, "exceptions": shown(part["exceptions"])} for arm, part in status["arms"].items()}
    return {**status, "exceptions": counts_shown(status["exceptions"], exact=exact), "arms": arms}


def counts_shown(counts: Mapping[str, int], *, exact: bool) -> Mapping[str, int | None]:
    """Return counts by reason as they are shown; zero is hidden as well as one."""
    return counts if exact else {why: shown(n) for why, n in counts.items()}


def flow_lines(flow: Mapping[str, Any]) -> list[str]:
    """Return CONSORT counts, as ``flow_shown`` gives them, as text: of all, and of each arm."""
    lines = [f"assessed {flow['assessed']:,}, not eligible {flow['not_eligible']:,}, allocated {flow['allocated']:,}"]
    for arm, part in flow["arms"].items():
        lost = ", ".join(f"{count_text(n)} {why.replace('_', ' ')}" for why, n in part["lost"].items()) or "none"
        lines.append(
            f"{arm.replace('_', ' ')}: {part['allocated']:,} children in {part['units']:,} units; exceptions {count_text(part['exceptions'])}; "
            f"erased since {count_text(part['erased'])}; lost: {lost}; analysed {count_text(part['analysed'])}"
        )
    return lines


def count_text(count: int | None) -> str:
    """Return a count that may be hidden."""
    return HIDDEN if count is None else f"{count:,}"


def conclusion_line(figures: Mapping[str, Any], test: str) -> str:
    """Return the conclusion of ``Figures.to_dict`` as a line, with p of a test unless it is hidden."""
    return str(figures["conclusion"]) + (f" p = {figures['p']:.3f}, {test}" if figures["p"] is not None else "")

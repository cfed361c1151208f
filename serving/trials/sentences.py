"""What an analysis says in words: of which outcome a difference is, whether it is for better or worse, and what to doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from histories.io.quantities import quantity
from serving.store.trials.trials import Registered
from serving.trials.effects import LEVEL
from serving.trials.plan import TrialPlan


@dataclass(frozen=True, kw_only=True)
class Direction:
    """An outcome in words.

    Attributes
    ----------
    what : str
        Of which share a difference is.
    more, less : str
        What a positive and a negative difference mean.
    good : int
        The sign of a difference for the better.
    """

    what: str
    more: str
    less: str
    good: int


NO_INTERVAL = "no interval can be computed: an arm has fewer than two units"
OUTCOMES = {
    "contact": Direction(
        what="the share of children with whom, or with whose parents, somebody spoke",
        more="more were spoken to",
        less="fewer were spoken to",
        good=1,
    ),
    "attendance": Direction(
        what="the share of sessions attended", more="attendance was higher", less="attendance was lower", good=1
    ),
    "missing": Direction(
        what="the share of children who went missing", more="more went missing", less="fewer went missing", good=-1
    ),
}


Interval = tuple[float, float] | None


def is_better(plan: TrialPlan, difference: float, interval: Interval, p: float) -> bool | None:
    """Return whether a shown difference is for the better; None if none was shown.

    It is shown if the test says so and the interval does not hold none: with very unequal arms the two can differ.
    """
    is_shown = p <= LEVEL and difference and (interval is None or not interval[0] <= 0 <= interval[1])
    return difference * OUTCOMES[plan.outcome].good > 0 if is_shown else None


def finding(plan: TrialPlan, who: str, difference: float, interval: Interval, better: bool | None) -> str:
    """Return what a trial says, in one sentence that names the outcome and whether the difference is for better or worse.

    Parameters
    ----------
    who : str
        What made the difference, such as ``Help now``.
    interval : tuple or None
        Of the difference; None if it cannot be computed.
    better : bool or None
        See ``is_better``, which goes by exact figures; those here may be rounded.
    """
    outcome = OUTCOMES[plan.outcome]
    limits = "{:+.3f} to {:+.3f}".format(*interval) if interval else NO_INTERVAL
    if better is None:
        return f"No difference was shown in {outcome.what}: {difference:+.3f} ({limits}). That is not a proof of none."
    came = outcome.more if difference > 0 else outcome.less
    verdict = "that is better" if better else "that is worse: harm, not help"
    return f"{who} made a difference of {difference:+.3f} ({limits}) to {outcome.what}: {came}, and {verdict}."


def stopped_of(known: Registered) -> dict[str, Any] | None:
    """Return ``day`` and ``reason`` of a trial that was stopped before its end; None of any other."""
    return {key: known.stopped[key] for key in ("day", "reason")} if known.stopped else None


def stopped_lines(plan: TrialPlan, stopped: dict[str, Any] | None) -> list[str]:
    """Return what it means that a trial was stopped early; nothing if it was not."""
    if stopped is None:
        return []
    until = {
        "missing": "Who went missing is counted over the list's whole window, in which all could be helped since",
        "wedge": "Only the periods that were whole by then count",
    }.get(plan.outcome if plan.outcome == "missing" else plan.arms, "Outcomes count until then")
    return [
        f"Stopped early, on {stopped['day']}: {stopped['reason']}",
        f"{until}. It has less power than was planned, so that no difference says even less. If it was stopped because of what was seen, "
        "the difference looks larger than it is, and p and the interval do not hold.",
    ]


def earlier_lines(earlier: int) -> list[str]:
    """Return what to say if a trial was analysed before."""
    return [f"It was analysed {quantity(earlier, 'time')} before: the plan allows one analysis."] if earlier else []


def never_started_lines(names: Sequence[str]) -> list[str]:
    """Return what to say about plans that were registered before a trial and never started; nothing if there were none."""
    if not names:
        return []
    return [
        f"{quantity(len(names), 'plan')} of this authority registered before and never started: {', '.join(names)}. "
        "Each had another lot: whoever starts only the one that suits makes chance look like an effect."
    ]

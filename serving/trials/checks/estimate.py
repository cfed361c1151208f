"""What was found below the cut: how many needed help by what workers recorded, and how many went missing by the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from features.groups.disclosure import HIDDEN, SMALLEST, rounded, shown
from histories.io.quantities import quantity
from serving.store.trials.checks import RegisteredChecks
from serving.trials.checks.estimates import Stratum, at_most, bounds, shareable, total
from serving.trials.checks.plan import ChecksPlan
from serving.trials.figures import counts_shown
from training.measures.intervals import Interval

NOTES = (
    "The lot drew the children, whatever their score: each stands for as many as were not drawn, by its chance.",
    "The first interval takes those of whom nothing is known to be like the others of their band; the second assumes nothing about them.",
    "A check can itself help, or bring to light what nobody would have recorded; compare those who were drawn with those who were not.",
    "Children below the cut whom somebody looks at anyway were not drawn and are not in the estimate.",
)


@dataclass(frozen=True, kw_only=True)
class Found:
    """One question about the children below the cut.

    Attributes
    ----------
    what : str
        ``needed_help`` or ``went_missing``.
    strata : list of Stratum
        By band.
    drawn : list of int
        How many the lot drew, by band; children erased since are among them.
    """

    what: str
    strata: list[Stratum]
    drawn: list[int]

    def to_dict(self, *, exact: bool) -> dict[str, Any]:
        """Return JSON-ready data; unless ``exact``, as it may be shown to anybody: small numbers hidden, others rounded."""
        drawn, known = sum(self.drawn), sum(s.known for s in self.strata)
        yes, size = sum(s.yes for s in self.strata), sum(s.size for s in self.strata)
        if exact:
            found, free = total(self.strata), bounds(self.strata, self.drawn)
            at: dict[str, Any] = {"drawn": drawn, "known": known, "yes": yes, "children": size, "at_most": None}
        else:
            found, free = shareable(self.strata), None
            at = {key: shown(n) for key, n in (("drawn", drawn), ("known", known), ("children", size))}
            at |= {"yes": rounded(yes) if found else None, "at_most": self._most() if found is None else None}
        interval = {
            "estimate": found.to_dict() if found else None,
            "without_assumption": free.to_dict() if free else None,
        }
        return {**at, **interval}

    def of_others(self, *, exact: bool) -> dict[str, Any]:
        """Return the same of the children not drawn: ``went_missing`` and ``known`` as counts, and ``estimate``, weighted by band, as of those drawn."""
        yes, known = sum(s.yes for s in self.strata), sum(s.known for s in self.strata)
        found = total(self.strata) if exact else shareable(self.strata)
        counts = (yes, known) if exact else (shown(yes), shown(known))
        return {"went_missing": counts[0], "known": counts[1], "estimate": found.value if found else None}

    def _most(self) -> float | None:
        """Return the most children that a small number can stand for; None if not the number of yes is small, or nothing is known of a band."""
        few = sum(s.yes for s in self.strata) <= SMALLEST and all(s.known or not s.size for s in self.strata)
        return at_most(self.strata) if few else None


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Missed need below the cut of a list.

    Attributes
    ----------
    needed_help : Found
    went_missing : Found or None
        None while the window of the list is not known.
    known_from : str
        Why it is not known; "" if it is.
    recorded : Found or None
        Which of the children whom the lot could draw and did not went missing by the records, weighted by band as those drawn are; None if
        that is not known, or it is not known who could be drawn.
    erased : int
        Drawn children who were erased since.
    """

    plan: ChecksPlan
    registered: RegisteredChecks
    needed_help: Found
    went_missing: Found | None
    known_from: str
    recorded: Found | None
    erased: int

    def to_dict(self, *, exact: bool) -> dict[str, Any]:
        """Return JSON-ready data without any child; unless ``exact``, as it may be shown to anybody."""
        excluded = self.registered.excluded
        return {
            "name": self.plan.name,
            "question": self.plan.question,
            "plan": self.registered.digest,
            "as_of": str(self.plan.as_of),
            "cut": self.plan.cut,
            "bands": [
                {"children": size if exact else shown(size), "drawn": n}
                for size, n in zip(self.registered.sizes, self.needed_help.drawn, strict=True)
            ],
            "excluded": counts_shown(excluded, exact=exact),
            "needed_help": self.needed_help.to_dict(exact=exact),
            "went_missing": self.went_missing.to_dict(exact=exact) if self.went_missing else None,
            "not_known_yet": self.known_from or None,
            "not_drawn": self.recorded.of_others(exact=exact) if self.recorded else None,
            "erased": self.erased if exact else shown(self.erased),
            "estimated_before": self.registered.estimated,
            "notes": list(NOTES),
        }

    def text(self, *, exact: bool) -> str:
        """Return the estimate as text."""
        data = self.to_dict(exact=exact)
        lines = [self.plan.question, f"below the first {self.plan.cut:,} of the list of {self.plan.as_of}:"]
        lines += [_line("needed help, by what workers recorded", data["needed_help"])]
        if data["went_missing"]:
            lines.append(_line("went missing, by the records of those drawn", data["went_missing"]))
            lines.append(
                f"went missing, by the records of those who could be drawn and were not: {_others(data['not_drawn'])}"
            )
        else:
            lines.append(f"went missing: {self.known_from}")
        if self.registered.estimated:
            lines.append(f"It was estimated {quantity(self.registered.estimated, 'time')} before.")
        return "\n".join([*lines, *NOTES])


def _line(what: str, found: Mapping[str, Any]) -> str:
    counts = f"{_count(found['yes'])} of {_count(found['known'])} known, {_count(found['drawn'])} drawn of {_count(found['children'])}"
    if found["estimate"]:
        free = found["without_assumption"]
        more = f"; {_range(free)} without an assumption about those not known" if free else ""
        return f"{what}: about {found['estimate']['value']:,.0f} ({_range(found['estimate'])}{more}); {counts}"
    if found["at_most"] is not None:
        return f"{what}: at most {found['at_most']:,.0f}; {counts}"
    return f"{what}: no estimate can be shown; {counts}"


def _others(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "not known: the list was removed, or the plan is from before the audit named who could be drawn"
    about = f"about {found['estimate']:,.0f}; " if found["estimate"] is not None else ""
    return f"{about}{_count(found['went_missing'])} of {_count(found['known'])}"


def _range(interval: Mapping[str, float]) -> str:
    return f"{interval['low']:,.0f} to {interval['high']:,.0f}"


def _count(number: int | None) -> str:
    return HIDDEN if number is None else f"{number:,}"


def found_of(what: str, registered: RegisteredChecks, drawn: pl.DataFrame, answers: Mapping[str, bool]) -> Found:
    """Return what is known of the drawn children.

    Parameters
    ----------
    drawn : polars.DataFrame
        ``pupil_id, band`` of those who have not been erased.
    answers : mapping
        Of the children of whom it is known.
    """
    strata = []
    for band, size in enumerate(registered.sizes):
        known = [answers[p] for p in drawn.filter(pl.col("band") == band)["pupil_id"] if p in answers]
        strata.append(Stratum(size=size, known=len(known), yes=sum(known)))
    return Found(what=what, strata=strata, drawn=list((registered.drawn or {})["children"]))


def precision(sizes: list[int], checks: tuple[int, ...]) -> Interval:
    """Return what the estimate would say if none of the drawn children needed help: the least that the checks can tell."""
    found = total([Stratum(size=size, known=n, yes=0) for size, n in zip(sizes, checks, strict=True)])
    if found is None:
        raise ValueError("a band without checks")
    return found

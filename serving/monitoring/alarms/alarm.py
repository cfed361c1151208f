"""An alarm: a declared rule over what monitoring measured. Input that is absent leaves it not judged, and that is reported too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from math import log
from typing import Any, Literal, TypeAlias, TypeVar

from histories.calendar import london_minute
from histories.errors import Fault
from serving.monitoring.evidence import Evidence

T = TypeVar("T")
Limits: TypeAlias = Mapping[str, Any]
FARTHEST = 20.0  # a ratio farther from 1, such as 0, counts as this
LARGEST = 1000.0  # any size; a feature that never varied may shift by an infinite number of standard deviations
FEW = "too few children were expected to go missing on these lists; with more 'most_days' more lists are looked at"
STANDARD = "last year is no standard, since these weeks of it were faulty too"


class NotJudged(Exception):
    """The rule cannot be applied; the message says why."""


@dataclass(frozen=True)
class Raised:
    """One reason for which an alarm is up.

    Attributes
    ----------
    what : str
        A plain sentence with the figures; never about a single child.
    where : str
        The version, list, authority, school, table or features concerned.
    parts : mapping
        What it consists of, each with its size: the direction, the figure or the features. An acknowledgement is of these parts: another one, or one
        that is much larger, is another event.
    place : str
        Stands for ``where`` in acknowledgements, if ``where`` does not stay the same while the event lasts.
    """

    what: str
    where: str
    parts: Mapping[str, float]
    place: str = ""

    @property
    def of(self) -> str:
        """What names the place as long as the event lasts."""
        return self.place or self.where


@dataclass(frozen=True)
class Unjudged:
    """A place at which the rule cannot be applied, while it is at others; ``NotJudged`` is of all places.

    Attributes
    ----------
    why, place : str
        As ``what`` and ``place`` of ``Raised``.
    """

    why: str
    place: str


def in_places(whole: T, of_each: Mapping[str, T]) -> dict[str, T]:
    """Return figures by the place that a message names: of all together under "", and of each authority if there are several.

    Examples
    --------
    >>> in_places(3, {"801": 1, "": 2})
    {'': 3, ', authority 801': 1, ', authority unknown': 2}
    """
    return {"": whole} | {f", authority {a or 'unknown'}": of for a, of in of_each.items()}


def apart(ratio: float, of: str = "") -> dict[str, float]:
    """Return the part of an event that says how far a ratio is from 1, and in which direction.

    Examples
    --------
    >>> {name: round(size, 2) for name, size in apart(2.0, "calibration").items()}
    {'calibration more': 0.69}
    >>> {name: round(size, 2) for name, size in apart(0.0).items()}
    {'less': 3.0}
    """
    size = log(min(max(ratio, 1 / FARTHEST), FARTHEST))
    return {f"{of} {'more' if size > 0 else 'less'}".strip(): abs(size)}


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """Who has seen an alarm, when, and what they make of it."""

    by: str
    at: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class AlarmResult:
    """The result of an alarm's check.

    Attributes
    ----------
    state : {"up", "quiet", "not_judged"}
    what, where, parts, place
        Of an alarm that is up, see ``Raised``; ``what`` also says why an alarm is not judged, ``where`` and ``place`` at which place if not everywhere.
    since : date
        The day from which the rule holds.
    acknowledged : Acknowledgement or None
        The newest one of an alarm that is up.
    """

    code: str
    title: str
    state: Literal["up", "quiet", "not_judged"]
    since: date
    what: str = ""
    where: str = ""
    do: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)
    place: str = ""
    acknowledged: Acknowledgement | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return asdict(self)

    def __str__(self) -> str:
        text = str(Fault(f"{self.title}: {self.what}", self.where, self.do, self.code))
        seen = self.acknowledged
        return f"{text}\n    Acknowledged by {seen.by} at {london_minute(seen.at)}: {seen.reason}" if seen else text


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """A declared rule.

    Attributes
    ----------
    code : str
        Stable, such as ``A001``; the file is named after it, and its limits in ``limits.toml``.
    title : str
        What is wrong when it is up.
    reason : str
        Why it matters.
    do : str
        What to do when it is up.
    since : date
        The day from which the rule holds in this form.
    check : callable
        Takes ``Evidence`` and the alarm's limits; returns the reasons for which it is up and the places at which it cannot be judged, or raises
        ``NotJudged`` if that is so everywhere.
    compares_years : bool
        Whether it compares with the same weeks a year before. Where it would have been up then, that year is no standard: the alarm is not
        judged there, so that no fault falls silent because it has lasted for a year.
    """

    code: str
    title: str
    reason: str
    do: str
    since: date
    check: Callable[[Evidence, Limits], Iterable[Raised | Unjudged]]
    compares_years: bool = False

    def results(self, evidence: Evidence, limits: Limits) -> list[AlarmResult]:
        """Return one result for each reason for which it is up and each place at which it is not judged, or one that says that it is quiet or not judged."""
        base = AlarmResult(code=self.code, title=self.title, since=self.since, state="quiet")
        everywhere: list[AlarmResult] = []
        try:
            found = list(self.check(evidence, limits))
        except NotJudged as why:
            found, everywhere = [], [replace(base, state="not_judged", what=str(why))]
        raised = [r for r in found if isinstance(r, Raised)]
        faulty = self._faulty_a_year_before(evidence, limits)
        up = [r for r in raised if r.of not in faulty or not _turned(r, faulty[r.of])]
        left = [faulty[place] for place in faulty.keys() - {r.of for r in up}]
        not_judged = [
            replace(base, state="not_judged", what=f"{STANDARD}: {r.what}", where=r.where, place=r.of)
            for r in sorted(left, key=lambda r: r.of)
        ]
        not_judged += [
            replace(base, state="not_judged", what=r.why, where=r.place, place=r.place)
            for r in found
            if isinstance(r, Unjudged) and r.place not in faulty
        ]
        return [*(_up(base, r, self.do) for r in up), *not_judged, *everywhere] or [base]

    def _faulty_a_year_before(self, evidence: Evidence, limits: Limits) -> dict[str, Raised]:
        """Return why the alarm would have been up in the same weeks a year before, by place."""
        then = evidence.a_year_before() if self.compares_years else None
        try:
            raised = self.check(then, limits) if then else ()
            return {r.of: r for r in raised if isinstance(r, Raised)}
        except NotJudged:
            return {}


def _up(base: AlarmResult, raised: Raised, do: str) -> AlarmResult:
    parts = {name: round(min(size, LARGEST), 3) for name, size in raised.parts.items()}
    return replace(base, state="up", what=raised.what, where=raised.where, do=do, parts=parts, place=raised.of)


def _turned(now: Raised, then: Raised) -> bool:
    """Return whether something went the other way than a year before: what is mended looks like a jump."""
    return bool({_turned_part(part) for part in now.parts} & then.parts.keys())


def _turned_part(part: str) -> str:
    turned = {"more": "less", "less": "more"}
    return " ".join(turned.get(word, word) for word in part.split(" "))

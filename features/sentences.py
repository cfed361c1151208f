"""Sentences about a feature: which one is true of a child's values, and how numbers and spans of time are written.

A feature lists its sentences with the values for which each is true and worth reading. Whether a feature moved a score up or down
never changes the words: it only decides whether a strain or a strength may appear on that side.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

Tone = Literal["strain", "strength", "fact"]
Condition = tuple[
    str, Literal["<", ">", "=", "!="], str | float
]  # a value, and the number or the other value that it is compared with

COUNTED = re.compile(
    r"\b(\d+)((?: [A-Za-z]+)*? [A-Za-z]+)\((s|ren)\)"
)  # `time(s)` and `child(ren)` agree with their number
FIELD = re.compile(r"\{[^}]*\}")
WEEK, MONTH, LONG_YEAR = 7, 30.44, 366  # days
IN_DAYS, IN_WEEKS, IN_MONTHS = 14, 70, 2 * 366  # spans below so many days are written in this unit
YEAR = 366  # days within which an event counts as recent
LONG_AGO = IN_MONTHS  # days from which a span is written in completed years only
LOW_ABSENCE, HIGH_ABSENCE = 0.06, 0.10  # shares of sessions: below what is usual in England, and persistent absence
COMPARE = {"<": operator.lt, ">": operator.gt, "=": operator.eq, "!=": operator.ne}
WINDOWS = {14: "two weeks", 28: "four weeks", 56: "eight weeks", 84: "twelve weeks", 365: "year", 730: "two years"}


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A sentence about a feature, and the values for which it is shown.

    Attributes
    ----------
    text : str
        A template over features and tallies. ``:ago`` and ``:span`` write days in words, ``:times`` a count, ``:whole`` a number without its
        fraction, ``:portion`` a share and ``:share`` the share of a noun in the plural; ``time(s)`` agrees with its number.
    tone : {"strain", "strength", "fact"}
        A strain is never shown for what lowers a score, a strength never for what raises it; a fact may appear on either side.
    at_least, below : float, optional
        Range of the feature's values for which it is shown.
    when : sequence of (str, "<", ">", "=" or "!=", str or float)
        Further conditions on values.
    leads : bool
        Whether it may open a reason while another sentence of the theme can.
    """

    text: str
    tone: Tone = "fact"
    at_least: float | None = None
    below: float | None = None
    when: tuple[Condition, ...] = ()
    leads: bool = True

    def is_true(self, value: float | None, values: Mapping[str, float | None]) -> bool:
        """Return whether it is true of a feature's value, given a child's other values."""
        if value is None or (self.at_least is not None and value < self.at_least):
            return False
        if self.below is not None and value >= self.below:
            return False
        return all(_holds(condition, values) for condition in self.when)

    def may_appear(self, raises: bool) -> bool:
        """Return whether it may appear among what raises, or what lowers, a score."""
        return self.tone != ("strength" if raises else "strain")


def strain(text: str, at_least: float | None = None, below: float | None = None, *when: Condition) -> Sentence:
    """Return a sentence about something that weighs on a child; never shown for what lowers a score."""
    return Sentence(text=text, tone="strain", at_least=at_least, below=below, when=when)


def strength(text: str, at_least: float | None = None, below: float | None = None, *when: Condition) -> Sentence:
    """Return a sentence about something that goes well; never shown for what raises a score."""
    return Sentence(text=text, tone="strength", at_least=at_least, below=below, when=when)


def fact(text: str, at_least: float | None = None, below: float | None = None, *when: Condition) -> Sentence:
    """Return a sentence that may appear on either side."""
    return Sentence(text=text, at_least=at_least, below=below, when=when)


def counted_in_all(did: str, name: str, newest: str) -> tuple[Sentence, ...]:
    """Return the sentences about how often something has ever happened, which always say when it last did.

    Parameters
    ----------
    did : str
        What happened, such as ``"Suspended"``.
    name : str
        The feature that counts it.
    newest : str
        The feature or tally with the days since it last happened.
    """
    once = f"{did} {{{name}:times}}, {{{newest}:ago}}"
    more = f"{did} {{{name}:times}}, the last time {{{newest}:ago}}"
    return *past(once, newest, at_least=1, below=2), *past(more, newest, at_least=2)


def past(text: str, newest: str, *when: Condition, at_least: float, below: float | None = None) -> tuple[Sentence, ...]:
    """Return a strain about what last happened ``newest`` days ago: from two years on it opens no reason while another sentence can."""
    recent = strain(text, at_least, below, *when, (newest, "<", LONG_AGO))
    return recent, replace(recent, when=(*when, (newest, ">", LONG_AGO - 1)), leads=False)


def default_sentences(name: str, raises: str, lowers: str) -> tuple[Sentence, ...]:
    """Return the sentences of a feature that has two templates only: one for a value other than zero, one for zero."""
    return (
        Sentence(text=raises, when=((name, ">", 0),)),
        Sentence(text=raises, when=((name, "<", 0),)),
        Sentence(text=lowers, tone="strength", when=((name, "=", 0),)),
    )


def true_sentences(
    name: str, sentences: Sequence[Sentence], values: Mapping[str, float | None], raises: bool | None = None
) -> Iterator[tuple[Sentence, str]]:
    """Yield the sentences that are true of a child, filled in.

    Parameters
    ----------
    name : str
        The feature.
    values : mapping
        The child's features and tallies; None where missing.
    raises : bool, optional
        Restricts them to sentences allowed on one side of a score.
    """
    for sentence in sentences:
        if (raises is None or sentence.may_appear(raises)) and sentence.is_true(values.get(name), values):
            text = filled(sentence.text, values)
            if text is not None:
                yield sentence, text


def filled(template: str, values: Mapping[str, float | None]) -> str | None:
    """Return a sentence with its values, or None when one of them is missing.

    Examples
    --------
    >>> filled("Moved {moves:.0f} time(s)", {"moves": 2.0}), filled("Moved {days:ago}", {"days": 21.0})
    ('Moved 2 times', 'Moved 3 weeks ago')
    >>> filled("Moved {moves:.0f} time(s)", {"moves": None}) is None
    True
    """
    try:
        sentence = template.format_map(_Figures(values))
    except (KeyError, ValueError):
        return None
    return agreed(sentence)


def could_say(template: str, text: str) -> bool:
    """Return whether a sentence could come from a template.

    Examples
    --------
    >>> could_say("Moved {moves:.0f} time(s)", "Moved 2 times"), could_say("Moved {moves:.0f} time(s)", "Moved home")
    (True, False)
    """
    return _pattern(template).fullmatch(text) is not None


@cache
def _pattern(template: str) -> re.Pattern[str]:
    pattern = "(.+?)".join(re.escape(part) for part in FIELD.split(template))
    return re.compile(re.sub(r"\\\((s|ren)\\\)", r"(\1)?", pattern))


def agreed(text: str) -> str:
    """Make nouns agree with the numbers before them.

    Examples
    --------
    >>> agreed("1 school day(s), 2 other child(ren), 0 of 1 session(s)")
    '1 school day, 2 other children, 0 of 1 session'
    """
    return COUNTED.sub(lambda m: f"{m[1]}{m[2]}{'' if m[1] == '1' else m[3]}", text)


def unfilled(template: str) -> str:
    """Return a sentence with its values left open.

    Examples
    --------
    >>> unfilled("Missed {absent_rate_90d:.0%} of sessions")
    'Missed … of sessions'
    >>> unfilled("Suspended {suspensions_all:times}, {newest_suspension:ago}")
    'Suspended …'
    """
    return FIELD.sub("…", template).removesuffix(", …")


def span(days: float) -> str:
    """Write a span of days in words; from two years on in completed years.

    Examples
    --------
    >>> span(1), span(13), span(20), span(200), span(2781)
    ('1 day', '13 days', '3 weeks', '7 months', 'more than 7 years')
    """
    if days < 0:
        raise ValueError("a span of days is not negative: what is still ahead has no sentence")
    if days < IN_DAYS:
        return agreed(f"{days:.0f} day(s)")
    if days < IN_WEEKS:
        return f"{days / WEEK:.0f} weeks"
    if days < IN_MONTHS:
        return f"{days / MONTH:.0f} months"
    return f"more than {days // LONG_YEAR:.0f} years"


def ago(days: float) -> str:
    """Write how long ago something happened.

    Examples
    --------
    >>> ago(0), ago(1), ago(20)
    ('today', 'yesterday', '3 weeks ago')
    """
    return {0: "today", 1: "yesterday"}.get(int(days), f"{span(days)} ago")


def times(count: float) -> str:
    """Write how often something happened.

    Examples
    --------
    >>> times(1), times(2), times(3)
    ('once', 'twice', '3 times')
    """
    return {1: "once", 2: "twice"}.get(round(count), f"{count:.0f} times")


def whole(number: float) -> str:
    """Write a number without its fraction, for "at least".

    Examples
    --------
    >>> whole(35.9), whole(36)
    ('35', '36')
    """
    return f"{math.floor(number)}"


def portion(share: float) -> str:
    """Write a share, so that only nothing is none and only everything is all.

    Examples
    --------
    >>> portion(0), portion(0.001), portion(0.07), portion(0.998), portion(1)
    ('none', 'under 1%', '7%', 'over 99%', 'all')
    """
    if share in (0, 1):
        return "all" if share else "none"
    return {0: "under 1%", 100: "over 99%"}.get(round(100 * share), f"{share:.0%}")


def share_of(share: float) -> str:
    """Write a share of a noun in the plural.

    Examples
    --------
    >>> share_of(0), share_of(0.07), share_of(1)
    ('none of the', '7% of', 'all')
    """
    return {"none": "none of the", "all": "all"}.get(portion(share), f"{portion(share)} of")


def in_a_thousand(share: float) -> str:
    """Write a small share as a number in a thousand.

    Examples
    --------
    >>> in_a_thousand(0.0087), in_a_thousand(0.0002)
    ('9 in 1,000', 'fewer than 1 in 1,000')
    """
    return f"{1000 * share:.0f} in 1,000" if share >= 0.001 else "fewer than 1 in 1,000"


def per_hundred(rate: float) -> str:
    """Write a rate for each child as a number for a hundred children.

    Examples
    --------
    >>> per_hundred(0.26)
    '26'
    """
    return f"{100 * rate:.0f}"


def last_days(days: int) -> str:
    """Write the days that a feature looks back: whole weeks and years in words.

    Examples
    --------
    >>> last_days(28), last_days(90), last_days(365)
    ('the last four weeks', 'the last 90 days', 'the last year')
    """
    return f"the last {WINDOWS.get(days, f'{days} days')}"


WORDED = {
    "ago": ago,
    "span": span,
    "times": times,
    "whole": whole,
    "portion": portion,
    "share": share_of,
    "in_1000": in_a_thousand,
    "per_100": per_hundred,
}


class _Figure(float):
    """A value that can also be written in words; see ``WORDED``."""

    def __format__(self, spec: str) -> str:
        return WORDED[spec](float(self)) if spec in WORDED else super().__format__(spec)


class _Figures:
    """The values as figures, each made when a template names it: a child has hundreds, and a sentence names one or two."""

    def __init__(self, values: Mapping[str, float | None]) -> None:
        self.values = values

    def __getitem__(self, name: str) -> _Figure:
        value = self.values[name]
        if not isinstance(value, int | float):
            raise KeyError(name)
        return _Figure(value)


def _holds(condition: Condition, values: Mapping[str, float | None]) -> bool:
    name, sign, other = condition
    left, right = values.get(name), values.get(other) if isinstance(other, str) else other
    return left is not None and right is not None and COMPARE[sign](left, right)

"""A risk in words, the same wherever it is said: how many of how many went missing when tested, and by which day that would be here.

People read "of 10, about 3" better than a percentage (Gigerenzer and Hoffrage 1995). The denominator is the smallest for which about one went missing;
from 2 in 7 on it is 10.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

TEN = 10
MIN_IN_TENTHS = 2 / 7  # a risk from which "1 of n" would be more than an eighth off
ROUNDING = 1e-9  # 0.3 of 10 is 3, not 3.0000000000000004
MAX_EXACT = 100  # larger denominators have two significant figures


@dataclass(frozen=True, kw_only=True)
class ChanceWords:
    """The words of one language; ``day`` writes a date."""

    like_this: str
    like_these: str
    about: str
    more_than: str
    less_than: str
    tested: str
    between: str
    up_to: str
    until: str
    day: Callable[[date], str]


def _day(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"


ENGLISH = ChanceWords(
    like_this="Of {of} like this, {about}",
    like_these="Of {of} like these, {about}",
    about="about {n}",
    more_than="more than {n}",
    less_than="fewer than {n}",
    tested="{chance} went missing when tested.",
    between="It could have been between {low} and {high}.",
    up_to="It could have been none, or up to {high}.",
    until="Here that means by {day}.",
    day=_day,
)


def last_day(as_of: date, horizon_days: int) -> date:
    """Return the last day of the time that a risk is about: the window ``[as_of, as_of + horizon_days)`` ends before the day behind it."""
    return as_of + timedelta(days=horizon_days - 1)


def chance(share: float, of: int | None = None, words: ChanceWords = ENGLISH) -> str:
    """Say a risk as one number of another.

    Parameters
    ----------
    share : float
        A risk, or the share of a list that went missing.
    of : int, optional
        The length of a list; by default the risk is that of one child.
    words : ChanceWords

    Examples
    --------
    >>> [chance(risk) for risk in (0.0008, 0.083, 0.4, 0.96)]
    ['Of 1,200 like this, about 1', 'Of 12 like this, about 1', 'Of 10 like this, about 4', 'Of 10 like this, more than 9']
    >>> chance(0.17, of=8), chance(0.02, of=8)
    ('Of 8 like these, about 1', 'Of 8 like these, fewer than 1')
    """
    if of is not None:
        return words.like_these.format(of=f"{of:,}", about=_about(share * of, words))
    if share >= MIN_IN_TENTHS:
        tenths = round(TEN * share)
        about = words.about.format(n=tenths) if tenths < TEN else words.more_than.format(n=TEN - 1)
        return words.like_this.format(of=TEN, about=about)
    return words.like_this.format(of=f"{_denominator(share):,}", about=words.about.format(n=1))


def sureness(
    share: float,
    limits: tuple[float, float] | None,
    until: date | None = None,
    *,
    of: int | None = None,
    words: ChanceWords = ENGLISH,
) -> str:
    """Say a risk, its 95% interval, and the day by which it would be.

    Parameters
    ----------
    share : float
    limits : tuple of float, optional
    until : date, optional
        See ``last_day``.
    of : int, optional
        As in ``chance``.
    words : ChanceWords

    Examples
    --------
    >>> sureness(0.4, (0.2, 0.6), date(2025, 5, 13))
    'Of 10 like this, about 4 went missing when tested. It could have been between 2 and 6. Here that means by 13 May 2025.'
    >>> sureness(0.4, None, of=8)
    'Of 8 like these, about 3 went missing when tested.'
    >>> sureness(0.005, (0.001, 0.011))
    'Of 200 like this, about 1 went missing when tested. It could have been none, or up to 3.'
    """
    sentences = [words.tested.format(chance=chance(share, of, words))]
    if limits is not None:
        among = of or (TEN if share >= MIN_IN_TENTHS else _denominator(share))
        low, high = math.floor(limits[0] * among + ROUNDING), math.ceil(limits[1] * among - ROUNDING)  # outwards
        between = words.between if low else words.up_to
        sentences.append(between.format(low=f"{low:,}", high=f"{max(high, 1):,}"))
    if until is not None:
        sentences.append(words.until.format(day=words.day(until)))
    return " ".join(sentences)


def _denominator(share: float) -> int:
    number = round(1 / max(share, 1e-9))
    if number <= MAX_EXACT:
        return number
    return int(float(f"{number:.2g}"))


def _about(number: float, words: ChanceWords) -> str:
    text = _number(number, words)
    return text if round(number) < 1 else words.about.format(n=text)


def _number(number: float, words: ChanceWords) -> str:
    return f"{round(number):,}" if round(number) >= 1 else words.less_than.format(n=1)

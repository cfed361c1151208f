"""Sentences about the marks in a window: counts, shares, and the share from which each is worth a sentence."""

from __future__ import annotations

from dataclasses import replace

from features.sentences import LOW_ABSENCE, Condition, Sentence, strain, strength

FEW_SESSIONS = 20  # two weeks of marks, the least that supports a sentence about what goes well
LEADING = ("unauthorised", "no_reason", "holiday")  # kinds of absence that may open a reason


def rate_name(measure: str, window: int | str) -> str:
    """Return the name of a rate of absence."""
    return f"{measure}_rate_{window}" + ("" if window == "year" else "d")


def period(window: int | str) -> str:
    """Return a window in words."""
    return "this school year" if window == "year" else f"the last {window} days"


def shares(measure: str, window: int | str, words: str) -> str:
    """Return a template with the sessions of a kind, all sessions, and the share."""
    share = f"{{{rate_name(measure, window)}:.0%}}"
    return f"{words} {{{measure}_{window}:.0f}} of {{possible_{window}:.0f}} session(s) in {period(window)} ({share})"


def missed(window: int | str) -> tuple[Sentence, ...]:
    """Return the sentences about the share missed in a window; the short one is for scores that store only the share."""
    text = shares("absent", window, "Missed")
    short = f"Missed {{{rate_name('absent', window)}:.0%}} of sessions in {period(window)}"
    enough: Condition = (f"possible_{window}", ">", FEW_SESSIONS)
    return strain(text, LOW_ABSENCE), strain(short, LOW_ABSENCE), strength(text, 0, LOW_ABSENCE, enough)


def kind_of_mark(measure: str, window: int | str, words: str, none: str, from_share: float) -> tuple[Sentence, ...]:
    """Return the sentences about one kind of mark; only the kinds in ``LEADING`` may open a reason."""
    enough: Condition = (f"possible_{window}", ">", FEW_SESSIONS)
    short = f"{words} {{{rate_name(measure, window)}:.0%}} of sessions in {period(window)}"
    some = Sentence(text=shares(measure, window, words), tone="strain", at_least=from_share, leads=measure in LEADING)
    return some, replace(some, text=short), strength(f"{none} in {period(window)}", 0, 1e-9, enough)

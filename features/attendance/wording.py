"""Sentences about the marks in a window: counts, shares, and the share from which each is worth a sentence."""

from __future__ import annotations

from dataclasses import replace

from features.sentences import HIGH_ABSENCE, LOW_ABSENCE, WINDOWS, Condition, Sentence, last_days, strain, strength

FEW_SESSIONS = 19  # below two weeks of marks, which is too few for a sentence about what goes well
SOME, OFTEN = 0.02, 0.10  # shares of sessions from which a kind of mark is worth a sentence
CHANGED = 0.05  # a change of the share missed that is worth a sentence
WORDS = {
    "absent": "Missed",
    "unauthorised": "Absent without permission or with no reason yet for",
}  # by the Regulations N counts too
# The periods before the newest, of which the share is a feature of its own.
BEFORE = (("absent", 28, 84), ("absent", 90, 180), ("unauthorised", 28, 84), ("unauthorised", 180, 365))
BETWEEN = {(28, 84): "four and twelve weeks", (90, 180): "90 and 180 days", (180, 365): "180 days and a year"}
LEADING = ("unauthorised", "no_reason", "holiday")  # kinds of absence that may open a reason


def rate_name(measure: str, window: int | str) -> str:
    """Return the name of a rate of absence."""
    return f"{measure}_rate_{window}" + ("" if window == "year" else "d")


def during(window: int | str) -> str:
    """Return when something happened in a window, in words.

    Examples
    --------
    >>> during("year"), during(28)
    ('this school year', 'in the last four weeks')
    """
    return "this school year" if window == "year" else f"in {last_days(int(window))}"


def shares(measure: str, window: int | str, words: str) -> str:
    """Return a template with the sessions of a kind, all sessions, and the share."""
    share = f"{{{rate_name(measure, window)}:portion}}"
    return f"{words} {{{measure}_{window}:.0f}} of {{possible_{window}:.0f}} session(s) {during(window)} ({share})"


def all_of(measure: str, window: int | str, words: str) -> Sentence:
    """Return the sentence about a window in which every session was of a kind."""
    several: Condition = (f"possible_{window}", ">", 1)
    return strain(f"{words} all {{{measure}_{window}:.0f}} session(s) {during(window)}", 1, None, several)


def only_one(window: int | str) -> Condition:
    """Return the condition that a window held one session: "all 1 session" is no English."""
    return f"possible_{window}", "=", 1


def missed(window: int | str) -> tuple[Sentence, ...]:
    """Return the sentences about the share missed in a window; the short one is for scores that store only the share."""
    text = shares("absent", window, "Missed")
    short = f"Missed {{{rate_name('absent', window)}:share}} sessions {during(window)}"
    enough: Condition = (f"possible_{window}", ">", FEW_SESSIONS)
    return (
        strain(text, LOW_ABSENCE, 1),
        all_of("absent", window, "Missed"),
        strain(text, 1, None, only_one(window)),
        strain(short, LOW_ABSENCE),
        strength(f"Missed no session {during(window)}", 0, 1e-9, enough),
        strength(text, 1e-9, LOW_ABSENCE, enough),
    )


def kind_of_mark(measure: str, window: int | str, words: str, none: str, from_share: float) -> tuple[Sentence, ...]:
    """Return the sentences about one kind of mark; only the kinds in ``LEADING`` may open a reason.

    That there was no such mark goes well only for a child who was there: one who never came was never late either.
    """
    enough: Condition = (f"possible_{window}", ">", FEW_SESSIONS)
    there: Condition = (rate_name("absent", window), "<", HIGH_ABSENCE)
    short = f"{words} {{{rate_name(measure, window)}:share}} sessions {during(window)}"
    leads = measure in LEADING
    short_one = Sentence(text=short, tone="strain", at_least=from_share, leads=leads)
    some = replace(short_one, text=shares(measure, window, words), below=1)
    every = replace(all_of(measure, window, words), leads=leads)
    one = replace(some, at_least=1, below=None, when=(only_one(window),))
    return some, every, one, short_one, strength(f"{none} {during(window)}", 0, 1e-9, enough, there)


def earlier_share(measure: str, near: int, far: int) -> tuple[Sentence, ...]:
    """Return the sentence about an earlier period; it never opens a reason while there is one about now."""
    text = f"{WORDS[measure]} {{{measure}_rate_{near}_to_{far}d:share}} sessions between {BETWEEN[near, far]} ago"
    from_share = HIGH_ABSENCE if measure == "absent" else SOME
    return (Sentence(text=text, tone="strain", at_least=from_share, leads=False),)


def changed_share(measure: str, near: int, far: int) -> tuple[Sentence, ...]:
    """Return the sentences about a share that rose, or fell to little, compared with the period before."""
    rate, before = rate_name(measure, near), f"{{{measure}_rate_{near}_to_{far}d:portion}}"
    now = f"{WORDS[measure]} {{{rate}:share}} sessions {during(near)}"
    earlier = f"in the {WINDOWS.get(far - near, f'{far - near} days')} before"
    more, less = f"{now}, up from {before} {earlier}", f"{now}, down from {before} {earlier}"
    if (measure, near, far) not in BEFORE:
        more, less = f"{now}, more than {earlier}", f"{now}, less than {earlier}"
    return strain(more, CHANGED), strength(less, None, -CHANGED, (rate, "<", LOW_ABSENCE))

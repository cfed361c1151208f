"""Attendance: how much was missed, how it changed, and how it stands in the last days."""

from __future__ import annotations

import narwhals as nw

from features.feature import Feature, Tally, plain, ratio
from histories.codes import attendance_class

DAILY = ("attendance",)
ABSENT = list(attendance_class("authorised", "unauthorised"))
POSSIBLE = list(attendance_class("present", "educational", "authorised", "unauthorised"))

TALLIES = {
    "termly_possible": Tally(
        "termly_attendance", lambda: nw.col("code").is_in(POSSIBLE), lambda: nw.col("sessions"), 250
    ),
    "termly_absent": Tally("termly_attendance", lambda: nw.col("code").is_in(ABSENT), lambda: nw.col("sessions"), 250),
    "termly_unauthorised": Tally(
        "termly_attendance",
        lambda: nw.col("code").is_in(list(attendance_class("unauthorised"))),
        lambda: nw.col("sessions"),
        250,
    ),
    "termly_possible_earlier": Tally(
        "termly_attendance", lambda: nw.col("code").is_in(POSSIBLE), lambda: nw.col("sessions"), 600
    ),
    "termly_absent_earlier": Tally(
        "termly_attendance", lambda: nw.col("code").is_in(ABSENT), lambda: nw.col("sessions"), 600
    ),
}


def _rate(measure: str, window: int | str, theme_words: str, low: str, *, role: str = "reason") -> Feature:
    name = f"{measure}_rate_{window}" + ("" if window == "year" else "d")
    period = "this school year" if window == "year" else f"the last {window} days"
    return Feature(
        name, "attendance", ratio(f"{measure}_{window}", f"possible_{window}"),
        f"{theme_words} {{{measure}_{window}:.0f}} of {{possible_{window}:.0f}} sessions in {period} ({{{name}:.0%}})", low,
        DAILY, 365 if window == "year" else int(window), 1, role, "share", f"no possible session in {period}",  # type: ignore[arg-type]
    )  # fmt: skip


def _before(measure: str, near: int, far: int) -> Feature:
    name = f"{measure}_rate_{near}_to_{far}d"

    def expression() -> nw.Expr:
        possible = nw.col(f"possible_{far}") - nw.col(f"possible_{near}")
        part = (nw.col(f"{measure}_{far}") - nw.col(f"{measure}_{near}")).cast(nw.Float64)
        return nw.when(possible > 0).then(part / possible.cast(nw.Float64))

    text = f"Missed {{{name}:.0%}} of the sessions between {near} and {far} days ago"
    return Feature(
        name, "attendance", expression, text, text, DAILY, far, 0, "reason", "share", "no possible session between them"
    )


def _change(measure: str, near: int, far: int, words: str) -> Feature:
    name = f"{measure}_change_{near}_{far}d"

    def expression() -> nw.Expr:
        now_possible, was_possible = (
            nw.col(f"possible_{near}"),
            nw.col(f"possible_{far}") - nw.col(f"possible_{near}"),
        )
        now = nw.col(f"{measure}_{near}").cast(nw.Float64) / now_possible.cast(nw.Float64)
        was = (nw.col(f"{measure}_{far}") - nw.col(f"{measure}_{near}")).cast(nw.Float64) / was_possible.cast(
            nw.Float64
        )
        return nw.when((now_possible > 0) & (was_possible > 0)).then(now - was)

    up = f"{words} changed by {{{name}:+.0%}} of sessions in the last {near} days compared with the {far - near} days before"
    return Feature(
        name,
        "attendance",
        expression,
        up,
        up,
        DAILY,
        far,
        1,
        "reason",
        "share",
        "no possible session in one of the two periods",
    )


def _of_runs(tally: str, window: int, name: str, raises: str, lowers: str, direction: int, unit: str) -> Feature:
    """Return a feature of the runs of absence in a window, missing when it holds no session."""

    def expression() -> nw.Expr:
        return nw.when(nw.col(f"possible_{window}") > 0).then(nw.col(f"{tally}_{window}").cast(nw.Float64))

    missing = f"no possible session in {window} days"
    return Feature(name, "attendance", expression, raises, lowers, DAILY, window, direction, "reason", unit, missing)


def _longest_run(window: int) -> Feature:
    name = f"longest_absence_run_{window}d"
    raises = f"Missed {{{name}:.0f}} sessions in a row at the longest in the last {window} days"
    return _of_runs("longest_run", window, name, raises, f"No long absence in the last {window} days", 1, "sessions")


def _runs(window: int) -> Feature:
    name = f"absence_runs_{window}d"
    raises = f"Was away {{{name}:.0f}} separate time(s) in the last {window} days"
    return _of_runs("runs", window, name, raises, raises, 0, "runs")


MISSED = "Missed"
NO_SESSION = "no possible session in 60 days"
NO_REASON = "No accepted reason for"
FEATURES = [
    *(_rate("absent", w, MISSED, f"Missed {{absent_rate_{w}{'' if w == 'year' else 'd'}:.0%}} of sessions") for w in (14, 28, 90, 180, 365, "year")),
    *(_rate("unauthorised", w, "Absent without permission for", "Few sessions missed without permission") for w in (14, 28, 90, 180, 365, "year")),
    *(_rate("no_reason", w, NO_REASON, "Absences have had a reason") for w in (28, 56, 180)),
    _rate("late", 90, "Late for", "Seldom late"),
    _rate("late", 365, "Late for", "Seldom late"),
    _rate("ill", 90, "Ill or at an appointment for", "Seldom ill"),
    _rate("ill", 365, "Ill or at an appointment for", "Seldom ill"),
    _rate("holiday", 365, "On holiday without permission for", "No holiday in term time"),
    _rate("part_time", 180, "On a part-time timetable for", "Not on a part-time timetable"),
    _before("absent", 28, 84),
    _before("absent", 90, 180),
    _before("unauthorised", 28, 84),
    _before("unauthorised", 180, 365),
    _change("absent", 28, 84, "Absence"),
    _change("absent", 90, 180, "Absence"),
    _change("unauthorised", 28, 84, "Absence without permission"),
    _change("unauthorised", 90, 180, "Absence without permission"),
    Feature("trailing_absent_sessions", "attendance", plain("trailing_absent"),
            "Has missed the last {trailing_absent_sessions:.0f} sessions in a row", "Was in school at the last session", DAILY, 60, 1, "reason", "sessions", NO_SESSION),
    Feature("days_since_present", "attendance", plain("last_present_days"),
            "Last seen in school {days_since_present:.0f} days ago", "Seen in school {days_since_present:.0f} days ago", DAILY, 60, 1, "reason", "days", "not present in 60 days"),
    Feature("weeks_missed_60d", "attendance", plain("weeks_missed"),
            "Missed {weeks_missed_60d:.0f} whole weeks in the last 60 days", "No whole week missed in the last 60 days", DAILY, 60, 1, "reason", "weeks", NO_SESSION),
    Feature("weeks_mostly_missed_60d", "attendance", plain("weeks_mostly_missed"),
            "Missed half or more of {weeks_mostly_missed_60d:.0f} weeks in the last 60 days", "Came for most of each week in the last 60 days", DAILY, 60, 1, "reason", "weeks", NO_SESSION),
    *(_longest_run(w) for w in (90, 365)),
    *(_runs(w) for w in (90, 365)),
    Feature("last_week_absence_rate", "attendance", ratio("last_week_absent", "last_week_possible"),
            "Missed {last_week_absence_rate:.0%} of the last week of school", "Missed {last_week_absence_rate:.0%} of the last week of school", DAILY, 14, 1, "reason", "share", NO_SESSION),
    Feature("termly_absence_rate", "attendance", ratio("termly_absent", "termly_possible"),
            "Missed {termly_absent:.0f} of {termly_possible:.0f} sessions in the newest returns ({termly_absence_rate:.0%})", "Missed {termly_absence_rate:.0%} of sessions in the newest returns",
            ("termly_attendance",), 250, 1, "reason", "share", "no return of a term that ended in 250 days"),
    Feature("termly_unauthorised_rate", "attendance", ratio("termly_unauthorised", "termly_possible"),
            "Absent without permission for {termly_unauthorised_rate:.0%} of sessions in the newest returns", "Little absence without permission in the newest returns",
            ("termly_attendance",), 250, 1, "reason", "share", "no return of a term that ended in 250 days"),
    Feature("termly_absence_rate_longer", "attendance", ratio("termly_absent_earlier", "termly_possible_earlier"),
            "Missed {termly_absence_rate_longer:.0%} of sessions in the returns of the last five terms", "Missed {termly_absence_rate_longer:.0%} of sessions in the returns of the last five terms",
            ("termly_attendance",), 600, 1, "reason", "share", "no return of a term that ended in 600 days"),
]  # fmt: skip

"""Attendance: how much was missed, how it changed, and how it stands in the last days."""

from __future__ import annotations

import narwhals as nw

from features.feature import Feature, Role, Tally, plain, ratio
from histories.codes import ABSENCE_CODES, POSSIBLE_CODES, attendance_class

DAILY = ("attendance",)

TALLIES = {
    "termly_possible": Tally(
        table="termly_attendance",
        where=lambda: nw.col("code").is_in(list(POSSIBLE_CODES)),
        value=lambda: nw.col("sessions"),
        days=250,
    ),
    "termly_absent": Tally(
        table="termly_attendance",
        where=lambda: nw.col("code").is_in(list(ABSENCE_CODES)),
        value=lambda: nw.col("sessions"),
        days=250,
    ),
    "termly_unauthorised": Tally(
        table="termly_attendance",
        where=lambda: nw.col("code").is_in(list(attendance_class("unauthorised"))),
        value=lambda: nw.col("sessions"),
        days=250,
    ),
    "termly_possible_earlier": Tally(
        table="termly_attendance",
        where=lambda: nw.col("code").is_in(list(POSSIBLE_CODES)),
        value=lambda: nw.col("sessions"),
        days=600,
    ),
    "termly_absent_earlier": Tally(
        table="termly_attendance",
        where=lambda: nw.col("code").is_in(list(ABSENCE_CODES)),
        value=lambda: nw.col("sessions"),
        days=600,
    ),
}


def _rate(measure: str, window: int | str, theme_words: str, low: str, *, role: Role = "reason") -> Feature:
    name = f"{measure}_rate_{window}" + ("" if window == "year" else "d")
    period = "this school year" if window == "year" else f"the last {window} days"
    return Feature(
        name=name,
        theme="attendance",
        expression=ratio(f"{measure}_{window}", f"possible_{window}"),
        raises=f"{theme_words} {{{measure}_{window}:.0f}} of {{possible_{window}:.0f}} sessions in {period} ({{{name}:.0%}})",
        lowers=low,
        sources=DAILY,
        window=365 if window == "year" else int(window),
        direction=1,
        role=role,
        unit="share",
        missing=f"no possible session in {period}",
    )


def _before(measure: str, near: int, far: int) -> Feature:
    name = f"{measure}_rate_{near}_to_{far}d"

    def expression() -> nw.Expr:
        possible = nw.col(f"possible_{far}") - nw.col(f"possible_{near}")
        part = (nw.col(f"{measure}_{far}") - nw.col(f"{measure}_{near}")).cast(nw.Float64)
        return nw.when(possible > 0).then(part / possible.cast(nw.Float64))

    text = f"Missed {{{name}:.0%}} of the sessions between {near} and {far} days ago"
    return Feature(
        name=name,
        theme="attendance",
        expression=expression,
        raises=text,
        lowers=text,
        sources=DAILY,
        window=far,
        direction=0,
        role="reason",
        unit="share",
        missing="no possible session between them",
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
        name=name,
        theme="attendance",
        expression=expression,
        raises=up,
        lowers=up,
        sources=DAILY,
        window=far,
        direction=1,
        role="reason",
        unit="share",
        missing="no possible session in one of the two periods",
    )


def _of_runs(tally: str, window: int, name: str, raises: str, lowers: str, *, direction: int, unit: str) -> Feature:
    """Return a feature of the runs of absence in a window, missing when it holds no session."""

    def expression() -> nw.Expr:
        return nw.when(nw.col(f"possible_{window}") > 0).then(nw.col(f"{tally}_{window}").cast(nw.Float64))

    missing = f"no possible session in {window} days"
    return Feature(
        name=name,
        theme="attendance",
        expression=expression,
        raises=raises,
        lowers=lowers,
        sources=DAILY,
        window=window,
        direction=direction,
        role="reason",
        unit=unit,
        missing=missing,
    )


def _longest_run(window: int) -> Feature:
    name = f"longest_absence_run_{window}d"
    raises = f"Missed {{{name}:.0f}} sessions in a row at the longest in the last {window} days"
    return _of_runs(
        tally="longest_run",
        window=window,
        name=name,
        raises=raises,
        lowers=f"No long absence in the last {window} days",
        direction=1,
        unit="sessions",
    )


def _runs(window: int) -> Feature:
    name = f"absence_runs_{window}d"
    raises = f"Was away {{{name}:.0f}} separate time(s) in the last {window} days"
    return _of_runs(tally="runs", window=window, name=name, raises=raises, lowers=raises, direction=0, unit="runs")


MISSED = "Missed"
NO_SESSION = "no possible session in 60 days"
NO_REASON = "No accepted reason for"
FEATURES = [
    *(
        _rate("absent", w, MISSED, f"Missed {{absent_rate_{w}{'' if w == 'year' else 'd'}:.0%}} of sessions")
        for w in (14, 28, 90, 180, 365, "year")
    ),
    *(
        _rate("unauthorised", w, "Absent without permission for", "Few sessions missed without permission")
        for w in (14, 28, 90, 180, 365, "year")
    ),
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
    Feature(
        name="trailing_absent_sessions",
        theme="attendance",
        expression=plain("trailing_absent"),
        raises="Has missed the last {trailing_absent_sessions:.0f} sessions in a row",
        lowers="Was in school at the last session",
        sources=DAILY,
        window=60,
        direction=1,
        role="reason",
        unit="sessions",
        missing=NO_SESSION,
    ),
    Feature(
        name="days_since_present",
        theme="attendance",
        expression=plain("last_present_days"),
        raises="Last seen in school {days_since_present:.0f} days ago",
        lowers="Seen in school {days_since_present:.0f} days ago",
        sources=DAILY,
        window=60,
        direction=1,
        role="reason",
        unit="days",
        missing="not present in 60 days",
    ),
    Feature(
        name="weeks_missed_60d",
        theme="attendance",
        expression=plain("weeks_missed"),
        raises="Missed {weeks_missed_60d:.0f} whole weeks in the last 60 days",
        lowers="No whole week missed in the last 60 days",
        sources=DAILY,
        window=60,
        direction=1,
        role="reason",
        unit="weeks",
        missing=NO_SESSION,
    ),
    Feature(
        name="weeks_mostly_missed_60d",
        theme="attendance",
        expression=plain("weeks_mostly_missed"),
        raises="Missed half or more of {weeks_mostly_missed_60d:.0f} weeks in the last 60 days",
        lowers="Came for most of each week in the last 60 days",
        sources=DAILY,
        window=60,
        direction=1,
        role="reason",
        unit="weeks",
        missing=NO_SESSION,
    ),
    *(_longest_run(w) for w in (90, 365)),
    *(_runs(w) for w in (90, 365)),
    Feature(
        name="last_week_absence_rate",
        theme="attendance",
        expression=ratio("last_week_absent", "last_week_possible"),
        raises="Missed {last_week_absence_rate:.0%} of the last week of school",
        lowers="Missed {last_week_absence_rate:.0%} of the last week of school",
        sources=DAILY,
        window=14,
        direction=1,
        role="reason",
        unit="share",
        missing=NO_SESSION,
    ),
    Feature(
        name="termly_absence_rate",
        theme="attendance",
        expression=ratio("termly_absent", "termly_possible"),
        raises="Missed {termly_absent:.0f} of {termly_possible:.0f} sessions in the newest returns ({termly_absence_rate:.0%})",
        lowers="Missed {termly_absence_rate:.0%} of sessions in the newest returns",
        sources=("termly_attendance",),
        window=250,
        direction=1,
        role="reason",
        unit="share",
        missing="no return of a term that ended in 250 days",
    ),
    Feature(
        name="termly_unauthorised_rate",
        theme="attendance",
        expression=ratio("termly_unauthorised", "termly_possible"),
        raises="Absent without permission for {termly_unauthorised_rate:.0%} of sessions in the newest returns",
        lowers="Little absence without permission in the newest returns",
        sources=("termly_attendance",),
        window=250,
        direction=1,
        role="reason",
        unit="share",
        missing="no return of a term that ended in 250 days",
    ),
    Feature(
        name="termly_absence_rate_longer",
        theme="attendance",
        expression=ratio("termly_absent_earlier", "termly_possible_earlier"),
        raises="Missed {termly_absence_rate_longer:.0%} of sessions in the returns of the last five terms",
        lowers="Missed {termly_absence_rate_longer:.0%} of sessions in the returns of the last five terms",
        sources=("termly_attendance",),
        window=600,
        direction=1,
        role="reason",
        unit="share",
        missing="no return of a term that ended in 600 days",
    ),
]

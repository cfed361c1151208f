"""Attendance: how much was missed, how that changed, and the newest days."""

from __future__ import annotations

import narwhals as nw

from features.attendance.wording import (
    BEFORE,
    FEW_SESSIONS,
    OFTEN,
    SOME,
    WORDS,
    changed_share,
    during,
    earlier_share,
    kind_of_mark,
    missed,
    rate_name,
)
from features.feature import Feature, Tally, plain, ratio
from features.sentences import HIGH_ABSENCE, LOW_ABSENCE, Condition, Sentence, strain, strength
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


def _rate(measure: str, window: int | str, says: tuple[Sentence, ...]) -> Feature:
    name = rate_name(measure, window)
    return Feature(
        name=name,
        theme="attendance",
        expression=ratio(f"{measure}_{window}", f"possible_{window}"),
        says=says,
        sources=DAILY,
        window=365 if window == "year" else int(window),
        direction=1,
        unit="share",
        missing=f"no possible session {during(window)}",
    )


def _before(measure: str, near: int, far: int) -> Feature:
    def expression() -> nw.Expr:
        possible = nw.col(f"possible_{far}") - nw.col(f"possible_{near}")
        part = (nw.col(f"{measure}_{far}") - nw.col(f"{measure}_{near}")).cast(nw.Float64)
        return nw.when(possible > 0).then(part / possible.cast(nw.Float64))

    return Feature(
        name=f"{measure}_rate_{near}_to_{far}d",
        theme="attendance",
        expression=expression,
        says=earlier_share(measure, near, far),
        sources=DAILY,
        window=far,
        gap=near,
        unit="share",
        missing="no possible session between them",
    )


def _change(measure: str, near: int, far: int) -> Feature:
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

    return Feature(
        name=name,
        theme="attendance",
        expression=expression,
        says=changed_share(measure, near, far),
        sources=DAILY,
        window=far,
        direction=1,
        unit="share",
        missing="no possible session in one of the two periods",
    )


def _of_runs(tally: str, window: int, name: str, says: tuple[Sentence, ...], *, direction: int, unit: str) -> Feature:
    """Return a feature of the runs of absence in a window, missing when it holds no session."""

    def expression() -> nw.Expr:
        return nw.when(nw.col(f"possible_{window}") > 0).then(nw.col(f"{tally}_{window}").cast(nw.Float64))

    return Feature(
        name=name,
        theme="attendance",
        expression=expression,
        says=says,
        sources=DAILY,
        window=window,
        direction=direction,
        unit=unit,
        missing=f"no possible session in {window} days",
    )


def _longest_run(window: int) -> Feature:
    name = f"longest_absence_run_{window}d"
    enough: Condition = (f"possible_{window}", ">", FEW_SESSIONS)
    says = (
        strain(f"Missed up to {{{name}:.0f}} session(s) in a row {during(window)}", 4),
        strength(
            f"Never away for longer than a day {during(window)}",
            0,
            3,
            (f"absent_rate_{window}d", "<", LOW_ABSENCE),
            enough,
        ),
    )
    return _of_runs(tally="longest_run", window=window, name=name, says=says, direction=1, unit="sessions")


def _runs(window: int) -> Feature:
    name = f"absence_runs_{window}d"
    enough: Condition = (f"possible_{window}", ">", FEW_SESSIONS)
    text = f"Was away on {{{name}:.0f}} separate occasion(s) {during(window)}"
    says = (
        Sentence(text=text, tone="strain", at_least=3, leads=False),
        strength(f"Never away {during(window)}", 0, 1, enough),
    )
    return _of_runs(tally="runs", window=window, name=name, says=says, direction=0, unit="runs")


NO_SESSION = "no possible session in 60 days"
RECENT_MARK: Condition = (
    "days_since_last_mark",
    "<",
    22,
)  # older marks say little about now
LITTLE_MISSED: Condition = ("absent_rate_90d", "<", LOW_ABSENCE)
FEATURES = [
    *(_rate("absent", w, missed(w)) for w in (14, 28, 90, 180, 365, "year")),
    *(
        _rate(
            "unauthorised",
            w,
            kind_of_mark("unauthorised", w, WORDS["unauthorised"], "No absence without permission", SOME),
        )
        for w in (14, 28, 90, 180, 365, "year")
    ),
    *(
        _rate(
            "no_reason",
            w,
            kind_of_mark(
                "no_reason", w, "Absent with no accepted reason for", "No absence without an accepted reason", SOME
            )[
                : -1 if w == 56 else None
            ],  # there is no share of absence in eight weeks that says whether the child was there
        )
        for w in (28, 56, 180)
    ),
    *(_rate("late", w, kind_of_mark("late", w, "Late for", "Never late", OFTEN)) for w in (90, 365)),
    *(
        _rate(
            "ill",
            w,
            kind_of_mark("ill", w, "Ill or at an appointment for", "No absence for illness or appointments", OFTEN),
        )
        for w in (90, 365)
    ),
    _rate(
        "holiday",
        365,
        kind_of_mark("holiday", 365, "On holiday without permission for", "No holiday without permission", 1e-9),
    ),
    _rate(
        "part_time",
        180,
        kind_of_mark("part_time", 180, "On a part-time timetable for", "Not on a part-time timetable", SOME)[:-1],
    ),
    *(_before(*period) for period in BEFORE),
    _change("absent", 28, 84),
    _change("absent", 90, 180),
    _change("unauthorised", 28, 84),
    _change("unauthorised", 90, 180),
    Feature(
        name="trailing_absent_sessions",
        theme="attendance",
        expression=plain("trailing_absent"),
        says=(
            strain("Has missed the last {trailing_absent_sessions:.0f} session(s) in a row", 2),
            strength("Was in school at the last session", 0, 1, RECENT_MARK, LITTLE_MISSED),
        ),
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
        says=(strain("Last seen in school {days_since_present:ago}", 10, None, ("trailing_absent", ">", 0)),),
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
        says=(
            strain("Missed every session in {weeks_missed_60d:.0f} week(s) of the last 60 days", 1),
            strength("Has not missed a whole week in the last 60 days", 0, 1, RECENT_MARK, LITTLE_MISSED),
        ),
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
        says=(
            strain("Missed at least half the sessions in {weeks_mostly_missed_60d:.0f} week(s) of the last 60 days", 1),
            strength("Came for most of each week in the last 60 days", 0, 1, RECENT_MARK, LITTLE_MISSED),
        ),
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
        says=(
            strain("Missed {last_week_absence_rate:share} sessions in the last week with a register", HIGH_ABSENCE),
            strength("Missed no session in the last week with a register", 0, 1e-9, RECENT_MARK, LITTLE_MISSED),
        ),
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
        says=(
            strain(
                "Missed {termly_absent:.0f} of {termly_possible:.0f} session(s) in the newest returns ({termly_absence_rate:portion})",
                LOW_ABSENCE,
            ),
            strength("Missed {termly_absence_rate:share} sessions in the newest returns", 0, LOW_ABSENCE),
        ),
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
        says=(
            strain(f"{WORDS['unauthorised']} {{termly_unauthorised_rate:share}} sessions in the newest returns", SOME),
            strength("No absence without permission in the newest returns", 0, 1e-9),
        ),
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
        says=(
            strain(
                "Missed {termly_absence_rate_longer:share} sessions in the returns of the last five terms",
                HIGH_ABSENCE,
            ),
            strength(
                "Missed {termly_absence_rate_longer:share} sessions in the returns of the last five terms",
                0,
                LOW_ABSENCE,
            ),
        ),
        sources=("termly_attendance",),
        window=600,
        direction=1,
        role="reason",
        unit="share",
        missing="no return of a term that ended in 600 days",
    ),
]

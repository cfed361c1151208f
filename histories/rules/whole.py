"""Rules on tables as a whole: schools that stopped sending, terms without marks, jumps against the year before, late recording."""

from __future__ import annotations

import narwhals as nw
import pyarrow as pa

from histories.calendar import term_dates
from histories.codes import attendance_class, attendance_codes
from histories.opening import Histories, day_number, day_of
from histories.rules.rule import Rule

SILENT = 21  # days without a mark after which a school counts as having stopped sending
JUMP = 1 / 3  # change of a share against the year before
UNKNOWN = 0.001  # share of marks with a code that is not in the set
OPEN = 0.02  # share of a usual day's marks below which a day counts as closed
LATE = 60  # days after which a record counts as late
FEWEST = 2000  # marks of a year below which its shares say little
DELAYED = {
    "attendance": "date",
    "enrolments": "entry_date",
    "suspensions": "start_date",
    "sen": "start_date",
    "social_care": "start_date",
    "cme": "missing_from",
}


def _frame(h: Histories, rows: list[int]) -> nw.LazyFrame:
    """Return a small frame of numbers, one row a finding."""
    return nw.from_native(h.native_of(pa.table({"found": pa.array(rows, pa.int64())}))).lazy()


def _weekend(h: Histories) -> nw.LazyFrame:
    return h.frame("attendance").filter((nw.col("date") + 3) % 7 >= 5)  # day 0 was a Thursday


def _closed(h: Histories) -> nw.LazyFrame:
    """Return marks on days on which hardly anybody has one: schools were closed, or the date is wrong."""
    days = h.frame("attendance").group_by("date").agg(nw.len().alias("n"))
    counts = sorted(days.collect()["n"].to_list())
    least = OPEN * counts[len(counts) // 2] if counts else 0
    return h.frame("attendance").join(days.filter(nw.col("n") < least), on="date", how="semi")


def _same_upn(h: Histories) -> nw.LazyFrame:
    own = h.frame("pupils").filter(~nw.col("upn").is_null())
    return own.group_by("upn").agg(nw.len().alias("times")).filter(nw.col("times") > 1)


def _stopped_sending(h: Histories) -> nw.LazyFrame:
    newest = h.frame("attendance").group_by("pupil_id").agg(nw.col("date").max().alias("last"))
    running = h.frame("enrolments").filter(nw.col("leaving_date").is_null()).select("pupil_id", "urn").unique()
    schools = running.join(newest, on="pupil_id", how="inner").group_by("urn").agg(nw.col("last").max())
    days = schools.collect()["last"].to_list()
    return _frame(h, [d for d in days if d < max(days) - SILENT])


def _silent_terms(h: Histories) -> nw.LazyFrame:
    days = h.frame("attendance").select("date").unique().collect()["date"].to_list()
    if not days:
        return _frame(h, [])
    first, last, have = day_of(min(days)), day_of(max(days)), set(days)
    terms = [t for y in range(first.year - 1, last.year + 1) for t in term_dates(y) if t.start > first and t.end < last]
    return _frame(h, [day_number(t.start) for t in terms if not have & {day_number(d) for d in t.school_days}])


def _years(h: Histories) -> dict[int, tuple[int, int, int]]:
    """Return marks, absences and marks with unknown codes of each school year."""
    marks = h.frame("attendance").select("date", "code").group_by("date", "code").agg(nw.len().alias("n")).collect()
    absent, codes = set(attendance_class("authorised", "unauthorised")), set(attendance_codes())
    found: dict[int, tuple[int, int, int]] = {}
    for number, code, n in zip(marks["date"].to_list(), marks["code"].to_list(), marks["n"].to_list(), strict=True):
        day = day_of(number)
        year = day.year - (day.month < 9)
        a, b, c = found.get(year, (0, 0, 0))
        found[year] = (a + n, b + n * (code in absent), c + n * (code not in codes))
    return found


def _absence_jumps(h: Histories) -> nw.LazyFrame:
    share = {y: b / a for y, (a, b, _) in _years(h).items() if a >= FEWEST}
    return _frame(
        h, [y for y in share if y - 1 in share and abs(share[y] - share[y - 1]) > JUMP * max(share[y - 1], 1e-9)]
    )


def _fewer_marks(h: Histories) -> nw.LazyFrame:
    """Return years with far fewer marks than the year before; the newest may still be running."""
    marks = {y: a for y, (a, *_) in _years(h).items() if a >= FEWEST}
    newest = max(marks, default=0)
    return _frame(
        h,
        [
            y
            for y in marks
            if y != newest and y - 1 in marks and y - 1 != min(marks) and marks[y] < (1 - JUMP) * marks[y - 1]
        ],
    )


def _unknown_codes(h: Histories) -> nw.LazyFrame:
    return _frame(h, [y for y, (a, _, c) in _years(h).items() if c > UNKNOWN * a])


def _late(table: str):  # type: ignore[no-untyped-def]
    happened = DELAYED[table]
    return lambda h: h.frame(table).filter(nw.col("known") - nw.col(happened) > LATE)


def delays(h: Histories) -> dict[str, dict[str, float]]:
    """Return for each table how many days lie between a thing and its record: median, nine tenths, and rows counted."""
    found = {}
    for table, happened in DELAYED.items():
        if table in h.present:
            days = (
                h.frame(table)
                .select((nw.col("known") - nw.col(happened)).alias("days"))
                .group_by("days")
                .agg(nw.len().alias("n"))
                .collect()
            )
            counted = sorted(zip(days["days"].to_list(), days["n"].to_list(), strict=True))
            counted = [(d, n) for d, n in counted if d is not None]
            if counted:
                found[table] = {
                    "median": _quantile(counted, 0.5),
                    "nine_tenths": _quantile(counted, 0.9),
                    "rows": sum(n for _, n in counted),
                }
    return found


def _quantile(counted: list[tuple[int, int]], share: float) -> float:
    left = share * sum(n for _, n in counted)
    for days, n in counted:
        left -= n
        if left <= 0:
            return float(days)
    return float(counted[-1][0])


def marks_by_month(h: Histories) -> dict[str, int]:
    """Return how many marks there are of each month."""
    if "attendance" not in h.present:
        return {}
    days = h.frame("attendance").group_by("date").agg(nw.len().alias("n")).collect()
    found: dict[str, int] = {}
    for number, n in sorted(zip(days["date"].to_list(), days["n"].to_list(), strict=True)):
        month = day_of(number).strftime("%Y-%m")
        found[month] = found.get(month, 0) + n
    return found


WHOLE = [
    Rule("H080", "warning", "attendance", "marks on a Saturday or Sunday", "Look at the form of the dates: day and month may be swapped.", _weekend),
    Rule("H081", "error", "pupils", "UPNs that two pupils share", "Join the two, or correct the one that is wrong.", _same_upn),
    Rule("H082", "warning", "attendance", "schools with pupils on roll that sent no mark for three weeks", "Ask the school or its supplier; its pupils look absent to nobody.", _stopped_sending, ("enrolments",)),
    Rule("H083", "warning", "attendance", "terms without a single mark", "Import the term, or know that windows over it are empty.", _silent_terms),
    Rule("H084", "warning", "attendance", "years whose share of absence jumped by a third against the year before", "Is it the schools, or a change in codes or in what was sent?", _absence_jumps),
    Rule("H085", "warning", "attendance", "years with a third fewer marks than the year before", "Import what is missing.", _fewer_marks),
    Rule("H086", "warning", "attendance", "years in which more than one mark in a thousand has an unknown code", "Translate the codes with a mapping.", _unknown_codes),
    Rule("H087", "warning", "attendance", "marks on days on which hardly any child has one", "Schools were closed, or the date is wrong.", _closed),
    *(Rule(f"H{90 + n:03}", "warning", t, f"rows recorded more than {LATE} days after what they tell", "A score cannot know them in time; ask why they are late.", _late(t)) for n, t in enumerate(DELAYED)),
]  # fmt: skip

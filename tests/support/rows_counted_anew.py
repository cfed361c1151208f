"""A child's rows counted anew from the dates as they stand, and the words of a sentence turned into numbers."""

import re
from datetime import date, timedelta

from tests.support.odd_children import DAY

ABSENT = set("IMOUNGCE") | {"C2"}
UNAUTHORISED, NO_REASON, LATE, ILL, HOLIDAY = set("OUNG"), set("ON"), set("LU"), set("IM"), {"G"}
NOT_POSSIBLE = {"#", "X", "D", "Q", "Z"}
YEAR = 365
SCHOOL_YEAR = 134  # days since 1 September
WORKING = {"cin", "cpp", "early_help"}
NEVER = {"No absence without permission": UNAUTHORISED, "No absence without an accepted reason": NO_REASON}
NEVER |= {"Never late": LATE, "No absence for illness or appointments": ILL, "No holiday without permission": HOLIDAY}
NEVER |= {"Never away": ABSENT, "Missed no session": ABSENT}
PRESENT_TOO = {"Never late", "No absence for illness or appointments", "No holiday without permission"}
DAYS = {"two weeks": 14, "four weeks": 28, "eight weeks": 56, "twelve weeks": 84, "year": 365, "two years": 730}


class Child:
    """One child's rows, counted anew from the dates as they stand."""

    def __init__(self, tables):
        self.rows = tables
        self.seen = sorted((self.ago(r["date"]), r["session"] == "AM", r["code"]) for r in tables["attendance"])
        self.marks = [mark for mark in self.seen if mark[2] not in NOT_POSSIBLE]
        self.life = self.ago(tables["pupils"][0]["date_of_birth"])
        self.stays = list(_stays(tables["addresses"]))
        self.homes = [self.ago(r["start_date"]) for r in self.stays]
        newest = min(tables["enrolments"], key=lambda r: self.ago(r["entry_date"]))
        self.school = newest["urn"]
        self.home, self.area = self._newest_address("household_id"), self._newest_address("lsoa")
        self.decile = 1 + 3 * int(self.area[-1]) if self.area else None
        born = date.fromisoformat(tables["pupils"][0]["date_of_birth"])
        self.year_group = 2020 - born.year - ((born.month, born.day) > (8, 31))
        self.taught_year = self.year_group - ("nc_year" in newest)  # by the roll; see ``odd_children``
        self.everyone = None  # see ``neighbours_counted_anew.Everyone``

    def _newest_address(self, column):
        rows = [r for r in self.rows["addresses"] if r[column]]
        return min(rows, key=lambda r: self.ago(r["start_date"]))[column] if rows else None

    @staticmethod
    def ago(day):
        return (DAY - date.fromisoformat(day)).days

    def codes(self, far, near=0):
        return [code for ago, _, code in self.marks if near < ago <= far]

    def starts(self, table, column, **is_):
        rows = [
            r
            for r in (self.stays if table == "addresses" else self.rows[table])
            if all(r.get(k) in v for k, v in is_.items())
        ]
        return [self.ago(r[column]) for r in rows]

    def share(self, kinds, far, near=0):
        codes = self.codes(far, near)
        return sum(c in kinds for c in codes) / len(codes)

    def moves(self, within):
        return sum(0 < s <= within for s in self.homes if s < max(self.homes))


def _stays(rows):
    """Yield one row of each stay at a home: rows of one home, one after another, as the last of them with the start of the first."""
    stay = None
    for row in sorted(rows, key=lambda r: r["start_date"]):
        if stay and row["household_id"] and row["household_id"] == stay["household_id"]:
            stay = {**row, "start_date": stay["start_date"]}
            continue
        if stay:
            yield stay
        stay = row
    if stay:
        yield stay


def same_span(words, days):
    """Return whether a number of days may be worded so; nothing longer than a year may be counted in days."""
    if words in ("today", "yesterday"):
        return days == (words == "yesterday")
    many, unit = re.fullmatch(r"(?:more than )?(\d+) (day|week|month|year)s?(?: ago)?", words).groups()
    at = {"day": (1, 0.4), "week": (7, 3.6), "month": (30.44, 15.3), "year": (365.25, 0)}[unit]
    if unit == "year":
        return int(many) * at[0] <= days < (int(many) + 1.1) * at[0]
    return abs(int(many) * at[0] - days) <= at[1]


def newest(starts):
    return min(s for s in starts if s >= 0)


def counted(kinds):
    def check(c, n, of, far, share):
        codes = c.codes(days_in(far))
        return (sum(x in kinds for x in codes), len(codes)) == (int(n), int(of)) and close(share, int(n) / int(of))

    return check


def close(words, share):
    """Return whether a share may be worded so: only nothing is none, and only everything is all."""
    words = words.removesuffix(" of the").removesuffix(" of")
    if words in ("none", "all"):
        return share == (words == "all")
    low, high = {"under 1%": (0, 0.0101), "over 99%": (0.9899, 1)}.get(words, (0, 1))
    return low < share < high and (not words[0].isdigit() or abs(int(words[:-1]) / 100 - share) <= 0.0051)


def shared(kinds):
    def check(c, share, far):
        return close(share, c.share(kinds, days_in(far)))

    return check


def between(kinds):
    near_words = {"four": 28, "90": 90, "180 days": 180}

    def check(c, share, near, far):
        return close(share, c.share(kinds, {"a year": 365}.get(far) or days_in(far), near_words[near]))

    return check


def compared(kinds):
    def check(c, now, far, way, was, more):
        far, more = days_in(far), days_in(more)
        a, b = c.share(kinds, far), c.share(kinds, far + more, far)
        return close(now, a) and close(was, b) and (a > b) == (way == "up")

    return check


def runs(c, far):
    """Return the lengths of the runs of absence."""
    lengths, length = [], 0
    for _, _, code in sorted((m for m in c.marks if m[0] <= far), key=lambda m: (-m[0], not m[1])):
        length = length + 1 if code in ABSENT else 0
        lengths = [*lengths[:-1], length] if length > 1 else lengths + [1] * (length == 1)
    return lengths


def termly(kinds, days):
    """Return the check of the share of a kind of mark in the returns of terms that ended in so many days."""

    def check(c, *said):
        rows = [r for r in c.rows["termly_attendance"] if 1 <= c.ago(r["term_end"]) <= days]
        of = sum(r["sessions"] for r in rows if r["code"] not in NOT_POSSIBLE)
        n = sum(r["sessions"] for r in rows if r["code"] in kinds)
        return close(said[-1], n / of) and said[:-1] in ((), (str(n), str(of)))

    return check


def applied(*stages, not_yet=()):
    """Return the check that the stages of a child's application have come, and others have not; only in Year 6."""

    def check(c):
        rows = c.rows["admissions"]
        come = {v for r in rows for k, v in r.items() if k == "response"} | {k for r in rows for k in r}
        return c.year_group == 6 and come.issuperset(stages) and not come & set(not_yet)

    return check


def unanswered(days):
    """Return the check that an application's offer was made so many days ago or earlier, and not answered; only in Year 6."""
    is_open = applied("offered_on", not_yet=("accepted", "declined"))
    return lambda c: is_open(c) and any(c.ago(r["offered_on"]) >= days for r in c.rows["admissions"])


def more_or_less(kinds):
    def check(c, now, far, way, more):
        far, more = days_in(far), days_in(more)
        a, b = c.share(kinds, far), c.share(kinds, far + more, far)
        return close(now, a) and (a > b) == (way == "more")

    return check


def has_sen(**is_):
    return lambda c: any(all(r[k] in v for k, v in is_.items()) for r in c.rows["sen"])


def trailing(c):
    return next((n for n, (_, _, code) in enumerate(c.marks) if code not in ABSENT), len(c.marks))


def since_last_mark(c):
    """Return the sessions of the weekdays since the newest mark, at most those of 90 days; none within two weeks of a mark."""
    newest = min((ago for ago, _, code in c.seen if code != "#"), default=91)
    days = range(1, min(newest, 91)) if newest > 14 else ()
    return sum(2 for n in days if (DAY - timedelta(days=n)).weekday() < 5)


def weeks(c):
    chunks = [c.codes(min(7 * k + 7, 60), 7 * k) for k in range(9)]
    return [[x in ABSENT for x in chunk] for chunk in chunks if chunk]


def within(table, column, days=10**6, **is_):
    return lambda c, *n: sum(1 <= s <= days for s in c.starts(table, column, **is_)) == (int(n[0]) if n else 0)


def joined(c, days):
    """Return how many days ago each school was joined: not by a roll beside the main one, nor by coming back within sixty days."""
    rows = sorted(c.rows["enrolments"], key=lambda r: r["entry_date"])
    joined, left = [], {}
    for row in rows:
        here, ago = row["urn"], c.ago(row["entry_date"])
        is_back = here in left and (left[here] is None or left[here] - ago <= 60)
        if 0 < ago <= days and not is_back and row.get("status") != "S":
            joined.append(ago)
        left[here] = c.ago(row["leaving_date"]) if row.get("leaving_date") else None
    return joined


def open_care(kind):
    return lambda c: any(
        r["kind"] == kind and c.ago(r["start_date"]) >= 0 and "end_date" not in r for r in c.rows["social_care"]
    )


def days_in(words):
    """Return the days of a window from its words."""
    if words in ("year this school", "this school year"):
        return SCHOOL_YEAR
    return DAYS.get(words) or int(re.fullmatch(r"(\d+) days", words)[1])


def number(words):
    """Return a count from its words."""
    return {"once": 1, "twice": 2}.get(words) or int(words.removesuffix(" times"))


def never(words):
    """Return the check that a kind of mark does not occur, and that the child was mostly there if the sentence supposes it."""

    def check(c, window="this school year"):
        far = days_in(window)
        there = window == "this school year" or c.share(ABSENT, far) < 0.1 or words not in PRESENT_TOO
        return c.share(NEVER[words], far) == 0 and there

    return check


def in_all(table, column, **is_):
    """Return the check of how often something ever happened, and when it last did."""

    def check(c, n, span):
        starts = [s for s in c.starts(table, column, **is_) if s >= 0]
        return len(starts) == number(n) and same_span(span, min(starts)) and number(n) > 0

    return check


def recent(table, column, days, **is_):
    return lambda c, n: sum(1 <= s <= days for s in c.starts(table, column, **is_)) == number(n)


def newest_school(c):
    return newest(c.starts("enrolments", "entry_date"))


def at_newest(c):
    """Return whether the child joined a school with the newest roll."""
    return newest_school(c) in joined(c, 10**6)


def started(ago):
    """Return the month and day, as a number, of so many days ago."""
    day = DAY - timedelta(days=ago)
    return 100 * day.month + day.day


def mid_year(ago, slack=0):
    """Return whether a school was joined mid-year, later or earlier than September by some more days than the definition's."""
    return started(ago) > 925 + slack or started(ago) < 801 - slack


def joined_in_september(c, span):
    """Return whether a child joined the school in September, in a year in which most children do not change school."""
    ago = newest_school(c)
    return c.year_group not in (0, 3, 7) and same_span(span, ago) and 810 <= started(ago) <= 930

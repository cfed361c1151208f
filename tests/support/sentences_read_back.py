"""Sentences about a child read back from their words, and checked against the rows counted anew."""

import re
from datetime import date

from tests.support.odd_children import DAY

ABSENT = set("IMOUNGCE") | {"C2"}
UNAUTHORISED, NO_REASON, LATE, ILL, HOLIDAY = set("OUNG"), set("ON"), set("LU"), set("IM"), {"G"}
YEAR = 365
WORKING = {"cin", "cpp", "early_help"}


class Child:
    """One child's rows, counted anew from the dates as they stand."""

    def __init__(self, tables):
        self.rows = tables
        self.marks = sorted((self.ago(r["date"]), r["session"] == "AM", r["code"]) for r in tables["attendance"])
        self.life = self.ago(tables["pupils"][0]["date_of_birth"])
        self.homes = [self.ago(r["start_date"]) for r in tables["addresses"]]

    @staticmethod
    def ago(day):
        return (DAY - date.fromisoformat(day)).days

    def codes(self, far, near=0):
        return [code for ago, _, code in self.marks if near < ago <= far]

    def starts(self, table, column, **is_):
        rows = [r for r in self.rows[table] if all(r.get(k) in v for k, v in is_.items())]
        return [self.ago(r[column]) for r in rows]

    def share(self, kinds, far, near=0):
        codes = self.codes(far, near)
        return sum(c in kinds for c in codes) / len(codes)

    def moves(self, within):
        return sum(0 < s <= within for s in self.homes if s < max(self.homes))


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
        codes = c.codes(YEAR if far == "year" else int(far))
        return (sum(x in kinds for x in codes), len(codes)) == (int(n), int(of)) and close(share, int(n) / int(of))

    return check


def close(words, share):
    return abs(int(words) / 100 - share) <= 0.0051


def shared(kinds):
    def check(c, share, far):
        return close(share, c.share(kinds, int(far)))

    return check


def between(kinds):
    return lambda c, share, near, far: close(share, c.share(kinds, int(far), int(near)))


def compared(kinds):
    def check(c, now, far, way, was, more):
        far, more = int(far), int(more)
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


def trailing(c):
    return next((n for n, (_, _, code) in enumerate(c.marks) if code not in ABSENT), len(c.marks))


def weeks(c):
    chunks = [c.codes(min(7 * k + 7, 60), 7 * k) for k in range(9)]
    return [[x in ABSENT for x in chunk] for chunk in chunks if chunk]


def within(table, column, days=10**6, **is_):
    return lambda c, *n: sum(1 <= s <= days for s in c.starts(table, column, **is_)) == (int(n[0]) if n else 0)


def joined(c, days):
    """Return how often a school was joined in the middle of a school year."""
    return [s for s in c.starts("enrolments", "entry_date") if 0 < s <= days]


def open_care(kind):
    return lambda c: any(
        r["kind"] == kind and c.ago(r["start_date"]) >= 0 and "end_date" not in r for r in c.rows["social_care"]
    )


KINDS = {"Missed": ABSENT, "Absent without permission for": UNAUTHORISED, "No accepted reason for": NO_REASON}
KINDS |= {"Late for": LATE, "Ill or at an appointment for": ILL, "On holiday without permission for": HOLIDAY}
KINDS |= {"On a part-time timetable for": {"C2"}}
NEVER = {"No absence without permission": UNAUTHORISED, "No absence without an accepted reason": NO_REASON}
NEVER |= {"Never late": LATE, "Never ill": ILL, "No holiday without permission": HOLIDAY, "Never away": ABSENT}
CARE = {"Early help": "early_help", "An assessment by social care": "assessment", "Child in need support": "cin"}
CARE |= {"A child protection plan": "cpp", "Being looked after": "cla"}
SPAN = r"(today|yesterday|[\w ]+ ago|more than \d+ years)"
HELP = {"kind": ("early_help", "assessment", "cin", "cpp", "cla", "referral")}
SUSP, PERM = {"category": ("SUSP",)}, {"category": ("PERM",)}
ALWAYS = r"(In Reception|In Year \d+|Term \d of the school year|At a (mainstream|special) school.*|The newest mark is from .*|Others at the school.*"
ALWAYS += r"|\d+ sessions? recorded in .*|.* (for each other child|of others joined|of others at|of children at|of the children of) .*|A school of about .*"
ALWAYS += r"|Children at the same address missed .*|\d+ other child(ren)? at the same address|Receives SEN support|Has an education, .*|The recorded need .*"
ALWAYS += r"|Other children of the area .*|In Year [67], .*|Lives in an area .*)"
CHECKS = [
    *((rf"{w} (\d+) of (\d+) sessions? in the last (\d+) days \((\d+)%\)", counted(k)) for w, k in KINDS.items()),
    *((rf"{w} (\d+) of (\d+) sessions? in this school (year) \((\d+)%\)", None) for w in KINDS),
    *((rf"{w} (\d+)% of sessions in the last (\d+) days", shared(k)) for w, k in KINDS.items()),
    *((rf"{w} (\d+)% of the sessions between (\d+) and (\d+) days ago", between(k)) for w, k in KINDS.items()),
    *(
        (rf"{w} (\d+)% of sessions in the last (\d+) days, (up|down) from (\d+)% in the (\d+) days before", compared(k))
        for w, k in KINDS.items()
    ),
    *((rf"{w} (\d+)% of sessions in the last (\d+) days, (more|less) than .*", None) for w in KINDS),
    *((rf"{w} (\d+)% of sessions in this school year", None) for w in KINDS),
    *((rf"{w} in the last (\d+) days", lambda c, d, k=k: c.share(k, int(d)) == 0) for w, k in NEVER.items()),
    *((rf"{w} in this school year", lambda c, k=k: c.share(k, 130) == 0) for w, k in NEVER.items()),
    (r"Never away for longer than a day in the last (\d+) days", lambda c, d: max(runs(c, int(d)), default=0) <= 2),
    (
        r"Missed (\d+) sessions? in a row at the longest in the last (\d+) days",
        lambda c, n, d: max(runs(c, int(d))) == int(n),
    ),
    (r"Was away (\d+) separate times? in the last (\d+) days", lambda c, n, d: len(runs(c, int(d))) == int(n)),
    (r"Has missed the last (\d+) sessions? in a row", lambda c, n: trailing(c) >= int(n) > 1),
    (r"Was in school at the last session", lambda c: trailing(c) == 0 and c.marks[0][0] < 22),
    (rf"Last seen in school {SPAN}", lambda c, s: same_span(s, next(a for a, _, x in c.marks if x not in ABSENT))),
    (r"Missed every session of (\d+) weeks? in the last 60 days", lambda c, n: sum(all(w) for w in weeks(c)) == int(n)),
    (r"No whole week missed in the last 60 days", lambda c: not any(all(w) for w in weeks(c))),
    (r"Missed half or more of (\d+) weeks? in .*", lambda c, n: sum(2 * sum(w) >= len(w) for w in weeks(c)) == int(n)),
    (r"Came for most of each week in the last 60 days", lambda c: all(2 * sum(w) < len(w) for w in weeks(c))),
    (r"Missed (\d+)% of the last week with a register", lambda c, n: close(n, sum(weeks(c)[0]) / len(weeks(c)[0]))),
    (r"Missed nothing in the last week with a register", lambda c: not any(weeks(c)[0])),
    (r"Moved home (\d+) times? in the last (\d+) days", lambda c, n, d: c.moves(int(d)) == int(n) > 0),
    (
        r"(\d+) addresses are known, all from the last (\d+) days",
        lambda c, n, d: len(c.homes) == int(n) and max(c.homes) <= int(d),
    ),
    (r"Has not moved home in the last (\d+) days", lambda c, d: c.moves(int(d)) == 0),
    (r"(\d+) addresses are known", lambda c, n: len(c.homes) == int(n)),
    (
        rf"Moved home {SPAN}",
        lambda c, s: same_span(s, min(c.homes)) and c.moves(YEAR + 1) > 0 and min(c.homes) < c.life,
    ),
    (r"At the same address for more than two years", lambda c: min(c.homes) >= 2 * YEAR),
    (r"Lives in temporary accommodation", lambda c: any(r["temporary"] for r in c.rows["addresses"])),
    (
        r"Has lived in temporary .* (\d+) times?",
        lambda c, n: sum(r["temporary"] for r in c.rows["addresses"]) == int(n),
    ),
    (
        rf"Joined this school {SPAN}",
        lambda c, s: same_span(s, newest(c.starts("enrolments", "entry_date"))) and "year" not in s,
    ),
    (rf"At this school for {SPAN}", lambda c, s: same_span(s, newest(c.starts("enrolments", "entry_date")))),
    (
        r"Joined a school in the middle of a school year (\d+) times? in the last year",
        lambda c, n: 0 < int(n) <= len(joined(c, 366)),
    ),
    (
        r"Joined a school in the middle of a school year (\d+) times? in all",
        lambda c, n: 0 < int(n) <= len(joined(c, 10**6)),
    ),
    (r"(No change of school in the middle of the last year|Has never changed school in the middle .*)", None),
    (r"Has been on (\d+) school rolls", lambda c, n: len(c.rows["enrolments"]) == int(n)),
    (
        r"Has left a roll (\d+) times? with nowhere .*",
        within("enrolments", "entry_date", destination=("unknown", "missing_education")),
    ),
    (
        r"Has never left a roll with nowhere known to go",
        within("enrolments", "entry_date", destination=("unknown", "missing_education")),
    ),
    (r"Has left state schools (\d+) times? before", within("enrolments", "entry_date", destination=("abroad",))),
    (r"Was missing education (\d+) times? before", within("cme", "reported_on")),
    (r"No earlier case of missing education is recorded", within("cme", "reported_on")),
    (
        rf"The last case of missing education began {SPAN}",
        lambda c, s: same_span(s, newest(c.starts("cme", "missing_from"))),
    ),
    (r"Suspended (\d+) times? in the last 90 days", within("suspensions", "start_date", 90, **SUSP)),
    (r"Suspended (\d+) times? in the last year", within("suspensions", "start_date", 365, **SUSP)),
    (r"Suspended (\d+) times? in all", within("suspensions", "start_date", **SUSP)),
    (
        r"Suspended for (\d+) sessions? in the last 90 days",
        lambda c, n: within("suspensions", "start_date", 90, **SUSP)(c, int(n) / 4),
    ),
    (
        r"Suspended for (\d+) sessions? in the last year",
        lambda c, n: within("suspensions", "start_date", 365, **SUSP)(c, int(n) / 4),
    ),
    (r"Not suspended in the last 90 days", within("suspensions", "start_date", 90, **SUSP)),
    (r"Not suspended in the last year", within("suspensions", "start_date", 365, **SUSP)),
    (r"Never suspended, as far as recorded", within("suspensions", "start_date", **SUSP)),
    (r"Permanently excluded (\d+) times?", within("suspensions", "start_date", **PERM)),
    (r"Never permanently excluded, as far as recorded", within("suspensions", "start_date", **PERM)),
    (rf"Last suspended {SPAN}", lambda c, s: same_span(s, newest(c.starts("suspensions", "start_date", **SUSP)))),
    *((rf"{words} is under way", open_care(kind)) for words, kind in CARE.items()),
    (
        r"Referred to social care (\d+) times? in the last year",
        within("social_care", "start_date", 365, kind=("referral",)),
    ),
    (r"Not referred to social care in the last year", within("social_care", "start_date", 365, kind=("referral",))),
    (
        r"Missing from home or care (\d+) times? in the last year",
        within("social_care", "start_date", 365, kind=("missing",)),
    ),
    (r"Missing from home or care (\d+) times? in all", within("social_care", "start_date", kind=("missing",))),
    (r"Not missing from home or care in the last year", within("social_care", "start_date", 365, kind=("missing",))),
    (r"Never missing from home or care, as far as recorded", within("social_care", "start_date", kind=("missing",))),
    (r"Known to early help or social care (\d+) times?", within("social_care", "start_date", kind=HELP["kind"][:5])),
    (r"Not known to early help or social care", within("social_care", "start_date", kind=HELP["kind"][:5])),
    (
        rf"The newest episode of help or social care began {SPAN}",
        lambda c, s: same_span(s, newest(c.starts("social_care", "start_date", **HELP))),
    ),
    (
        rf"Early help or a plan ended {SPAN}",
        lambda c, s: same_span(
            s, min(c.ago(r["end_date"]) for r in c.rows["social_care"] if "end_date" in r and r["kind"] in WORKING)
        ),
    ),
    (
        r"Special educational provision began or changed in the last year",
        lambda c: newest(c.starts("sen", "start_date")) <= 365,
    ),
    (
        rf"Special educational provision last changed {SPAN}",
        lambda c, s: same_span(s, newest(c.starts("sen", "start_date"))),
    ),
    (ALWAYS, None),
]


def untrue(text, child):
    """Return why a sentence is not true of a child, or None."""
    for pattern, check in CHECKS:
        match = re.fullmatch(pattern, text)
        if match:
            return None if check is None or check(child, *match.groups()) else "not true of the rows"
    return "a sentence that nobody can check"

"""Sentences about a child read back from their words, and checked against the rows counted anew."""

import re

from tests.support.neighbours_counted_anew import ROUND
from tests.support.rows_counted_anew import (
    ABSENT,
    HOLIDAY,
    ILL,
    LATE,
    NEVER,
    NO_REASON,
    UNAUTHORISED,
    WORKING,
    YEAR,
    applied,
    at_newest,
    between,
    close,
    compared,
    counted,
    days_in,
    has_sen,
    in_all,
    joined,
    joined_in_september,
    mid_year,
    more_or_less,
    never,
    newest,
    newest_school,
    number,
    open_care,
    recent,
    runs,
    same_span,
    shared,
    since_last_mark,
    termly,
    trailing,
    unanswered,
    weeks,
    within,
)

KINDS = {"Missed": ABSENT, "Absent without permission or with no reason yet for": UNAUTHORISED}
KINDS |= {"Absent with no accepted reason for": NO_REASON, "On a part-time timetable for": {"C2"}}
KINDS |= {"Late for": LATE, "Ill or at an appointment for": ILL, "On holiday without permission for": HOLIDAY}
CARE = {"Early help": "early_help", "An assessment by social care": "assessment", "Child in need support": "cin"}
CARE |= {"A child protection plan": "cpp", "Being looked after": "cla"}
SPAN = r"(today|yesterday|[\w ]+ ago|more than \d+ years)"
HELP = {"kind": ("early_help", "assessment", "cin", "cpp", "cla", "referral")}
SUSP, PERM = {"category": ("SUSP",)}, {"category": ("PERM",)}
WINDOW = r"(two weeks|four weeks|eight weeks|year|two years|\d+ days)"
LAST = f"in the last {WINDOW}"
NOW = r"(this school year)"
PART = r"(none|under 1%|\d+%|over 99%|all)"
SHARE = r"(none of the|under 1% of|\d+% of|over 99% of|all)"
TIMES = r"(once|twice|\d+ times)"
OFTEN = rf"{TIMES}, (?:the last time )?{SPAN}"
OF_THE_CHILD = [
    (r"In Reception by age", lambda c: c.year_group == 0),
    (r"In Year (\d+) by age", lambda c, n: c.year_group == int(n) > 0),
    (r"In Year 6 by age, before the move to secondary school", lambda c: c.year_group == 6),
    (r"In Year 7 by age, after the move to secondary school", lambda c: c.year_group == 7),
    (r"Term (\d) of the school year", lambda c, n: n == "2"),
    (
        r"At a (mainstream school|special school or alternative provision)",
        lambda c, k: (k[0] == "m") == (c.school == "1"),
    ),
    (rf"The newest mark in the register is from {SPAN}", lambda c, s: same_span(s, c.marks[0][0])),
    (rf"(\d+) sessions? recorded {LAST}", lambda c, n, d: len(c.codes(days_in(d))) == int(n)),
    (r"Registered at more than one school or provider", lambda c: any("status" in r for r in c.rows["enrolments"])),
    (r"Receives SEN support", has_sen(provision="K")),
    (r"Has an education, health and care plan", has_sen(provision="E")),
    (r"The recorded need is social, emotional and mental health", has_sen(primary_need=("SEMH",))),
    (r"The recorded need is a moderate learning difficulty", has_sen(primary_need=("MLD",))),
    (r"No application for secondary school is known", applied("phase", not_yet=("applied_on",))),
    (r"The offer of a secondary place was declined", applied("offered_on", "declined")),
    (r"The offer of a secondary place has not been answered for four weeks or longer", unanswered(28)),
    (r"A secondary place has been accepted", applied("accepted")),
    (r"No secondary place has been accepted yet", applied(not_yet=("accepted",))),
]
OF_TERMS = [
    (rf"Missed (\d+) of (\d+) sessions? in the newest returns \({PART}\)", termly(ABSENT, 250)),
    (rf"Missed {SHARE} sessions in the newest returns", termly(ABSENT, 250)),
    (rf"Missed {SHARE} sessions in the returns of the last five terms", termly(ABSENT, 600)),
    (
        rf"Absent without permission or with no reason yet for {SHARE} sessions in the newest returns",
        termly(UNAUTHORISED, 250),
    ),
    (r"No absence without permission in the newest returns", lambda c: termly(UNAUTHORISED, 250)(c, "none")),
]
CHECKS = [
    *((rf"{w} (\d+) of (\d+) sessions? {LAST} \({PART}\)", counted(k)) for w, k in KINDS.items()),
    *(
        (rf"{w} all (\d+) sessions {LAST}", lambda c, n, d, k=k: counted(k)(c, n, n, d, "all"))
        for w, k in KINDS.items()
    ),
    *((rf"{w} (\d+) of (\d+) sessions? {NOW} \({PART}\)", counted(k)) for w, k in KINDS.items()),
    *((rf"{w} all (\d+) sessions {NOW}", lambda c, n, d, k=k: counted(k)(c, n, n, d, "all")) for w, k in KINDS.items()),
    *((rf"{w} {SHARE} sessions {LAST}", shared(k)) for w, k in KINDS.items()),
    *((rf"{w} {SHARE} sessions between ([\w ]+) and ([\w ]+) ago", between(k)) for w, k in KINDS.items()),
    *(
        (rf"{w} {SHARE} sessions {LAST}, (up|down) from {PART} in the ([\w ]+) before", compared(k))
        for w, k in KINDS.items()
    ),
    *(
        (rf"{w} {SHARE} sessions {LAST}, (more|less) than in the ([\w ]+) before", more_or_less(k))
        for w, k in KINDS.items()
    ),
    *((rf"{w} {SHARE} sessions {NOW}", shared(k)) for w, k in KINDS.items()),
    *((rf"{w} (?:in the last )?(this school year|{WINDOW[1:]}", never(w)) for w in NEVER),
    (rf"Never away for longer than a day {LAST}", lambda c, d: max(runs(c, days_in(d)), default=0) <= 2),
    (rf"Missed up to (\d+) sessions? in a row {LAST}", lambda c, n, d: max(runs(c, days_in(d))) == int(n)),
    (rf"Was away on (\d+) separate occasions? {LAST}", lambda c, n, d: len(runs(c, days_in(d))) == int(n)),
    (r"Has missed the last (\d+) sessions? in a row", lambda c, n: trailing(c) >= int(n) > 1),
    (r"Was in school at the last session", lambda c: trailing(c) == 0 and c.marks[0][0] < 22),
    (
        r"No attendance recorded, present or absent, while the school held at least (\d+) sessions?",
        lambda c, n: 4 <= int(n) <= since_last_mark(c),
    ),
    (rf"Last seen in school {SPAN}", lambda c, s: same_span(s, next(a for a, _, x in c.marks if x not in ABSENT))),
    (
        r"Missed every session in (\d+) weeks? of the last 60 days",
        lambda c, n: sum(all(w) for w in weeks(c)) == int(n),
    ),
    (r"Has not missed a whole week in the last 60 days", lambda c: not any(all(w) for w in weeks(c))),
    (
        r"Missed at least half the sessions in (\d+) weeks? of .*",
        lambda c, n: sum(2 * sum(w) >= len(w) for w in weeks(c)) == int(n),
    ),
    (r"Came for most of each week in the last 60 days", lambda c: all(2 * sum(w) < len(w) for w in weeks(c))),
    (
        rf"Missed {SHARE} sessions in the last week with a register",
        lambda c, n: close(n, sum(weeks(c)[0]) / len(weeks(c)[0])),
    ),
    (r"Missed no session in the last week with a register", lambda c: not any(weeks(c)[0])),
    (rf"Moved home {TIMES} {LAST}", lambda c, n, d: c.moves(days_in(d)) == number(n) > 0),
    (
        rf"Has lived at (\d+) addresses that we know of, (both|all) {LAST}",
        lambda c, n, all_of, d: (
            len(c.homes) == int(n) and (n == "2") == (all_of == "both") and max(c.homes) <= days_in(d)
        ),
    ),
    (rf"Has not moved home {LAST}", lambda c, d: c.moves(days_in(d)) == 0),
    (
        rf"Has lived at (\d+) addresses that we know of; moved to the latest {SPAN}",
        lambda c, n, s: len(c.homes) == int(n) and same_span(s, min(c.homes)),
    ),
    (
        rf"Moved home {SPAN}",
        lambda c, s: same_span(s, min(c.homes)) and c.moves(YEAR + 1) > 0 and min(c.homes) < c.life,
    ),
    (r"At the same address for more than two years", lambda c: min(c.homes) >= 2 * YEAR),
    (r"Lives in temporary accommodation", lambda c: any(r["temporary"] for r in c.rows["addresses"])),
    (rf"Moved into temporary accommodation {OFTEN}", in_all("addresses", "start_date", temporary=(True,))),
    (
        rf"Joined this school mid-year, {SPAN}",
        lambda c, s: same_span(s, newest_school(c)) and "year" not in s and mid_year(newest_school(c)) and at_newest(c),
    ),
    (rf"Joined this school at the start of the school year, {SPAN}", joined_in_september),
    (rf"At this school for {SPAN}", lambda c, s: same_span(s, newest_school(c))),
    (
        rf"Joined a school mid-year {TIMES} in the last year",
        lambda c, n: 0 < number(n) <= len(joined(c, 366)),
    ),
    (
        rf"Joined a school mid-year {OFTEN}",
        lambda c, n, s: 0 < number(n) <= len(joined(c, 10**6)) and any(same_span(s, a) for a in joined(c, 10**6)),
    ),
    (
        r"Has not joined a school mid-year in the last year",
        lambda c: not any(mid_year(ago, 2) for ago in joined(c, 366)),
    ),
    (
        r"Has never joined a school mid-year, as far as the records show",
        lambda c: not any(mid_year(ago, 2) for ago in joined(c, 10**6)),
    ),
    (
        rf"Has been at (\d+) schools, and last joined one {SPAN}",
        lambda c, n, s: (
            len({r["urn"] for r in c.rows["enrolments"]}) == int(n)
            and same_span(s, min(joined(c, 10**6)))
            and at_newest(c)
        ),
    ),
    (
        rf"Left a school with no known destination {OFTEN}",
        in_all("enrolments", "leaving_date", destination=("unknown", "missing_education")),
    ),
    (
        r"Has never left a school without a known destination, as far as the records show",
        within("enrolments", "leaving_date", destination=("unknown", "missing_education")),
    ),
    (
        rf"Left this authority's schools {TIMES} before",
        recent("enrolments", "leaving_date", 10**6, destination=("abroad",)),
    ),
    (rf"Was reported missing education {OFTEN}", in_all("cme", "reported_on")),
    (r"No earlier case of missing education is recorded", within("cme", "reported_on")),
    (
        rf"Last went missing from education {SPAN}",
        lambda c, s: same_span(s, newest(c.starts("cme", "missing_from"))),
    ),
    *(
        (rf"Suspended {TIMES} in the last {words}", recent("suspensions", "start_date", days, **SUSP))
        for words, days in (("90 days", 90), ("year", 365))
    ),
    (rf"Suspended {OFTEN}", in_all("suspensions", "start_date", **SUSP)),
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
    (r"Never suspended, as far as the records show", within("suspensions", "start_date", **SUSP)),
    (rf"Permanently excluded {OFTEN}", in_all("suspensions", "start_date", **PERM)),
    (r"Never permanently excluded, as far as the records show", within("suspensions", "start_date", **PERM)),
    (rf"Last suspended {SPAN}", lambda c, s: same_span(s, newest(c.starts("suspensions", "start_date", **SUSP)))),
    *((rf"{words} is under way", open_care(kind)) for words, kind in CARE.items()),
    (
        rf"Referred to social care {TIMES} in the last year",
        recent("social_care", "start_date", 365, kind=("referral",)),
    ),
    (r"Not referred to social care in the last year", within("social_care", "start_date", 365, kind=("referral",))),
    (
        rf"Missing from home or care {TIMES} in the last year",
        recent("social_care", "start_date", 365, kind=("missing",)),
    ),
    (rf"Missing from home or care {OFTEN}", in_all("social_care", "start_date", kind=("missing",))),
    (r"Not missing from home or care in the last year", within("social_care", "start_date", 365, kind=("missing",))),
    (
        r"Never missing from home or care, as far as the records show",
        within("social_care", "start_date", kind=("missing",)),
    ),
    (
        rf"One episode of early help or social care is recorded; it began {SPAN}",
        lambda c, s: in_all("social_care", "start_date", kind=HELP["kind"][:5])(c, "once", s),
    ),
    (
        rf"(\d+) episodes of early help or social care are recorded; the last began {SPAN}",
        lambda c, n, s: in_all("social_care", "start_date", kind=HELP["kind"][:5])(c, f"{n} times", s),
    ),
    (r"No early help or social care is recorded", within("social_care", "start_date", kind=HELP["kind"][:5])),
    (
        rf"The most recent referral, or start of early help or social care, was {SPAN}",
        lambda c, s: same_span(s, newest(c.starts("social_care", "start_date", **HELP))),
    ),
    (
        rf"Early help, child in need support or a protection plan ended {SPAN}",
        lambda c, s: (
            same_span(
                s, min(c.ago(r["end_date"]) for r in c.rows["social_care"] if "end_date" in r and r["kind"] in WORKING)
            )
            and not any(open_care(kind)(c) for kind in WORKING)
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
    *OF_THE_CHILD,
    *OF_TERMS,
    *ROUND,
]


READERS = [(re.compile(pattern), check) for pattern, check in CHECKS]


def untrue(text, child):
    """Return why a sentence is not true of a child, or None."""
    for pattern, check in READERS:
        match = pattern.fullmatch(text)
        if match:
            return None if check(child, *match.groups()) else "not true of the rows"
    return "a sentence that nobody can check"

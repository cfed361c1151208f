"""The sentences that pages compose from a child's records, read back from their words and checked against the rows counted anew.

Each check also says what must be said: a line that leaves a move, an open service or a silent register out is as untrue as a wrong number.
"""

import re
from datetime import date, datetime, timedelta

from histories.calendar import school_days
from tests.support.odd_children import DAY
from tests.support.rows_counted_anew import ABSENT, UNAUTHORISED, YEAR, joined, mid_year, same_span

DATE = r"(\d{1,2} [A-Z][a-z]+ \d{4})"
ON = re.compile(DATE)
REASONS = {"without permission": set("OU"), "with no reason yet": {"N"}, "on holiday without permission": {"G"}}
REASONS |= {"ill": {"I"}, "at an appointment": {"M"}, "suspended": {"E"}, "on a part-time timetable": {"C2"}}
REASONS |= {"with permission": ABSENT - set().union(*REASONS.values())}
OPEN = {"cla": "Looked after", "cpp": "Child protection plan", "cin": "Child in need"}
OPEN |= {"assessment": "Assessment", "early_help": "Early help"}
MISSED = re.compile(
    rf"Missed (?:all|none of|(\d+) of) (\d+) sessions? (?:since {DATE}|from {DATE} to {DATE})(?:(?:: |, )(.+))?\."
)
COMPARED = re.compile(
    rf"Missed over the (?:last )?(?:(\d+) )?weeks? of school(?: to {DATE})?: (\d+)%"
    r"(?:; over the (?:(\d+) )?weeks? before: (\d+)%)?(?:; usual for (.+) here: (\d+)%)?\."
)
LAST_THERE = re.compile(rf"Last there in the week of {DATE}\.")
NEVER_THERE = re.compile(rf"Not there once since {DATE}\.")
MOVES = {
    "joined": re.compile(rf"Joined a school mid-year on {DATE}\."),
    "moved": re.compile(rf"Moved home on {DATE}\."),
}
SINCE = re.compile(rf"({'|'.join(OPEN.values())}) since {DATE}\.")


def ago(words):
    """Return how many days ago a written day was."""
    return (DAY - datetime.strptime(words, "%d %B %Y").date()).days


def monday(days):
    """Return how many days ago the Monday of a week began."""
    day = DAY - timedelta(days=days)
    return days + day.weekday()


def school_weeks(c):
    """Return the Mondays, in days ago and newest first, of the weeks of a year in which the child had a session."""
    return sorted({monday(n) for n, _, _ in c.marks if n > 0 and monday(n) <= 7 * 52})


def silent_since(c):
    """Return how many days ago the child was last marked at the school with any code but a planned closure, or joined it, and which."""
    joined = min(c.ago(r["entry_date"]) for r in c.rows["enrolments"])
    marks = [c.ago(r["date"]) for r in c.rows["attendance"] if r["code"] != "#" and 0 < c.ago(r["date"]) <= joined]
    return (min(marks), False) if marks else (joined, True)


def silent_days(c):
    """Return the days on which the school marked others since the child's last mark, or since it joined."""
    since, is_joining = silent_since(c)
    return sum(n < since + is_joining for n in c.everyone.open_days(c.school))


def line_untrue(line, c):
    """Return why a line composed from a child's records is not true or not complete, or None."""
    left = re.split(r"(?<=[.]) ", line) if line else []
    told = [*_missed(left, c), *_compared(left, c), *_moved(left, c), *_involved(left, c)]
    return "; ".join([*told, *(f"nobody can check: {s}" for s in left)]) or None


def _take(left, pattern):
    """Take the first sentence of a pattern out of those that are left."""
    for sentence in left:
        if match := pattern.fullmatch(sentence):
            left.remove(sentence)
            return match
    return None


def _missed(left, c):
    said, weeks = _take(left, MISSED), school_weeks(c)
    if not weeks or not said:
        yield from () if not weeks and not said else ("no line of absence, or one without a register",)
        return
    n, of, since, first, last, told = said.groups()
    start, newest = ago(since or first), c.marks[0][0]
    codes = [code for days, _, code in c.marks if 0 < days <= start]
    absent = [code for code in codes if code in ABSENT]
    many = {"all": len(codes), "none": 0}.get(said[0].split()[1], n)
    if (len(absent), len(codes)) != (int(many), int(of)) or start != weeks[:4][-1]:
        yield "absence is not that of the newest four weeks of school"
    if (newest > 14 or silent_days(c) >= 3) != bool(last) or (last and ago(last) != newest):
        yield "the register ended earlier, or another day"
    yield from _reasons(told, absent)
    yield from _there(left, c, weeks, all(code in ABSENT for code in codes))


def _there(left, c, weeks, is_all):
    """Check since when the child has missed everything: said if that is longer than four weeks of school."""
    there = [week for week in weeks if _share(c, [week]) < 100]
    said, never = _take(left, LAST_THERE), _take(left, NEVER_THERE)
    since = weeks.index(there[0]) if there else len(weeks)
    if (bool(said) or bool(never)) != (is_all and since > len(weeks[:4])):
        yield "since when all was missed is said, or left out"
    elif (said and ago(said[1]) != there[0]) or (never and (there or ago(never[1]) != weeks[-1])):
        yield "the child was last there in another week"


def _reasons(told, absent):
    said = {}
    for part in re.split(r", | and ", told or ""):
        if part:
            n, why = part.split(" ", 1)
            said[why] = len(absent) if n == "all" else int(n)
    counted = {why: sum(code in codes for code in absent) for why, codes in REASONS.items()}
    if said != {why: n for why, n in counted.items() if n}:
        yield "the reasons are others"


def _share(c, weeks):
    codes = [code for days, _, code in c.marks if days > 0 and monday(days) in weeks]
    return 100 * sum(code in ABSENT for code in codes) / len(codes) if codes else None


def _usual(c, weeks):
    """Return the share that the year group missed in the same weeks, which go back 22 at most."""
    if not weeks or weeks[-1] > monday(0) + 7 * 22 or any(not _all_of(c, week) for week in weeks):
        return None
    codes = [code for week in weeks for code in _all_of(c, week)]
    return 100 * sum(code in ABSENT for code in codes) / len(codes) if codes else None


def _all_of(c, week):
    """Return the codes of possible sessions of the child's year group in a week."""
    return c.everyone.codes_of_week(c.taught_year, week)


def _compared(left, c):
    said, weeks = _take(left, COMPARED), school_weeks(c)
    now, before, usual = _share(c, weeks[:12]), _share(c, weeks[12:24]), _usual(c, weeks[:12])
    if not said:
        yield from () if now is None or before is None is usual else ("absence is compared with nothing",)
        return
    many, last, share, many_before, share_before, year, share_usual = said.groups()
    if int(many or 1) != len(weeks[:12]) or (share_before and int(many_before or 1) != len(weeks[12:24])):
        yield "so many weeks of school there were not"
    for told, right in ((share, now), (share_before, before), (share_usual, usual)):
        if (told is None) != (right is None) or (told and abs(int(told) - right) > 0.501):
            yield "a share compared is another"
    if year and year != ("Reception" if c.taught_year == 0 else f"Year {c.taught_year}"):
        yield "the year group is another"
    if (c.marks[0][0] > 14 or silent_days(c) >= 3) != bool(last) or (last and ago(last) != c.marks[0][0]):
        yield "the weeks compared ended earlier"


def _moved(left, c):
    sure, maybe = ([s for s in joined(c, YEAR) if mid_year(s, slack)] for slack in (2, -2))
    said = _take(left, MOVES["joined"])
    if (said and ago(said[1]) != min(maybe, default=None)) or (sure and not said):
        yield "a school was joined on another day"
    rows = sorted(((c.ago(r["start_date"]), r["household_id"]) for r in c.rows["addresses"]), reverse=True)
    begun = [row for row in rows if row[0] > 0]
    # A row that goes on with the same home is no move.
    starts = [at for n, (at, home) in enumerate(begun) if n == 0 or home != begun[n - 1][1]]
    home = starts[-1] if len(starts) > 1 and starts[-1] <= YEAR else None
    said = _take(left, MOVES["moved"])
    if (ago(said[1]) if said else None) != home:
        yield "home was moved on another day"


def open_services(c):
    """Return the days ago since when each service has been involved."""
    rows = [r for r in c.rows["social_care"] if r["kind"] in OPEN and "end_date" not in r]
    return {r["kind"]: c.ago(r["start_date"]) for r in rows}


def _involved(left, c):
    said = {}
    while match := _take(left, SINCE):
        said[match[1]] = ago(match[2])
    if said != {OPEN[kind]: since for kind, since in open_services(c).items()}:
        yield "other services are involved"


def services_untrue(lines, c):
    """Return why the sentences about who is involved are not true or not complete, or None."""
    told = {}
    for line in lines:
        kind = {"In care": "cla", "Social ": "assessment", "Early h": "early_help"}.get(line[:7])
        parts = re.findall(r"since ([A-Z][a-z]+(?: \d{4})?)", line)
        if kind:
            told[kind] = parts[0]
        for plan in ("cpp", "cin"):
            if found := re.search(rf"{OPEN[plan]} since ([A-Z][a-z]+(?: \d{{4}})?)", line):
                told[plan] = found[1]
    right = open_services(c)
    if told.keys() != right.keys():
        return "other services are involved"
    if "cla" in told and not lines[0].endswith("ring the social worker."):
        return "care is not told first"
    wrong = [kind for kind, month in told.items() if month not in _months(right[kind])]
    return f"involved since another month: {wrong}" if wrong else None


def _months(days):
    """Return how the month of a day may be written: its year may be left out within eleven months."""
    day = DAY - timedelta(days=days)
    recent = 12 * (DAY.year - day.year) + DAY.month - day.month < 11
    return {f"{day:%B}"} if recent else {f"{day:%B %Y}"}


SILENT = re.compile(
    rf"No register of this child since {DATE}, while the school was open for (at least )?(\d+) school days?\. .+"
)


def silence_untrue(line, c):
    """Return why the line about a silent register (None if there is none) is not true, or None."""
    days = silent_days(c)
    if line is None:
        return "silence goes unsaid" if days >= 3 else None
    if not (read := SILENT.fullmatch(line)):
        return "nobody can check the line about silence"
    since, at_least, said = read.groups()
    enough = int(said) <= days if at_least else int(said) == days
    return None if ago(since) == silent_since(c)[0] and int(said) >= 3 and enough else "the silence was another"


FAMILY = re.compile(
    rf"(?:(Attends|Does not attend): m|M)issed (?:all|none of|(\d+) of) (\d+) sessions? in the four weeks to {DATE}\."
)
NO_REGISTER = re.compile(rf"No register in the four weeks to {DATE}\.")


def family_untrue(line, c, until):
    """Return why the line about a child at the same address is not true, or None; ``until``: how many days ago any of them was marked."""
    codes = c.codes(until + 27, until - 1)
    if silent := NO_REGISTER.fullmatch(line):
        return None if ago(silent[1]) == until and not codes else "there is a register"
    said = FAMILY.fullmatch(line)
    if not said:
        return "nobody can check the line about the family"
    absent = sum(x in ABSENT for x in codes)
    many = {"Attends": 0, "Does not attend": len(codes)}.get(said[1], said[2])
    right = (int(many), int(said[3]), ago(said[4])) == (absent, len(codes), until)
    return None if right and codes else "the family's absence is another"


RUNS = {
    "10 school days missed without permission": (UNAUTHORISED, 10, 3),
    "15 school days missed through": ({"I"}, 15, 8),
}
RUNS |= {"20 school days missed without permission": (UNAUTHORISED, 20, 10)}
CLOCK = re.compile(rf"(Overdue since|Due) {DATE} (.+) Began on {DATE}, (.+)\.")


def runs_of_days(c, kinds):
    """Return each run of whole days missed, as days ago, oldest first; the last may go on. Days without a mark for longer than 130 part runs."""
    days = {}
    for n, _, code in c.marks:
        if n > 0:
            days.setdefault(n, []).append(code in kinds)
    runs, before = [], None
    for n in sorted(days, reverse=True):
        if all(days[n]):
            goes_on = runs and runs[-1][-1] == before and before - n <= 130
            runs[-1:] = [[*runs[-1], n]] if goes_on else [*runs[-1:], [n]]
        before = n
    return runs, before


def duties(c):
    """Return the duties that runs of absence have begun: kind, days since the start, and the day that is due."""
    due = set()
    for kind, (kinds, limit, shown_from) in RUNS.items():
        least = min(first for codes, _, first in RUNS.values() if codes == kinds)
        open_days = [d for d in school_days(date(2024, 9, 1), DAY) if d < DAY]
        active = (DAY - open_days[-15]).days
        if sum(code in kinds for n, _, code in c.marks if 0 < n <= active) < least:
            continue
        runs, newest = runs_of_days(c, kinds)
        oldest = max((n for n, _, _ in c.marks if 0 < n <= 130), default=0)
        across = any(oldest in run for run in runs)
        for run in runs:
            is_read = across or run[-1] <= 130
            if is_read and len(run) >= (shown_from if run[-1] == newest else limit):
                due.add((kind, run[0], _day_reached(c, run, limit)))
    return due


def _day_reached(c, run, n):
    """Return the n-th day of a run: of those missed, or as if every school day after the newest mark were missed too."""
    if len(run) >= n:
        return DAY - timedelta(days=run[n - 1])
    of_school = sorted(DAY - timedelta(days=d) for d in c.everyone.open_days(c.school) if d < c.seen[0][0])
    later = [d for d in school_days(DAY, date(2025, 7, 31)) if d >= DAY]
    return [*of_school, *later][n - len(run) - 1]


def clock_read(text):
    """Return what a line about a duty says: kind, days since the start, and the day that is due; None if it is not true in itself."""
    if not (read := CLOCK.fullmatch(text)):
        return None
    late, due, words, start, span = read.groups()
    due_on = datetime.strptime(due, "%d %B %Y").date()
    kind = next(kind for kind in RUNS if kind in words)
    whole = "no reason yet" in words or RUNS[kind][0] == {"I"}
    right = (due_on < DAY) == (late != "Due") and whole and same_span(span, ago(start))
    return (kind, ago(start), due_on) if right else None

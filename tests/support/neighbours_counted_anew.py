"""The other children at a child's school, in its area and at its address, counted anew, and rates among them averaged as the features say."""

from tests.support.odd_children import DAY
from tests.support.rows_counted_anew import ABSENT, UNAUTHORISED, YEAR, close, days_in, joined, mid_year

WEIGHT, FEWEST = 200, 20  # children that the mean of the authority counts as, and below which there is no rate
LOST = ("unknown", "missing_education")


def new_addresses(c):
    return sum(1 <= s <= 2 * YEAR for s in c.homes)


def suspensions(c):
    return sum(1 <= s <= YEAR for s in c.starts("suspensions", "start_date", category=("SUSP",)))


def joined_at_least(c):
    return sum(mid_year(s, 2) for s in joined(c, 366))


def joined_at_most(c):
    return sum(mid_year(s, -2) for s in joined(c, 366))


def child_in_need(c):
    return any(r["kind"] == "cin" and "end_date" not in r and c.ago(r["start_date"]) > 0 for r in c.rows["social_care"])


COUNTS = {
    "pupils": lambda c: 1,
    "absent": lambda c: sum(x in ABSENT for x in c.codes(90)),
    "unauthorised": lambda c: sum(x in UNAUTHORISED for x in c.codes(90)),
    "possible": lambda c: len(c.codes(90)),
    "addresses": new_addresses,
    "suspensions": suspensions,
    "joined_at_least": joined_at_least,
    "joined_at_most": joined_at_most,
    "child_in_need": child_in_need,
}


class Everyone:
    """All children, with sums over those at one place."""

    def __init__(self, children):
        self.children, self._sums = children, {}
        for c in children:
            c.everyone = self

    def total(self, what, where=None, place=None):
        """Return the sum over the children whose ``where`` is a place, or over all."""
        key = (what, where, place)
        if key not in self._sums:
            self._sums[key] = sum(COUNTS[what](c) for c in self.children if where is None or getattr(c, where) == place)
        return self._sums[key]

    def lost(self, where=None, place=None):
        """Return the spells of two years that ended with nobody knowing where to, at a school, of an area, or at any school with children now."""
        key = ("lost", where, place)
        if key not in self._sums:
            schools = {c.school for c in self.children}
            left = [
                (r["urn"], c.area)
                for c in self.children
                for r in c.rows["enrolments"]
                if r.get("destination") in LOST and 0 < c.ago(r["leaving_date"]) <= 2 * YEAR
            ]
            at = {"school": 0, "area": 1}.get(where)
            self._sums[key] = sum(spell[0] in schools if at is None else spell[at] == place for spell in left)
        return self._sums[key]

    def open_days(self, school):
        """Return how many days ago a school marked a register."""
        key = ("open", school)
        if key not in self._sums:
            self._sums[key] = {ago for c in self.children if c.school == school for ago, _, _ in c.marks if ago > 0}
        return self._sums[key]

    def codes_of_week(self, taught_year, monday):
        """Return the codes of a year group's possible sessions in the week that began so many days ago."""
        key = ("week", taught_year, monday)
        if key not in self._sums:
            of_year = [mark for c in self.children if c.taught_year == taught_year for mark in c.marks]
            self._sums[key] = [code for ago, _, code in of_year if ago > 0 and monday - 7 < ago <= monday]
        return self._sums[key]


def others_at_home(c):
    return [o for o in c.everyone.children if o is not c and c.home and o.home == c.home]


def _average(c, where, near, whole, of_all):
    """Return the rate of some others, averaged with that of the authority; None if there are too few."""
    place = getattr(c, where)
    others = c.everyone.total("pupils", where, place) - 1
    if place is None or others < FEWEST:
        return None
    return (near / whole * others + of_all * WEIGHT) / (others + WEIGHT)


def average(c, where, part, whole):
    """Return a rate among the others at a child's school or in its area, averaged with that of the authority."""
    total, place = c.everyone.total, getattr(c, where)
    of_all = total(part) / total(whole)
    others = total(whole, where, place) - COUNTS[whole](c)
    return _average(c, where, total(part, where, place) - COUNTS[part](c), others, of_all)


def average_lost(c, where):
    everyone, place = c.everyone, getattr(c, where)
    of_all = everyone.lost() / everyone.total("pupils")
    others = everyone.total("pupils", where, place) - 1
    return _average(c, where, everyone.lost(where, place), others, of_all)


def reads(words, rate, slack=0.0):
    """Return whether a rate may be worded so: a percentage, a number in 1,000, or a number for 100 children."""
    if rate is None:
        return False
    if words == "fewer than 1 in 1,000":
        return rate - slack < 0.001
    of, step = (100, 0.051) if "%" in words or words.isdigit() else (1000, 0.51)
    step = 0.51 if words.isdigit() else step
    return abs(float(words.split(" in ")[0].rstrip("%")) - of * rate) <= step + of * slack


def joined_mid_year(c, words):
    least, most = (average(c, "school", f"joined_at_{end}", "pupils") for end in ("least", "most"))
    return reads(words, (least + most) / 2, (most - least) / 2)


def siblings_missed(c, share, window):
    codes = [x for o in others_at_home(c) for x in o.codes(days_in(window))]
    return close(share, sum(x in ABSENT for x in codes) / len(codes))


def rate_of(where, part, whole):
    return lambda c, words: reads(words, average(c, where, part, whole))


IN_1000 = r"(\d+ in 1,000|fewer than 1 in 1,000)"
PERCENT = r"(\d+\.\d%)"
ROUND = [
    (
        rf"Others at the school missed about {PERCENT} of sessions in the last 90 days",
        rate_of("school", "absent", "possible"),
    ),
    (
        rf"Others at the school missed about {PERCENT} of sessions without permission or with no reason yet in the last 90 days",
        rate_of("school", "unauthorised", "possible"),
    ),
    (
        rf"Other children in the area missed about {PERCENT} of sessions in the last 90 days",
        rate_of("area", "absent", "possible"),
    ),
    (
        r"About (\d+) suspensions for every 100 other children at the school in the last year",
        rate_of("school", "suspensions", "pupils"),
    ),
    (
        r"About (\d+) new addresses for every 100 other children in the area in the last two years",
        rate_of("area", "addresses", "pupils"),
    ),
    (rf"About {IN_1000} others at the school joined it mid-year in the last year", joined_mid_year),
    (
        rf"About {IN_1000} others at the school have a child in need plan",
        rate_of("school", "child_in_need", "pupils"),
    ),
    (
        rf"About {IN_1000} children left the school with no known destination in the last two years",
        lambda c, words: reads(words, average_lost(c, "school")),
    ),
    (
        rf"About {IN_1000} children in the area left a school with no known destination in the last two years",
        lambda c, words: reads(words, average_lost(c, "area")),
    ),
    (
        r"A school of about (\d+) children",
        lambda c, n: abs(int(n) - c.everyone.total("pupils", "school", c.school)) <= 1,
    ),
    (
        r"(\d+) other child(?:ren)? at the same address",
        lambda c, n: int(n) == len(others_at_home(c)) > 0,
    ),
    (r"Children at the same address missed (.*) sessions in the last (.*)", siblings_missed),
    (
        r"Lives in an area in income deprivation decile (\d+) of 10 \(1 is the most deprived\)",
        lambda c, n: int(n) == c.decile,
    ),
]
assert DAY.weekday() == 0  # weeks are counted from Mondays

"""Every reader gives a value one meaning: what is written in another way is the same, and what cannot be meant is told by place."""

import random
import re
from datetime import date

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from histories.identity import pseudonym
from histories.returns import FORMATS, import_return
from histories.returns.recognition import Recogniser
from tests.support.return_layouts import KEY, KIND, LAYOUTS, SOUND, UPN, stated, stated_or_refused, write
from tests.support.thinned import every_second

NBSP = "\u00a0"


def day(value):
    year, month, number = value.split("-")
    name = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[int(month) - 1]
    return year, month, number, name


AROUND = {
    "blanks around": lambda v: f"  {v} ",
    "a no-break space behind": lambda v: f"{v}{NBSP}",
    "a no-break space before": lambda v: f"{NBSP}{v}",
}
DAYS = {
    "with a time": lambda v: f"{v} 00:00:00",
    "with T and a time": lambda v: f"{v}T10:30:00",
    "with thousandths": lambda v: f"{v} 00:00:00.000",
    "day first": lambda v: "{2}/{1}/{0}".format(*day(v)),
    "day first with a time": lambda v: "{2}/{1}/{0} 00:00".format(*day(v)),
    "as COLLECT writes it": lambda v: "{0}-{3}-{2} 00:00:00".format(*day(v)),
    "with the month's name": lambda v: "{2}-{3}-{0}".format(*day(v)),
    "with hyphens": lambda v: "{2}-{1}-{0}".format(*day(v)),
    "with full stops": lambda v: "{2}.{1}.{0}".format(*day(v)),
    "in words": lambda v: "{2} {3} {0}".format(*day(v)),
    "with a year of two digits": lambda v: f"{day(v)[2]}/{day(v)[1]}/{v[2:4]}",
    "as Excel writes it": lambda v: f"{day(v)[2]}-{day(v)[3]}-{v[2:4]}",
    "year first with slashes": lambda v: v.replace("-", "/"),
    "before noon": lambda v: "{2}/{1}/{0} 9:05 AM".format(*day(v)),
    "with a time zone": lambda v: f"{v}T12:00:00+00:00",
}
# For each kind of value the other ways of writing it, all of which mean the same.
SAME = {
    "upn": {**AROUND, "lower case": str.lower, "a blank inside": lambda v: f"{v[:4]} {v[4:]}"},
    "day": {**AROUND, **DAYS},
    "end": {**AROUND, **DAYS},
    "number": {**AROUND, "as a decimal": lambda v: f"{v}.0", "as a longer decimal": lambda v: f"{v}.000"},
    "count": {**AROUND, "as a decimal": lambda v: f"{v}.0"},
    "code": {**AROUND, "lower case": str.lower},
}
# Values that cannot be meant: the return is refused with the place, or the row is told by line.
IMPOSSIBLE = {
    "day": ("9999-01-01", "0024-09-10", "2024-02-30", "24-09-10", "2023-07", "soon", ""),
    "end": ("9999-12-31", "2024-02-30", "31/09/24"),
    "upn": ("UN1", "un 3", "8.01E+11", "n/a", "  "),
    "code": ("QX7", "¬"),
    "count": ("four", "4.5"),
}
EMPTY = ("", "  ", NBSP)
ODD_BY_NATURE = {("marks by day", "code")}  # an empty mark is no mark


def kind(place):
    return KIND.get(place, place)


REWRITTEN = [(n, p, w) for n, layout in LAYOUTS.items() for p in layout.places for w in SAME.get(kind(p), ())]


def wrong_values(layout):
    """Yield each place with what it cannot hold: every impossible value once for its kind, and one of them in each other place."""
    seen = set()
    for place in layout.places:
        values = IMPOSSIBLE.get(kind(place), ())
        yield from ((place, v) for v in (values[:1] if kind(place) in seen else values))
        seen.add(kind(place))


WRONG = [(n, p, v) for n, layout in LAYOUTS.items() for p, v in wrong_values(layout)]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Give what each layout states with its sound values."""
    return {name: stated(layout, tmp_path_factory.mktemp("sound"), {})[0] for name, layout in LAYOUTS.items()}


def test_every_format_takes_part():
    assert {layout.form for layout in LAYOUTS.values()} == set(FORMATS) - {"csv"}
    assert len(REWRITTEN) + len(WRONG) >= 400


def every_fifth(values):
    """Return what each change tries; ``make prove`` tries the others."""
    return values[::5]


def others(values):
    return [value for n, value in enumerate(values) if n % 5]


PARTS = [every_fifth, pytest.param(others, marks=pytest.mark.prove)]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", LAYOUTS)
def test_a_value_written_in_another_way_reads_the_same(name, part, sound, tmp_path):
    """In each round every place is written in the next of its ways, until all ways of all places were tried."""
    ways = {p: list(SAME.get(kind(p), {}).items()) for p in LAYOUTS[name].places}
    ways = {p: known for p, known in ways.items() if known}
    for n in part(range(max(map(len, ways.values()), default=0))):
        tried = {p: known[n % len(known)] for p, known in ways.items()}
        values = {p: rewrite(SOUND[p]) for p, (_, rewrite) in tried.items()}
        assert stated(LAYOUTS[name], tmp_path / str(n), values)[0] == sound[name], {p: w for p, (w, _) in tried.items()}


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(sorted(LAYOUTS)), seed=st.integers(0, 10**6))
def test_values_written_in_other_ways_all_at_once_mean_the_same(name, seed, sound, tmp_path_factory):
    chance = random.Random(seed)
    values = {p: chance.choice(list(SAME[kind(p)].values()))(SOUND[p]) for p in LAYOUTS[name].places}
    assert stated(LAYOUTS[name], tmp_path_factory.mktemp("all"), values)[0] == sound[name]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", LAYOUTS)
def test_an_impossible_value_is_refused_or_reported_by_place(name, part, sound, tmp_path):
    for n, (place, value) in part(list(enumerate((p, v) for layout, p, v in WRONG if layout == name))):
        if (name, place) in ODD_BY_NATURE and not value.strip():
            continue
        tables, message = stated_or_refused(LAYOUTS[name], tmp_path / str(n), {place: value})
        assert tables != sound[name], (place, value)
        assert "line" in message, (place, value, message)
        assert any(file in message for file in LAYOUTS[name].files), (place, value, message)
        assert len(value.strip()) < 3 or value not in message, (place, value)


@pytest.mark.parametrize("name", every_second(n for n, layout in LAYOUTS.items() if "upn" in layout.places))
def test_a_placeholder_is_no_child(name, tmp_path):
    for n, value in enumerate(IMPOSSIBLE["upn"]):
        tables, _ = stated_or_refused(LAYOUTS[name], tmp_path / str(n), {"upn": value})
        assert pseudonym(UPN, KEY) not in str(tables), value
        assert not value.strip() or pseudonym(value.upper(), KEY) not in str(tables), value


@pytest.mark.parametrize("name", every_second(n for n, layout in LAYOUTS.items() if "end" in layout.places))
def test_an_empty_end_is_no_end_and_one_before_the_start_is_reported(name, tmp_path):
    layout = LAYOUTS[name]
    first, *others = [
        stated_or_refused(layout, tmp_path / f"empty {n}", {"end": value}) for n, value in enumerate(EMPTY)
    ]
    assert all(other == first for other in others)
    if layout.form not in ("marks", "deletions", "home-education"):  # there it is the day of recording
        _, message = stated_or_refused(layout, tmp_path / "early", {"end": "2019-01-01"})
        assert re.search("before (they begin|it begins)", message)
        assert "line" in message


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_file_is_recognised(name, tmp_path):
    for file in write(LAYOUTS[name], tmp_path / "return", {}):
        assert Recogniser(FORMATS).recognise(file).formats == (LAYOUTS[name].form,), file.name


@pytest.mark.parametrize("name", every_second(n for n, layout in LAYOUTS.items() if "day" in layout.places))
def test_returns_give_the_same_in_any_order_and_when_repeated(name, tmp_path):
    """The second says another end and, for a return with a period, corrects the first: so each has its day of submission."""
    layout = LAYOUTS[name]
    roll = write(LAYOUTS["school-census"], tmp_path / "roll", {"day": "2020-09-02", "end": ""})
    steps = [
        (write(layout, tmp_path / "first", {"end": ""}), date(2025, 9, 1)),
        (write(layout, tmp_path / "second", {"end": "2024-11-06", "code": "I"}), date(2025, 9, 8)),
    ]
    tables = []
    for n, order in enumerate(((0, 1), (1, 0, 1))):
        into = tmp_path / f"h{n}"
        if layout.form in ("deletions", "home-education"):
            import_return(FORMATS["school-census"], roll, into, KEY)
        for step in order:
            files, day_submitted = steps[step]
            import_return(FORMATS[layout.form], files, into, KEY, submitted_on=day_submitted)
        tables.append({f.name: duckdb.sql(f"FROM '{f}'").order("ALL").fetchall() for f in into.glob("*.parquet")})
    assert tables[0] == tables[1]
    assert tables[0], "the return states something"

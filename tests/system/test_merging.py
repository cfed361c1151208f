"""Importing is merging: returns in any order, together, repeated or corrected give the same histories as of every day."""

import random
import shutil
from datetime import date

import duckdb
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from histories.calendar import day_number
from histories.identity import pseudonym
from histories.reading.as_of import visible
from histories.reading.histories import Histories
from histories.returns import FORMATS, import_return
from histories.returns.formats.school_census import census_day
from tests.support.census_files import left, on_roll, upn, write_census
from tests.support.return_files import write_lists, write_school_census, write_social_care
from tests.support.shared import shared_folder

KEY = b"a key for tests only"
CENSUS = FORMATS["school-census"]
AUTUMN, SPRING, SUMMER = (census_day(*c) for c in ((2024, "autumn"), (2025, "spring"), (2025, "summer")))


def rows(folder, table, columns="*", where="true"):
    """Return the rows of an imported table; no rows if it is absent."""
    file = folder / f"{table}.parquet"
    return (
        duckdb.connect().sql(f"SELECT {columns} FROM '{file}' WHERE {where} ORDER BY ALL").fetchall()
        if file.is_file()
        else []
    )


def everything(folder):
    """Return every row of every table."""
    return {f.stem: rows(folder, f.stem) for f in sorted(folder.glob("*.parquet"))}


def seen(folder, day):
    """Return what is visible as of a day, table by table."""
    histories = Histories.open(folder)
    pupils = histories.frame("pupils").select("pupil_id").collect().to_arrow()["pupil_id"].to_pylist()
    import pyarrow as pa

    snapshots = pa.table({"pupil_id": pupils, "as_of": pa.array([day_number(day)] * len(pupils), pa.int32())})
    rows = {}
    for table in ("enrolments", "sen", "fsm", "addresses", "suspensions", "termly_attendance", "social_care", "cme"):
        if table in histories.present:
            frame = visible(histories, table, histories.given(snapshots)).drop("age").collect()
            rows[table] = sorted(map(str, frame.to_arrow().to_pylist()))
    return rows


def child(n):
    return f"pupil_id = '{pseudonym(upn(n), KEY)}'"


def imported(into, *steps):
    """Import censuses in sequence; a step is a folder or (folder, date of submission)."""
    for step in steps:
        folder, day = step if isinstance(step, tuple) else (step, None)
        import_return(CENSUS, [folder], into, KEY, submitted_on=day)
    return into


@pytest.fixture
def three(tmp_path):
    """Three censuses: one child stays, one leaves, one joins, one is suspended."""
    a = write_census(
        tmp_path / "a", "2024_autumn", [on_roll(1), on_roll(2), on_roll(3, sen="K")], meals=[(1, "2023-09-04", "")]
    )
    s = write_census(
        tmp_path / "s",
        "2025_spring",
        [on_roll(1), left(2, "2024-12-20"), on_roll(3, sen="E"), on_roll(4, "2025-01-06")],
        suspended=[(1, "2024-11-04")],
        meals=[(1, "2023-09-04", "2024-12-01")],
        sessions=[(1, "I", 4)],
    )
    u = write_census(
        tmp_path / "u",
        "2025_summer",
        [on_roll(1), on_roll(3, sen="E"), on_roll(4, "2025-01-06")],
        suspended=[(1, "2024-11-04")],
    )
    return a, s, u


def test_the_order_of_import_does_not_matter(three, tmp_path):
    at_once = tmp_path / "at_once"
    import_return(CENSUS, list(three), at_once, KEY)
    expected = everything(at_once)
    assert len(expected["enrolments"]) == 4
    for n, order in enumerate([(0, 1, 2, 0), (2, 1, 0, 2), (1, 2, 0), (1, 0, 2)]):
        assert everything(imported(tmp_path / f"h{n}", *(three[c] for c in order))) == expected, order


# What a spring census said first and says when it is submitted again on 3 March; each kind of correction has a child of its own.
FIX = date(2025, 3, 3)
FIRST = {
    "rows": [
        *(on_roll(n) for n in (1, 2, 3, 6, 7, 9, 11)),
        *(left(n, "2024-12-20") for n in (4, 5)),
        on_roll(8, sen="E"),
        on_roll(10, "2025-01-06"),
    ],
    "suspended": [(1, "2024-11-04"), (2, "2024-11-05"), (11, "2024-11-06")],
    "meals": [(9, "2023-09-04", "2024-12-01")],
    "sessions": [(11, "I", 4)],
}
CORRECTED = {
    "rows": [
        *(on_roll(n) for n in (1, 5, 8, 9, 11, 12)),
        on_roll(2, "2021-09-06"),
        on_roll(3, dob="2012-05-01"),
        left(4, "2024-12-13"),
        on_roll(6, urn="100002"),
        on_roll(7),
    ],
    "suspended": [(2, "2024-11-05"), (11, "2024-11-06", 5)],
    "meals": [(9, "2023-09-04", "")],
    "sessions": [(11, "I", 6)],
}
# A kind of correction: its child, what a table holds after it, and which columns of which table.
CORRECTIONS = {
    "a suspension is withdrawn": (1, "suspensions", "start_date", []),
    "an entry date is corrected": (2, "enrolments", "entry_date, leaving_date", [(date(2021, 9, 6), None)]),
    "a date of birth is corrected": (3, "pupils", "date_of_birth", [(date(2012, 5, 1),)]),
    "a leaving date is corrected": (
        4,
        "enrolments",
        "leaving_date, leaving_recorded_on",
        [(date(2024, 12, 13), FIX), (date(2024, 12, 20), SPRING)],
    ),
    "a leaver is back on roll": (
        5,
        "enrolments",
        "leaving_date, recorded_on",
        [(date(2024, 12, 20), AUTUMN), (None, FIX)],
    ),
    "a child is taken off the roll of one school and put on another": (
        6,
        "enrolments",
        "urn, leaving_date, coalesce(leaving_recorded_on, recorded_on)",
        [("100001", date(2025, 1, 15), FIX), ("100002", None, FIX)],
    ),
    "nothing is corrected": (7, "enrolments", "leaving_date, recorded_on", [(None, AUTUMN)]),
    "provision is withdrawn": (8, "sen", "provision, end_date", [("K", SPRING)]),
    "an end of meals is withdrawn": (9, "fsm", "end_date, recorded_on", [(date(2024, 12, 1), SPRING), (None, FIX)]),
    "the length of a suspension is corrected": (11, "suspensions", "sessions, recorded_on", [(2, SPRING), (5, FIX)]),
    "a child who never came is taken off the roll": (10, "enrolments", "entry_date", []),
    "a child who never came is nobody": (10, "pupils", "date_of_birth", []),
    "sessions are corrected": (11, "termly_attendance", "code, sessions", [("I", 6)]),
    "a child was forgotten": (12, "enrolments", "recorded_on", [(FIX,)]),
}


@pytest.fixture(scope="module", params=[(0, 1, 2), (0, 2, 1), (2, 1, 0)], ids=str)
def corrected(request, tmp_path_factory):
    """Histories of an autumn and a spring census and the correction of spring, in three orders."""
    order = request.param

    def build(home):
        autumn = [on_roll(n, sen="K" if n == 8 else "N") for n in (*range(1, 10), 11)]
        steps = [
            write_census(home / "autumn", "2024_autumn", autumn),
            write_census(home / "spring", "2025_spring", **FIRST),
            (write_census(home / "fix", "2025_spring", **CORRECTED), FIX),
        ]
        into = imported(home / "h", *(steps[n] for n in order))
        before = everything(into)
        assert everything(imported(into, steps[1], steps[0])) == before, "what was imported before changes nothing"

    return shared_folder(tmp_path_factory, f"corrected_{''.join(map(str, order))}", build) / "h"


@pytest.mark.parametrize("what", CORRECTIONS)
def test_a_census_that_is_submitted_again_corrects_the_first(corrected, what):
    n, table, columns, expected = CORRECTIONS[what]
    assert rows(corrected, table, columns, child(n)) == expected


def test_until_the_correction_came_the_histories_show_what_was_stated(tmp_path):
    """Corrected ends, lengths, leavings and rolls; what a correction withdraws altogether is gone."""
    chosen = (4, 5, 6, 9, 11)
    autumn = write_census(tmp_path / "a", "2024_autumn", [on_roll(n) for n in chosen])
    first = {
        "rows": [row for row in FIRST["rows"] if int(row["id"][1:]) in chosen],
        "suspended": [row for row in FIRST["suspended"] if row[0] in chosen],
        "meals": FIRST["meals"],
    }
    spring = write_census(tmp_path / "s", "2025_spring", **first)
    fix = write_census(tmp_path / "f", "2025_spring", **CORRECTED | {"sessions": ()})
    without = imported(tmp_path / "without", autumn, spring)
    corrected = imported(shutil.copytree(without, tmp_path / "corrected"), (fix, FIX))
    chosen_keys = {pseudonym(upn(n), KEY) for n in chosen}
    for day, same in ((date(2025, 2, 3), True), (FIX, True), (date(2025, 3, 4), False)):
        before, after = (
            {
                table: [row for row in table_rows if any(key in row for key in chosen_keys)]
                for table, table_rows in seen(h, day).items()
            }
            for h in (without, corrected)
        )
        assert (before == after) == same, day


def test_an_undated_correction_counts_if_imported_last(three, tmp_path):
    fixed = write_census(tmp_path / "fix", "2025_spring", [on_roll(1, dob="2012-05-01"), on_roll(4, "2025-01-06")])
    into = imported(tmp_path / "h", *three, fixed)
    assert rows(into, "pupils", "date_of_birth", child(1)) == [(date(2012, 5, 1),)]
    assert rows(into, "enrolments", "leaving_date, leaving_recorded_on", child(3)) == [(date(2025, 1, 15), SUMMER)]


def test_a_correction_by_one_school_leaves_the_others_unchanged(tmp_path):
    both = write_census(tmp_path / "s", "2025_spring", [on_roll(1), on_roll(2, urn="100002")])
    one = write_census(tmp_path / "fix", "2025_spring", [on_roll(3, urn="100002")])
    into = imported(tmp_path / "h", both, one)
    assert {r[0] for r in rows(into, "enrolments", "pupil_id")} == {pseudonym(upn(n), KEY) for n in (1, 3)}


def test_a_child_missing_from_a_later_census_has_left_until_listed_again(tmp_path):
    a = write_census(tmp_path / "a", "2024_autumn", [on_roll(1), on_roll(2)])
    s = write_census(tmp_path / "s", "2025_spring", [on_roll(2)])
    u = write_census(tmp_path / "u", "2025_summer", [on_roll(1), on_roll(2)])
    into = imported(tmp_path / "h", a, s)
    assert rows(into, "enrolments", "leaving_date", child(1)) == [(date(2025, 1, 15),)]
    into = imported(into, u)
    assert rows(into, "enrolments", "recorded_on, leaving_date", child(1)) == [
        (AUTUMN, date(2025, 1, 15)),
        (SUMMER, None),
    ]


def test_rows_from_before_the_first_import_are_kept(three, tmp_path):
    into = imported(tmp_path / "h", three[0])
    before = everything(into)
    for file in (into / ".returns").iterdir():
        file.unlink()
    (into / ".returns").rmdir()
    imported(into, three[0])
    assert everything(into) == before
    imported(into, three[1], three[2])
    assert len(rows(into, "enrolments", "1", "leaving_date IS NULL")) == 3


# Small worlds: for each child its spells at two schools, cut into three censuses by what is true on each census day.
spells = st.lists(
    st.tuples(st.integers(0, 700), st.integers(1, 400), st.sampled_from(["100001", "100002"])), min_size=1, max_size=3
)


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=st.lists(spells, min_size=1, max_size=4), seed=st.integers(0, 10**6), slips=st.sets(st.integers(0, 11)))
def test_any_world_in_any_order_with_corrections(tmp_path_factory, world, seed, slips):
    """A census with errors (missing children, wrong dates of birth) and its correction; shuffled, repeated or together."""
    home = tmp_path_factory.mktemp("world")
    chance = random.Random(seed)
    steps = []
    for c, (term, day) in enumerate((("2024_autumn", AUTUMN), ("2025_spring", SPRING), ("2025_summer", SUMMER))):
        listed = []
        for n, child_spells in enumerate(world):
            until = date(2023, 9, 1).toordinal()
            for begins, length, urn in sorted(child_spells):
                start = max(until, date(2023, 9, 1).toordinal() + begins) + 1
                until = start + length
                entry, leaving = date.fromordinal(start), date.fromordinal(until)
                if entry <= day < leaving:
                    listed.append(on_roll(n, entry.isoformat(), urn, id=f"r{n}-{start}"))
                elif leaving <= day:
                    listed.append(left(n, leaving.isoformat(), entry.isoformat(), urn, id=f"x{n}-{start}"))
        if not listed:
            continue  # a census of nobody is refused
        right = write_census(home / f"{c}", term, listed)
        wrong = [r | {"dob": "2010-01-01"} if chance.random() < 0.5 else r for r in listed if chance.random() < 0.7]
        if c in slips and wrong:
            steps.append((write_census(home / f"{c}-slip", term, wrong), day))
            steps.append((right, date.fromordinal(day.toordinal() + 20)))
        else:
            steps.append((right, None))
    assume(steps)
    expected = everything(imported(home / "in_order", *steps))
    chance.shuffle(steps)
    assert everything(imported(home / "shuffled", *steps, *chance.sample(steps, 2))) == expected


@pytest.mark.parametrize(("pupils", "years"), [(150, 2), pytest.param(20_000, 3, marks=pytest.mark.prove)])
def test_a_simulated_authority_cut_into_returns(tmp_path, pupils, years):
    """Years, return by return and with a slip corrected, give what one import of all gives, as of every census day."""
    from histories.population.simulation import simulate

    simulate(tmp_path / "made", pupils=pupils, years=years, seed=11)
    terms = write_school_census(tmp_path / "made", tmp_path / "census", (2026 - years, 2026))
    write_social_care(tmp_path / "made", tmp_path / "care")
    write_lists(tmp_path / "made", tmp_path / "lists")
    other = [("cin-census", tmp_path / "care" / "cin.xml"), ("ssda903", tmp_path / "care" / "903")]
    other += [("schools", tmp_path / "lists" / "schools.csv")]
    cases = tmp_path / "lists" / "cases.csv"
    other += [("cme-cases", cases)] if len(cases.read_text().splitlines()) > 1 else []
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    import_return(CENSUS, [tmp_path / "census"], whole, KEY)
    for form, file in other:
        import_return(FORMATS[form], [file], whole, KEY)
    steps = [(form, [file]) for form, file in other]
    steps += [("school-census", sorted((tmp_path / "census").glob(f"{y}_{t}_*"))) for y, t in terms]
    slip = tmp_path / "slip"
    slip.mkdir()
    year, term = terms[3]
    for file in steps[len(other) + 3][1]:
        lines = file.read_text().splitlines(keepends=True)
        kept = [line for n, line in enumerate(lines) if n % 17 != 5] if "pupilonroll" in file.name else lines
        (slip / file.name).write_text("".join(kept))
    import_return(CENSUS, [slip], cut, KEY, submitted_on=census_day(year, term))
    chance = random.Random(3)
    chance.shuffle(steps)
    for form, files in [*steps, *chance.sample(steps, 3)]:
        import_return(
            FORMATS[form],
            files,
            cut,
            KEY,
            submitted_on=census_day(year, term)
            if form == "school-census" and f"{year}_{term}" in str(files[0])
            else None,
        )
    assert everything(cut).keys() == everything(whole).keys()
    for y, t in terms[4:]:
        day = census_day(y, t)
        assert seen(cut, day) == seen(whole, day), day

"""Children on no roll: found with their certainty; twins and moved families are distinguished, and names stay in their file."""

import csv
import hashlib
import json
import re
import stat
from datetime import date

import click
import numpy as np
import openpyxl
import pytest
from click.testing import CliRunner

from histories.cli.find import find
from histories.errors import Faults
from histories.linking.no_roll import find_no_roll
from histories.reading.histories import Histories
from tests.support.made_up_people import persons, pupils
from tests.support.made_up_rolls import write_rolls

AS_OF = date(2024, 10, 1)
OFF = {"leaving_date": "2024-03-28", "leaving_recorded_on": "2024-04-02"}


def listed(folder, register="persons.csv", as_of=AS_OF):
    """Return the search's result, and the rows of its file by the register's reference."""
    search = find_no_roll(Histories.open(folder / "h"), folder / "h", folder / register, folder / "list.csv", as_of)
    with (folder / "list.csv").open(newline="") as rows:
        return search, {r["reference"]: r for r in csv.DictReader(rows)}


# Children of one register: the pupil's names in the store (or None), the spell, the register's row, and the expected result.
AMARA = ("Amara", "Okafor", "2012-03-04", "F", "QX1 1AA")
CASES = {
    "on_roll": (AMARA, {}, {}, None),
    # Her twin is on no roll: the same surname, day of birth and home.
    "twin": (
        None,
        {},
        dict(zip(("forename", "surname", "dob", "sex", "postcode"), ("Zoe", *AMARA[1:]), strict=True)),
        "no_link",
    ),
    # Of these twins the register has only the one who is on no roll.
    "lone_twin": (("Ben", "Quill", "2013-05-06", "M", "QX2 2BB"), {}, {"forename": "Tom"}, "doubtful"),
    "moved": (("Ivo", "Marchetti", "2011-01-09", "M", "QX3 3CC"), {}, {"postcode": "QX9 9ZZ"}, None),
    "moved_sister": (("Lea", "Marchetti", "2014-02-10", "F", "QX3 3CC"), {}, {"postcode": "QX9 9ZZ"}, None),
    "moved_off": (("Uma", "Petridis", "2014-02-11", "F", "QX3 3CD"), OFF, {"postcode": "QX9 9ZY"}, "off_roll"),
    "off": (("Nia", "Abara", "2010-07-01", "F", "QX4 4DD"), {**OFF, "destination": "unknown"}, {}, "off_roll"),
    "died": (("Gus", "Tolle", "2010-07-02", "M", "QX4 4DE"), {**OFF, "destination": "deceased"}, {}, None),
    "end_known_later": (
        ("Pia", "Wren", "2010-07-03", "F", "QX4 4DF"),
        {**OFF, "leaving_recorded_on": "2024-11-01"},
        {},
        None,
    ),
    "leaves_later": (("Kit", "Solano", "2010-07-04", "M", "QX4 4DG"), {**OFF, "leaving_date": "2024-12-20"}, {}, None),
    "starts_later": (
        ("Mo", "Farouk", "2012-12-12", "M", "QX5 5EE"),
        {"entry_date": "2024-11-04", "recorded_on": "2024-09-09"},
        {},
        "off_roll",
    ),
    "joined_later": (
        ("Abe", "Lindqvist", "2012-12-13", "M", "QX5 5EF"),
        {"entry_date": "2024-09-04", "recorded_on": "2024-10-07"},
        {},
        "off_roll",
    ),
    "stranger": (
        None,
        {},
        {"forename": "Xanthe", "surname": "Vbrnk", "dob": "2015-05-05", "postcode": "QX6 6FF"},
        "no_link",
    ),
    "three": (None, {}, {"forename": "Young", "surname": "Vbrnk", "dob": "2021-05-05"}, None),
    "seventeen": (None, {}, {"forename": "Older", "surname": "Vbrnk", "dob": "2007-05-05"}, None),
    "undated": (None, {}, {"forename": "Undated", "surname": "Vbrnk", "dob": ""}, None),
    "by_upn": (
        ("Eve", "Adeyemi", "2013-09-09", "F", "QX7 7GG"),
        {},
        {"upn": " a801200000001", "surname": "Novakova", "postcode": ""},
        None,
    ),
    "anothers_upn": (
        None,
        {},
        {"forename": "Rex", "surname": "Dunmore", "dob": "2013-01-02", "upn": "A801200000001"},
        "doubtful",
    ),
    # The UPN of a pupil who is not in the register.
    "wrong_upn": (
        None,
        {},
        {"forename": "Ada", "surname": "Kowal", "dob": "2013-01-04", "upn": "B801200000002"},
        "doubtful",
    ),
    "placeholder": (None, {}, {"forename": "Sol", "surname": "Kvist", "dob": "2013-01-03", "upn": "UN1"}, "no_link"),
    "twice_old_home": (("Lou", "Brandt", "2012-08-08", "F", "QX8 8HH"), {}, {}, None),
    "twice_new_home": (
        None,
        {},
        {"forename": "Lou", "surname": "Brandt", "dob": "2012-08-08", "postcode": "QX9 1AB"},
        "doubtful",
    ),
}
COLUMNS = ("forename", "surname", "dob", "sex", "postcode")


def build_folder(folder):
    others = pupils(1500, seed=9, twins=0.0)
    names, spells, register = {c: list(v) for c, v in others.items()}, {}, []
    for case, (pupil, spell, row, _) in CASES.items():
        if pupil:
            for column, value in zip(COLUMNS, pupil, strict=True):
                names[column].append(value)
            names["pupil_id"].append(f"p-{case}")
            spells[f"p-{case}"] = spell
        details = dict(zip(COLUMNS, pupil or [""] * 5, strict=True))
        register.append({"reference": case, "upn": "", **details, **row})
    upns = {"p-by_upn": "A801200000001", "p0": "B801200000002"}
    names["upn"] = [upns.get(p) for p in names["pupil_id"]]
    write_rolls(folder, names, spells, register)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return build_folder(tmp_path_factory.mktemp("find"))


@pytest.fixture(scope="module")
def search(folder):
    return listed(folder)


@pytest.mark.parametrize("case", CASES)
def test_each_child_is_listed_with_the_right_certainty(search, case):
    _, rows = search
    assert rows.get(case, {}).get("sureness") == (CASES[case][3] or None)


def test_the_list_has_the_leaving_date_and_the_destination(search):
    _, rows = search
    assert (rows["off"]["off_roll_since"], rows["off"]["destination"]) == ("2024-03-28", "unknown")
    assert (rows["starts_later"]["starts_on"], rows["starts_later"]["off_roll_since"]) == ("2024-11-04", "")
    assert rows["off"]["pupil_id"] == "p-off"
    assert float(rows["off"]["probability"]) > 0.99
    assert 0.9 <= float(rows["lone_twin"]["probability"]) <= 1
    assert rows["lone_twin"]["pupil_on_roll"] == "yes"
    assert rows["lone_twin"]["why"] == "the forename differs"
    assert rows["stranger"]["pupil_id"] == rows["stranger"]["why"] == ""


def test_counts_and_row_numbers_agree_with_the_register(search):
    result, rows = search
    order = {case: n for n, case in enumerate(CASES, start=2)}
    for sureness, numbers in result.rows.items():
        assert numbers == sorted(order[c] for c, r in rows.items() if r["sureness"] == sureness)
    counts = result.counts
    assert counts["rows"] == len(CASES)
    assert (counts["without_date_of_birth"], counts["other_ages"]) == (1, 2)
    outcomes = ("on_roll", "off_roll", "no_link", "doubtful", "died")
    assert sum(counts[c] for c in outcomes) == counts["school_age"] == len(CASES) - 3
    assert any("(rows 17)" in w for w in result.warnings)


def test_the_verb_prints_no_name_and_writes_none_into_histories(folder):
    before = {f: hashlib.sha256(f.read_bytes()).digest() for f in (folder / "h").rglob("*") if f.is_file()}
    run = CliRunner().invoke(find, [str(folder / "h"), "--register", str(folder / "persons.csv"), "--json"])
    assert run.exit_code == 0, run.stderr
    answer = json.loads(run.stdout)
    assert answer["as_of"] == "2024-11-02", "the day after the newest record, which is of a leaving"
    file = folder / "h.linkage" / "no_roll.csv"
    assert answer["out"] == str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    values = {v for _, _, row, _ in CASES.values() for v in row.values()} | {
        v for p, *_ in CASES.values() for v in p or ()
    }
    assert "Vbrnk" in file.read_text()
    for value in values - {"", "F", "M"}:
        assert not re.search(rf"\b{re.escape(value)}\b", run.stdout + run.stderr)
    assert before == {f: hashlib.sha256(f.read_bytes()).digest() for f in (folder / "h").rglob("*") if f.is_file()}


HEADINGS = {"dob": "Date of Birth", "forename": " First Name", "surname": "FAMILY NAME", "reference": "Own Reference"}


@pytest.mark.parametrize(
    ("delimiter", "encoding", "day"),
    [(";", "cp1252", "{2}/{1}/{0}"), ("\t", "utf-16", "{2}.{1}.{0}"), (",", "utf-8-sig", "{2}/{1}/{0} 00:00")],
)
def test_registers_are_read_in_every_export_format(folder, search, delimiter, encoding, day):
    """Other headings, date formats and encodings, an address in place of a postcode, and blank rows at the end."""
    with (folder / "persons.csv").open(newline="") as rows:
        rows = list(csv.DictReader(rows))
    with (folder / "other.csv").open("w", encoding=encoding, newline="") as out:
        table = csv.writer(out, delimiter=delimiter)
        table.writerow([*(HEADINGS.get(c, c.title()) for c in rows[0] if c != "postcode"), "Address 1", "Address 2"])
        for row in rows:
            row["dob"] = day.format(*row["dob"].split("-")) if row["dob"] else ""
            home = row.pop("postcode")
            table.writerow([*row.values(), "1 Café Lane", f"Anytown {home}"])
        table.writerow([""] * (len(rows[0]) + 2))
    result, others = listed(folder, "other.csv")
    assert (result.counts, result.rows) == (search[0].counts, search[0].rows)
    assert {c: r["sureness"] for c, r in others.items()} == {c: r["sureness"] for c, r in search[1].items()}


def test_a_register_may_be_a_workbook_with_real_dates(folder, search):
    with (folder / "persons.csv").open(newline="") as rows:
        rows = list(csv.DictReader(rows))
    book = openpyxl.Workbook()
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append([date.fromisoformat(v) if c == "dob" and v else v or None for c, v in row.items()])
    book.save(folder / "register.xlsx")
    result, _ = listed(folder, "register.xlsx")
    assert (result.counts, result.rows) == (search[0].counts, search[0].rows)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"forename,surname\nA,B\n", "column dob.*\n.*date_of_birth"),
        (b"forename,surname,dob\nZebedee,B,notaday\n", r"column dob, lines 2"),
        (b"forename,surname,dob\nZebedee,B,31/02/2013\n", r"column dob, lines 2"),
        (b"forename,surname,dob\nZebedee,B\n", "bad.csv"),
    ],
)
def test_an_invalid_register_is_refused_and_nothing_is_written(folder, content, message):
    (folder / "bad.csv").write_bytes(content)
    out = folder / "bad_list.csv"
    with pytest.raises(Faults) as refused:
        find_no_roll(Histories.open(folder / "h"), folder / "h", folder / "bad.csv", out, AS_OF)
    assert re.search(message, str(refused.value))
    assert "Zebedee" not in str(refused.value)
    assert not out.exists()


def test_without_names_or_rolls_the_verb_refuses(folder, tmp_path):
    opened = Histories.open(folder / "h")
    with pytest.raises(Faults, match="school-census"):
        find_no_roll(opened, tmp_path / "elsewhere", folder / "persons.csv", tmp_path / "list.csv", AS_OF)
    with pytest.raises(Faults, match="no pupil was known to be on a roll as of 2019"):
        find_no_roll(opened, folder / "h", folder / "persons.csv", tmp_path / "list.csv", date(2019, 1, 1))


def test_names_cannot_be_written_into_histories(folder):
    arguments = [str(folder / "h"), "--register", str(folder / "persons.csv"), "--out", str(folder / "h" / "list.csv")]
    assert "outside the histories folder" in str(CliRunner().invoke(find, arguments).exception)
    assert not (folder / "h" / "list.csv").exists()


def measure(folder, among, many):
    """Return recall and false alarms of a register in which 5% are unknown to every roll and 5% have left.

    The errors are those of ``persons``: 10% forename and 8% surname typos, 5% changed surnames, 2% wrong days, 25% moved.
    """
    register, names = persons(pupils(among), many, absent=0.05)
    rng = np.random.default_rng(5)
    left = {p for p, draw in zip(names["pupil_id"], rng.random(among), strict=False) if draw < 0.05}
    write_rolls(folder, names, dict.fromkeys(left, OFF), [{**r, "reference": r["person_id"]} for r in register])
    _, rows = listed(folder)
    low, high = "2008-09-01", "2019-08-31"  # of compulsory school age on the day
    truth = {r["person_id"]: not r["true"] or r["true"] in left for r in register if low <= r["dob"] <= high}
    gone, there = [p for p, no_roll in truth.items() if no_roll], [p for p, no_roll in truth.items() if not no_roll]
    sure = {p for p, r in rows.items() if r["sureness"] != "doubtful"}
    return {
        "children of school age": len(truth),
        "on no roll": len(gone),
        "recall at the automatic level": sum(p in sure for p in gone) / len(gone),
        "recall with doubtful": sum(p in rows for p in gone) / len(gone),
        "false alarms per 1,000 at the automatic level": 1000 * sum(p in sure for p in there) / len(there),
        "doubtful per 1,000 on a roll": 1000 * sum(p in rows and p not in sure for p in there) / len(there),
    }


def test_most_are_found_and_few_falsely(tmp_path):
    figures = measure(tmp_path, 3000, 600)
    assert figures["recall with doubtful"] >= 0.98
    assert figures["recall at the automatic level"] >= 0.85
    assert figures["false alarms per 1,000 at the automatic level"] <= 80


@pytest.mark.prove
def test_twenty_thousand_persons_against_a_hundred_thousand_pupils(tmp_path):
    """Print the figures of docs/find.md with -s."""
    figures = measure(tmp_path, 100_000, 20_000)
    click.echo(json.dumps(figures, indent=1))
    assert figures["recall with doubtful"] >= 0.99
    assert figures["recall at the automatic level"] >= 0.97
    assert figures["false alarms per 1,000 at the automatic level"] <= 25

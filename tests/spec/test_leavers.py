"""Lists of leavers: each row ends its spell and gives the destination."""

from datetime import date

import pytest

from histories.errors import Faults
from tests.support.small_returns import ALSO, ME, UPNS, import_roll, import_text, rows

ENDS = "pupil_id, urn, entry_date, leaving_date, destination"
ENTRY, LEFT = date(2023, 9, 4), date(2024, 12, 20)
ON_ROLL = [(UPNS[0], "100000", "2023-09-04", ""), (UPNS[1], "100000", "2023-09-04", "")]


def deletion(tmp_path, text, head="UPN,School URN,Leaving date,Ground,Destination,New school URN"):
    return import_text(tmp_path, "deletions", {"deletions.csv": f"{head}\n{text}\n"})


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("Elective home education", "home_education"),
        (" EHE ", "home_education"),
        ("home_education", "home_education"),
        ("Another local authority", "other_authority"),
        ("Independent School", "independent_school"),
        ("Moved abroad", "abroad"),
        ("Whereabouts unknown", "missing_education"),
        ("Not known", "unknown"),
        ("Died", "deceased"),
        ("", None),
    ],
)
def test_a_deletion_return_fills_the_destination(tmp_path, written, code):
    import_roll(tmp_path, ON_ROLL)
    deletion(tmp_path, f"{UPNS[0]},100000.0,20/12/2024,9(1)(e),{written},")
    assert rows(tmp_path, "enrolments", ENDS) == sorted(
        [(ME, "100000", ENTRY, LEFT, code), (ALSO, "100000", ENTRY, None, None)], key=lambda r: r[0]
    )
    assert rows(tmp_path, "enrolments", "leaving_ground") == [("9(1)(e)",), (None,)]


def test_a_destination_without_a_translation_is_counted_and_named_by_row(tmp_path):
    import_roll(tmp_path, ON_ROLL)
    report = deletion(tmp_path, f"{UPNS[0]},100000,20/12/2024,,St Elsewhere's,")
    assert rows(tmp_path, "enrolments", "destination") == [(None,), (None,)]
    assert any("1 values of destination have no translation" in n and "lines 2" in n for n in report.notes)
    assert "Elsewhere" not in report.text()


@pytest.mark.parametrize("first", ["roll", "list"])
def test_the_order_of_roll_and_list_does_not_matter(tmp_path, first):
    steps = [
        lambda: import_roll(tmp_path, ON_ROLL),
        lambda: deletion(tmp_path, f"{UPNS[1]},100000,20/12/2024,,Unknown,999"),
    ]
    for step in steps if first == "roll" else reversed(steps):
        step()
    assert (ALSO, "100000", ENTRY, LEFT, "unknown") in rows(tmp_path, "enrolments", ENDS)
    assert ("999",) in rows(tmp_path, "enrolments", "destination_urn")


@pytest.mark.parametrize(
    ("row", "ends"),
    [
        (f"{UPNS[0]},100000,21/12/2024", True),
        (f"{UPNS[0]},,21/12/2024", True),  # no school: the spell open on the day
        (f"{UPNS[0]},200000,21/12/2024", False),  # another school
        (f"{UPNS[0]},100000,01/09/2023", False),  # before the spell began
        (f"{UPNS[2]},100000,21/12/2024", False),  # no such child
    ],
)
def test_a_register_of_home_education_ends_the_open_spell_or_names_the_row(tmp_path, row, ends):
    import_roll(tmp_path, ON_ROLL[:1])
    report = import_text(tmp_path, "home-education", {"ehe.csv": f"UPN,Previous school URN,EHE start\n{row}\n"})
    end = (date(2024, 12, 21), "home_education") if ends else (None, None)
    assert rows(tmp_path, "enrolments", ENDS) == [(ME, "100000", ENTRY, *end)]
    notes = [n for n in report.notes if "no spell" in n]
    assert notes == [] if ends else "ehe.csv: 1 row ends no spell" in notes[0] and "lines 2" in notes[0]


def test_a_users_mapping_of_leavers_works_the_same_way(tmp_path):
    import_roll(tmp_path, ON_ROLL[:1])
    mapping = (
        '[[table]]\nfills = "enrolments"\nfiles = "*ehe*.csv"\npupil = "UPN"\ndates = ["%d/%m/%Y"]\n'
        '[table.columns]\nurn = "Last URN"\nleaving_date = "Since"\n[table.constants]\ndestination = "home_education"\n'
    )
    text = f"UPN,Since,Last URN\n{UPNS[0]},21/12/2024,100000\n{UPNS[2]},21/12/2024,100000\n{UPNS[2]},,100000\n"
    report = import_text(tmp_path, "csv", {"ehe.csv": text}, mapping=mapping)
    assert rows(tmp_path, "enrolments", ENDS) == [(ME, "100000", ENTRY, date(2024, 12, 21), "home_education")]
    assert any("1 row ends no spell" in n and "lines 3" in n for n in report.notes)
    assert any("1 row has no date (lines 4)" in n for n in report.notes)


def test_a_leaver_reported_by_a_census_gets_the_destination_and_keeps_the_date(tmp_path):
    import_roll(tmp_path, [(UPNS[0], "100000", "2023-09-04", "2024-12-20")])
    deletion(tmp_path, f"{UPNS[0]},100000,06/01/2025,,Abroad,")
    versions = rows(tmp_path, "enrolments", f"{ENDS}, recorded_on")
    assert versions == [
        (ME, "100000", ENTRY, LEFT, "abroad", date(2025, 1, 6)),
        (ME, "100000", ENTRY, LEFT, None, ENTRY),
    ]


def test_a_list_without_leaving_dates_is_refused(tmp_path):
    with pytest.raises(Faults, match="column leaving_date"):
        deletion(tmp_path, f"{UPNS[0]},100000", head="UPN,School URN")


def transfer(source, target, school="<LEA>801</LEA><Estab>2001</Estab>", left="<LeavingDate>2024-12-20</LeavingDate>"):
    schools = (
        "<School><LEA>801</LEA><Estab>4001</Estab><EntryDate>2019-09-02</EntryDate><LeavingDate>2023-07-20</LeavingDate></School>"
        f"<School>{school}<EntryDate>2023-09-04</EntryDate>{left}<LeavingReason>CM</LeavingReason></School>"
    )
    header = (
        f"<DateTime>2025-01-10T09:00:00</DateTime><SourceSchool><LEA>{source[0]}</LEA><Estab>{source[1]}</Estab></SourceSchool>"
        f"<DestSchool><LEA>{target[0]}</LEA><Estab>{target[1]}</Estab></DestSchool>"
    )
    return (
        f"<CTfile><Header>{header}</Header><CTFpupilData><Pupil><UPN>{UPNS[0]}</UPN><DOB>2012-01-01</DOB><Sex>F</Sex>"
        f"<SchoolHistory>{schools}</SchoolHistory></Pupil></CTFpupilData></CTfile>"
    )


@pytest.mark.parametrize(
    ("target", "destination", "number"),
    [
        (("XXX", "XXXX"), "unknown", None),
        (("MMM", "MMMM"), None, None),
        (("802", "4003"), None, "8024003"),
        (("802", "XXXX"), None, None),
    ],
)
def test_a_transfer_file_fills_the_destination(tmp_path, target, destination, number):
    report = import_text(tmp_path, "ctf", {"lost.xml": transfer(("801", "2001"), target)})
    assert rows(tmp_path, "enrolments", "urn, leaving_date, destination, destination_urn, leaving_recorded_on") == [
        ("8012001", LEFT, destination, number, date(2025, 1, 10)),
        ("8014001", date(2023, 7, 20), None, None, date(2025, 1, 10)),
    ]
    assert any("1 pupil left the state sector" in n for n in report.notes) == (target[0] == "MMM")


@pytest.mark.parametrize("change", [{"left": ""}, {"school": "<LEA>801</LEA><Estab>2009</Estab>"}])
def test_a_lost_pupil_who_did_not_leave_the_sending_school_has_no_destination(tmp_path, change):
    import_text(tmp_path, "ctf", {"lost.xml": transfer(("801", "2001"), ("XXX", "XXXX"), **change)})
    assert rows(tmp_path, "enrolments", "destination") == [(None,), (None,)]

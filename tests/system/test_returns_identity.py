"""Identity of rows: placeholders match nobody, spelling does not matter, and new UPNs and school numbers may arrive late."""

import csv
from datetime import date

import duckdb
import pytest

from histories.errors import Faults
from histories.identity import clean_upn, clean_upn_sql, pseudonym
from histories.linking.link import link
from histories.linking.store import LinkageStore
from histories.returns import FORMATS, import_return
from tests.support.census_files import on_roll, upn, write_census

KEY = b"a key for tests only"
PLACEHOLDERS = [
    "UN1",
    "UN2",
    "UN3",
    "UN4",
    "UN5",
    "un1",
    " UN 1 ",
    "8.01E+11",
    "8,01E+11",
    "8.01e+11",
    "Z8.01E+11",
    "0",
    "0000000000000",
    "0.0",
    "A000000000000",
    "XXXXXXXXXXXXX",
    "?",
    "-",
    "n/a",
    "N / A",
    "None",
    "NULL",
    "#N/A",
    "#VALUE!",
    "not known",
    "TBC",
    "Unknown",
    "999999999999",
]


def rows(folder, table, columns="*"):
    return duckdb.connect().sql(f"SELECT {columns} FROM '{folder / f'{table}.parquet'}' ORDER BY ALL").fetchall()


def put(file, *lines):
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.mark.parametrize("value", [*PLACEHOLDERS, "", "   ", None])
def test_a_placeholder_is_not_a_upn(value):
    assert clean_upn(value) is None
    assert duckdb.connect().execute(
        f"SELECT {clean_upn_sql('v')} FROM (SELECT ?::VARCHAR AS v)", [value]
    ).fetchall() == [(None,)]


@pytest.mark.parametrize(
    "spelled", [upn(7), upn(7).lower(), f" {upn(7)} ", f"{upn(7)[:4]} {upn(7)[4:]}", f"{upn(7)}\u2003"]
)
def test_spelling_does_not_split_a_child(spelled):
    assert clean_upn(spelled) == upn(7)


FORMS = {
    "cme-cases": ("cases.csv", "UPN,Missing from,Reported on", "{},01/09/2024,05/09/2024"),
    "marks": ("marks.csv", "upn,date,session,code", "{},2024-09-09,AM,/"),
    "ssda903": ("header.csv", "CHILD,UPN", "{n},{}"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("placeholder", PLACEHOLDERS[:14])
def test_children_with_the_same_placeholder_stay_apart(tmp_path, form, placeholder):
    name, head, row = FORMS[form]
    values = [upn(1), placeholder, placeholder]
    cells = [f'"{v}"' for v in values]
    files = [put(tmp_path / name, head, *(row.format(c, n=n) for n, c in enumerate(cells)))]
    if form == "ssda903":
        files.append(put(tmp_path / "episodes.csv", "CHILD,DECOM,DEC", *(f"{n},04/09/2023," for n in range(3))))
    report = import_return(FORMATS[form], files, tmp_path / "h", KEY)
    table = {"cme-cases": "cme", "marks": "attendance", "ssda903": "social_care"}[form]
    assert rows(tmp_path / "h", table, "pupil_id") == [(pseudonym(upn(1), KEY),)]
    (remark,) = [n for n in report.notes if "placeholder" in n]
    assert "2 rows" in remark
    assert "lines 3, 4" in remark
    assert placeholder not in remark.replace("UPN", "")


def test_a_child_of_a_census_without_a_upn_waits_and_is_linked_by_name(tmp_path):
    """The list for 'onroll link' is written; once the child has a UPN on a roll, the waiting rows become the child's."""
    others = [on_roll(n, dob=f"2013-{n % 12 + 1:02}-{n % 27 + 1:02}") for n in range(2, 300)]
    nameless = on_roll(1, upn="UN3", forename="Marguerite", surname="Oyelaran", dob="2014-02-11", sen="K")
    a = write_census(tmp_path / "a", "2024_autumn", [nameless, *others])
    report = import_return(FORMATS["school-census"], [a], tmp_path / "h", KEY)
    listed = LinkageStore(tmp_path / "h").to_link
    assert any(f"{listed.parent.name}/{listed.name} beside" in n for n in report.notes)
    with listed.open(newline="") as lines:
        assert [r["surname"] for r in csv.DictReader(lines)] == ["Oyelaran"]
    assert len(rows(tmp_path / "h", "enrolments")) == 298
    pupil = on_roll(1, forename="Marguerite", surname="Oyelaran", dob="2014-02-11", sen="K")
    s = write_census(tmp_path / "s", "2025_spring", [pupil, *others])
    import_return(FORMATS["school-census"], [s], tmp_path / "h", KEY)
    assert link(tmp_path / "h", listed)["automatic"] == 1
    import_return(FORMATS["school-census"], [a], tmp_path / "h", KEY)
    child = pseudonym(upn(1), KEY)
    assert (child, date(2024, 10, 3)) in rows(tmp_path / "h", "sen", "pupil_id, start_date")
    assert len(rows(tmp_path / "h", "enrolments")) == 299
    assert "Oyelaran" not in str(
        [duckdb.connect().sql(f"FROM '{f}'").fetchall() for f in (tmp_path / "h").rglob("*.parquet")]
    )


def test_a_case_without_a_upn_is_linked_by_the_key_of_its_list(tmp_path):
    others = [on_roll(n, dob=f"2013-{n % 12 + 1:02}-{n % 27 + 1:02}") for n in range(2, 300)]
    named = on_roll(1, forename="Marguerite", surname="Oyelaran", dob="2014-02-11")
    census = write_census(tmp_path / "a", "2024_autumn", [named, *others])
    import_return(FORMATS["school-census"], [census], tmp_path / "h", KEY)
    cases = put(
        tmp_path / "cases.csv",
        "Case ID,UPN,Missing from,Reported on",
        f"k1,{upn(2)},01/09/2024,05/09/2024",
        "k2,,02/09/2024,06/09/2024",
    )
    report = import_return(FORMATS["cme-cases"], [cases], tmp_path / "h", KEY)
    assert any("1 child waits for a link" in n for n in report.notes)
    assert rows(tmp_path / "h", "cme", "pupil_id") == [(pseudonym(upn(2), KEY),)]
    persons = put(tmp_path / "persons.csv", "person_id,forename,surname,dob", "k2,Marguerite,Oyelaran,2014-02-11")
    assert link(tmp_path / "h", persons)["automatic"] == 1
    import_return(FORMATS["cme-cases"], [cases], tmp_path / "h", KEY)
    assert set(rows(tmp_path / "h", "cme", "pupil_id")) == {(pseudonym(upn(n), KEY),) for n in (1, 2)}


@pytest.mark.parametrize("late", ["a list of changes", "a later census"])
@pytest.mark.parametrize("order", ["old first", "new first"])
def test_a_changed_upn_can_be_reported_after_the_child_was_split(tmp_path, late, order):
    old, new = upn(1), upn(900)
    steps = [
        write_census(tmp_path / "a", "2024_autumn", [on_roll(1)]),
        write_census(tmp_path / "s", "2025_spring", [on_roll(1, upn=new)]),
    ]
    for step in steps if order == "old first" else steps[::-1]:
        import_return(FORMATS["school-census"], [step], tmp_path / "h", KEY)
    assert len(rows(tmp_path / "h", "pupils")) == 2
    if late == "a later census":
        u = write_census(tmp_path / "u", "2025_summer", [on_roll(1, upn=new, former=old)])
        import_return(FORMATS["school-census"], [u], tmp_path / "h", KEY)
    else:
        changes = put(tmp_path / "changes.csv", "upn,former_upn", f"{new},{old}")
        import_return(FORMATS["upn-changes"], [changes], tmp_path / "h", KEY)
    assert rows(tmp_path / "h", "pupils", "pupil_id, upn") == [(pseudonym(old, KEY), new)]
    assert len(rows(tmp_path / "h", "enrolments")) == 1


def test_a_list_of_changes_that_changes_nothing_is_refused(tmp_path):
    with pytest.raises(Faults, match="two UPNs of one child"):
        import_return(
            FORMATS["upn-changes"], [put(tmp_path / "c.csv", "upn,former_upn", f"{upn(1)},UN1")], tmp_path / "h", KEY
        )
    assert not (tmp_path / "h").exists()


@pytest.mark.parametrize("links_first", [True, False])
def test_a_spell_continues_when_a_school_becomes_an_academy(tmp_path, links_first):
    a = write_census(tmp_path / "a", "2024_autumn", [on_roll(1), on_roll(2, urn="100009")])
    s = write_census(tmp_path / "s", "2025_spring", [on_roll(1, urn="150001"), on_roll(2, urn="150009")])
    links = put(
        tmp_path / "links.csv",
        "URN,LinkURN,LinkName,LinkType,LinkEstablishedDate",
        "100001,150001,New,Successor,01-01-2025",
        "150001,100001,Old,Predecessor,01-01-2025",
        "150009,100009,Other,Predecessor - merged,01-01-2025",
    )
    steps = [("school-census", a), ("school-census", s), ("school-links", links)]
    for form, step in steps[::-1] if links_first else steps:
        import_return(FORMATS[form], [step], tmp_path / "h", KEY)
    spells = rows(tmp_path / "h", "enrolments", "pupil_id, urn, leaving_date")
    assert [r for r in spells if r[0] == pseudonym(upn(1), KEY)] == [(pseudonym(upn(1), KEY), "150001", None)]
    assert {r[1] for r in spells if r[0] == pseudonym(upn(2), KEY)} == {"100009", "150009"}, "a merger moves pupils"


@pytest.mark.parametrize("schools_first", [True, False])
def test_laestab_and_urn_identify_one_school(tmp_path, schools_first):
    census = write_census(tmp_path / "a", "2024_autumn", [on_roll(1, "2020-09-02")])
    transfer = put(
        tmp_path / "x.xml",
        f"<CTfile><Header><DateTime>2024-07-01T10:00:00</DateTime></Header><CTFpupilData><Pupil><UPN>{upn(1)}</UPN><DOB>2013-05-01</DOB><SchoolHistory>"
        "<School><LEA>801</LEA><Estab>2000</Estab><EntryDate>2020-09-02</EntryDate></School></SchoolHistory></Pupil></CTFpupilData></CTfile>",
    )
    schools = put(
        tmp_path / "schools.csv",
        "URN,LA (code),EstablishmentNumber,EstablishmentName,PhaseOfEducation (name),CloseDate",
        "100001,801,2000,Now,Primary,",
        "099999,801,2000,Then,Primary,31-08-2010",
    )
    steps = [("school-census", census), ("ctf", transfer), ("schools", schools)]
    for form, step in steps[::-1] if schools_first else steps:
        import_return(FORMATS[form], [step], tmp_path / "h", KEY)
    assert rows(tmp_path / "h", "enrolments", "urn, entry_date, recorded_on") == [
        ("100001", date(2020, 9, 2), date(2024, 7, 1))
    ]

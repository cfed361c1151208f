"""Each format of a return by example: what goes in, and the rows of histories that come out."""

from datetime import date

import duckdb
import pytest

from histories.errors import Faults, Usage
from histories.identity import pseudonym
from histories.returns import FORMATS, import_return

KEY = b"a key for tests only"
UPN, OTHER = "B801200005001", "Q801200005002"
ME, ALSO = pseudonym(UPN, KEY), pseudonym(OTHER, KEY)


def read(tmp_path, form, files, table, columns, **options):
    """Import files given by name and text; return some columns of one table, sorted."""
    folder = tmp_path / "return"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    if "mapping" in options:
        (tmp_path / "own.toml").write_text(options["mapping"])
        options["mapping"] = tmp_path / "own.toml"
    report = import_return(FORMATS[form], [folder], tmp_path / "h", KEY, **options)
    file = str(tmp_path / "h" / f"{table}.parquet")
    found = duckdb.execute(f"SELECT {columns} FROM read_parquet(?) ORDER BY ALL", [file]).fetchall()
    return found, report


def cin(identifiers, details):
    return f"<Message><Header><Collection>CIN</Collection><Year>2025</Year></Header><Children><Child><ChildIdentifiers>{identifiers}</ChildIdentifiers>{details}</Child></Children></Message>"


def test_a_cin_census_gives_referrals_needs_assessments_plans_and_missing(tmp_path):
    details = """<CINdetails><CINreferralDate>2024-05-01</CINreferralDate><PrimaryNeedCode>N1</PrimaryNeedCode><CINclosureDate>2025-01-31</CINclosureDate>
        <ReasonForClosure>RC1</ReasonForClosure>
        <Assessments><AssessmentActualStartDate>2024-05-03</AssessmentActualStartDate><AssessmentAuthorisationDate>2024-06-01</AssessmentAuthorisationDate>
        <FactorsIdentifiedAtAssessment><AssessmentFactors>3A</AssessmentFactors><AssessmentFactors>10A</AssessmentFactors></FactorsIdentifiedAtAssessment></Assessments>
        <Section47><S47ActualStartDate>2024-06-02</S47ActualStartDate><DateOfInitialCPC>2024-06-12</DateOfInitialCPC></Section47>
        <ChildProtectionPlans><CPPstartDate>2024-06-12</CPPstartDate><InitialCategoryOfAbuse>NEG</InitialCategoryOfAbuse></ChildProtectionPlans></CINdetails>"""
    identifiers = f"<LAchildID>1</LAchildID><UPN>{UPN}</UPN><Sex>F</Sex>"
    found, report = read(
        tmp_path,
        "cin-census",
        {"cin.xml": cin(identifiers, details)},
        "social_care",
        "pupil_id, kind, start_date, end_date, category, end_reason",
    )
    assert found == [
        (ME, "assessment", date(2024, 5, 3), date(2024, 6, 1), None, None),
        (ME, "assessment", date(2024, 6, 2), date(2024, 6, 12), "section 47", None),
        (ME, "cin", date(2024, 5, 1), date(2025, 1, 31), "N1", "RC1"),
        (ME, "cpp", date(2024, 6, 12), None, "NEG", None),
        (ME, "missing", date(2024, 6, 1), date(2024, 6, 1), "10A", None),
        (ME, "referral", date(2024, 5, 1), date(2024, 5, 1), "N1", None),
    ]
    assert any("CIN of 2025" in n for n in report.notes)


def test_a_referral_without_further_action_is_no_episode_of_need(tmp_path):
    details = "<CINdetails><CINreferralDate>2024-05-01</CINreferralDate><ReferralNFA>1</ReferralNFA></CINdetails>"
    found, _ = read(
        tmp_path,
        "cin-census",
        {"cin.xml": cin(f"<UPN>{UPN}</UPN><GenderCurrent>2</GenderCurrent>", details)},
        "social_care",
        "kind",
    )
    assert found == [("referral",)]


def test_placements_in_a_row_are_one_spell_of_care(tmp_path):
    files = {
        "header.csv": f"CHILD,SEX,DOB,UPN\n7,1,01/05/2013,{UPN}\n8,2,01/05/2014,{OTHER}\n",
        "episodes.csv": "CHILD,DECOM,RNE,DEC,REC\n7,04/09/2023,S,01/11/2023,X1\n7,01/11/2023,P,03/02/2024,E4\n7,10/06/2024,S,,\n8,01/01/2024,S,02/01/2024,E4\n",
        "missing.csv": "CHILD,DOB,MISSING,MIS_START,MIS_END\n7,01/05/2013,M,05/12/2023,06/12/2023\n",
        "reviews.csv": "CHILD,REVIEW\n7,01/01/2024\n",
    }
    found, report = read(tmp_path, "ssda903", files, "social_care", "pupil_id, kind, start_date, end_date")
    assert found == sorted(
        [
            (ME, "cla", date(2023, 9, 4), date(2024, 2, 3)),
            (ME, "cla", date(2024, 6, 10), None),
            (ALSO, "cla", date(2024, 1, 1), date(2024, 1, 2)),
            (ME, "missing", date(2023, 12, 5), date(2023, 12, 6)),
        ],
        key=lambda r: (r[0], r[1], r[2]),
    )
    assert any("reviews.csv" in u for u in report.unused)


@pytest.mark.parametrize("holder", ["CTFpupilData", "Pupils"])
def test_a_transfer_file_gives_the_history_of_schools_with_reasons(tmp_path, holder):
    school = "<School><LEA>801</LEA><Estab>{}</Estab><EntryDate>{}</EntryDate><LeavingDate>{}</LeavingDate><LeavingReason>{}</LeavingReason></School>"
    text = (
        f"<CTfile><Header/><{holder}><Pupil><UPN>{UPN}</UPN><Surname>Canary</Surname><DOB>2013-05-01</DOB><Sex>F</Sex><SchoolHistory>"
        f"{school.format('2001', '2017-09-04', '2021-07-20', 'MR')}{school.format('4001', '2021-09-02', '2024-02-09', 'PX')}</SchoolHistory></Pupil></{holder}></CTfile>"
    )
    found, _ = read(
        tmp_path, "ctf", {"x.xml": text}, "enrolments", "pupil_id, urn, entry_date, leaving_date, leaving_ground"
    )
    assert found == [
        (ME, "8012001", date(2017, 9, 4), date(2021, 7, 20), "MR"),
        (ME, "8014001", date(2021, 9, 2), date(2024, 2, 9), "PX"),
    ]
    assert b"Canary" not in (tmp_path / "h" / "pupils.parquet").read_bytes()


def test_marks_take_the_names_of_any_supplier(tmp_path):
    text = "Pupil UPN,Mark Date,AM/PM,Mark,Entered\nB801200005001,10/09/2024,Morning,O,12/09/2024\n"
    own = 'pupil = "Pupil UPN"\ndate = "Mark Date"\nsession = "AM/PM"\ncode = "Mark"\nrecorded_on = "Entered"\nam = "Morning"\npm = "Afternoon"\ndates = ["%d/%m/%Y"]\n'
    found, _ = read(
        tmp_path, "marks", {"m.csv": text}, "attendance", 'pupil_id, "date", session, code, recorded_on', mapping=own
    )
    assert found == [(ME, date(2024, 9, 10), "AM", "O", date(2024, 9, 12))]


def test_a_correction_is_a_later_row_and_the_same_row_is_not_doubled(tmp_path):
    text = "upn,date,session,code,recorded_on\nB801200005001,2024-09-10,AM,{},{}\n"
    read(tmp_path, "marks", {"m.csv": text.format("N", "2024-09-10")}, "attendance", "code")
    read(tmp_path, "marks", {"m.csv": text.format("I", "2024-09-12")}, "attendance", "code")
    found, _ = read(tmp_path, "marks", {"m.csv": text.format("I", "2024-09-12")}, "attendance", "code, recorded_on")
    assert found == [("I", date(2024, 9, 12)), ("N", date(2024, 9, 10))]


def test_a_day_of_recording_that_cannot_be_read_is_told(tmp_path):
    """Left empty it would count as recorded on the day of the mark, and the future would be known too early."""
    text = "upn,date,session,code,recorded_on\nB801200005001,2024-09-10,AM,I,soon\n"
    with pytest.raises(Faults, match="recorded_on, lines 2"):
        read(tmp_path, "marks", {"m.csv": text}, "attendance", "code")


def test_a_upn_that_changed_twice_over_two_files_is_one_child(tmp_path):
    third = "E801200005003"
    text = "ID,Old,When,What\n{},{},2024-09-10,Home visit\n"
    own = OWN.replace('pupil = "ID"', 'pupil = "ID"\nformer = "Old"')
    files = {"a.csv": text.format(OTHER, UPN), "b.csv": text.format(third, OTHER).replace("09-10", "09-11")}
    found, report = read(tmp_path, "csv", files, "interventions", "DISTINCT pupil_id", mapping=own)
    assert found == [(ME,)]
    assert any("2 changed UPNs" in n for n in report.notes)


def test_quotation_marks_in_paths_and_a_column_called_line_do_no_harm(tmp_path):
    folder = tmp_path / "St John's"
    folder.mkdir()
    found, _ = read(
        folder,
        "csv",
        {"o'x.csv": f"ID,When,What,Line\n{UPN},2024-09-10,Home visit,7\n"},
        "interventions",
        "kind",
        mapping=OWN,
    )
    assert found == [("visit",)]


def test_a_value_without_a_translation_is_counted(tmp_path):
    own = (
        OWN.replace("[table.codes.kind]", '[table.codes.team]\n"eh" = "early help"\n[table.codes.kind]')
        .replace('kind = "What"', 'kind = "What"\nteam = "Who"')
        .replace('[table.constants]\nteam = "early help"\n', "")
    )
    _, report = read(
        tmp_path,
        "csv",
        {"x.csv": f"ID,When,What,Who\n{UPN},2024-09-10,Home visit,?\n"},
        "interventions",
        "team",
        mapping=own,
    )
    assert any("1 values of who have no translation" in n for n in report.notes)


def test_cases_are_read_under_the_names_that_authorities_use(tmp_path):
    text = f"Pupil UPN,Date Missing From,Referral Date,Closed On,Outcome\n{UPN},10/09/2024,01/10/2024,,\n{OTHER},2024-09-11,2024-09-20,2024-11-01,Found\n"
    found, _ = read(
        tmp_path, "cme-cases", {"list.csv": text}, "cme", "pupil_id, missing_from, reported_on, resolved_on, resolution"
    )
    assert sorted(found) == sorted(
        [
            (ME, date(2024, 9, 10), date(2024, 10, 1), None, None),
            (ALSO, date(2024, 9, 11), date(2024, 9, 20), date(2024, 11, 1), "Found"),
        ]
    )


def test_schools_take_their_phase_from_type_before_phase(tmp_path):
    head = "URN,LA (code),EstablishmentName,TypeOfEstablishment (name),PhaseOfEducation (name),StatutoryLowAge,StatutoryHighAge\n"
    text = (
        head
        + "1,801,A,Community school,Primary,4,11\n2,801,B,Pupil referral unit,Not applicable,11,16\n3,801,C,Academy special converter,Not applicable,4,19\n"
    )
    found, _ = read(tmp_path, "schools", {"e.csv": text}, "schools", "urn, phase, low_age")
    assert found == [("1", "primary", 4), ("2", "ap", 11), ("3", "special", 4)]


@pytest.mark.parametrize("year", ["2011", "2021"])
def test_areas_are_read_in_both_vintages(tmp_path, year):
    name = "Income Deprivation Affecting Children Index (IDACI) Decile (where 1 is most deprived 10% of LSOAs)"
    found, _ = read(
        tmp_path, "areas", {"i.csv": f"LSOA code ({year}),{name}\nE01000001,3\n"}, "areas", "lsoa, idaci_decile"
    )
    assert found == [("E01000001", 3)]


OWN = """
[[table]]
fills = "interventions"
files = "*.csv"
pupil = "ID"
[table.columns]
date = "When"
kind = "What"
[table.codes.kind]
"home visit" = "visit"
[table.constants]
team = "early help"
"""


def test_any_csv_by_a_mapping(tmp_path):
    found, report = read(
        tmp_path,
        "csv",
        {"x.csv": f"ID,When,What,Note\n{UPN},2024-09-10,Home visit,secret\n"},
        "interventions",
        "pupil_id, date, kind, team",
        mapping=OWN,
    )
    assert found == [(ME, date(2024, 9, 10), "visit", "early help")]
    assert any("note" in u for u in report.unused)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("fills =", "fill ="), "fills"),
        (('"interventions"', '"nothing"'), "fills"),
        (("date =", "day ="), "no such column"),
        (("[[table]]", "[table]"), "no table"),
        (('kind = "What"', 'kind = "Which"'), "missing"),
        (('kind = "What"\n', ""), "not filled"),
        (('"home visit"', '"walk"'), "translation"),
        (("fills", "colour = 1\nfills"), "no such key"),
        (('files = "*.csv"', 'files = "*.txt"'), "no file belongs"),
        (("[[table]]", "[[table"), "TOML"),
    ],
)
def test_a_wrong_mapping_is_told(tmp_path, change, said):
    with pytest.raises(Faults, match=said):
        read(
            tmp_path,
            "csv",
            {"x.csv": f"ID,When,What\n{UPN},2024-09-10,Home visit\n"},
            "interventions",
            "kind",
            mapping=OWN.replace(*change),
        )
    assert not (tmp_path / "h").exists()


def test_a_csv_without_a_mapping_is_wrong_usage(tmp_path):
    with pytest.raises(Usage, match="no mapping"):
        read(tmp_path, "csv", {"x.csv": "a\n1\n"}, "interventions", "kind")


def test_every_format_says_what_it_fills_and_cannot_know():
    for form in FORMATS.values():
        described = form.describe()
        assert described["title"]
        assert described["fills"]
        assert described["cannot_know"]


EPISODES = "CHILD,DECOM,DEC\n"
YEARS = {
    "header_2023.csv": f"CHILD,UPN\n7,{UPN}\n",
    "episodes_2023.csv": EPISODES + "7,01/06/2022,01/02/2023\n7,01/02/2023,\n",
    "missing_2023.csv": "CHILD,MIS_START,MIS_END\n7,30/03/2023,\n",
    "header_2024.csv": f"CHILD,UPN\n7,{UPN}\n",
    "episodes_2024.csv": EPISODES + "7,01/02/2023,12/12/2023\n",
    "missing_2024.csv": "CHILD,MIS_START,MIS_END\n7,30/03/2023,02/04/2023\n",
}


@pytest.mark.parametrize("steps", [["2023", "2024"], ["2024", "2023"], ["2023", "2024", "2023"], [""]])
def test_two_years_of_care_are_one_spell_closed_when_it_closed(tmp_path, steps):
    for year in steps:
        folder = tmp_path / f"of{year}"
        folder.mkdir(exist_ok=True)
        for name, text in YEARS.items():
            if year in name:
                (folder / name).write_text(text)
        import_return(FORMATS["ssda903"], [folder], tmp_path / "h", KEY)
    columns = "kind, start_date, end_date, recorded_on, end_recorded_on"
    found = duckdb.connect().sql(f"SELECT {columns} FROM '{tmp_path / 'h' / 'social_care.parquet'}' ORDER BY ALL")
    assert found.fetchall() == [
        ("cla", date(2022, 6, 1), date(2023, 12, 12), date(2023, 3, 31), date(2024, 3, 31)),
        ("missing", date(2023, 3, 30), date(2023, 4, 2), date(2023, 3, 31), date(2024, 3, 31)),
    ]


def test_two_years_of_need_are_one_episode(tmp_path):
    """A later census closes the episode, and one that comes late does not open it again."""
    details = "<CINdetails><CINreferralDate>2024-05-01</CINreferralDate>{}</CINdetails>"
    for year, end in (("2025", "<CINclosureDate>2024-11-30</CINclosureDate>"), ("2024", "")):
        text = cin(f"<UPN>{UPN}</UPN>", details.format(end)).replace("2025</Year>", f"{year}</Year>")
        found, _ = read(tmp_path, "cin-census", {"cin.xml": text}, "social_care", "kind, end_date, end_recorded_on")
    assert found == [("cin", date(2024, 11, 30), date(2025, 3, 31)), ("referral", date(2024, 5, 1), date(2024, 5, 1))]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_extracts_of_cases_are_one_case(tmp_path, order):
    head = "UPN,Missing from,Reported on,Closed on\n"
    extracts = [head + f"{UPN},10/09/2024,01/10/2024,\n", head + f"{UPN},10/09/2024,01/10/2024,04/11/2024\n"]
    for n in order:
        found, _ = read(tmp_path, "cme-cases", {"cases.csv": extracts[n]}, "cme", "missing_from, resolved_on")
    assert found == [(date(2024, 9, 10), date(2024, 11, 4))]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_mark_that_a_later_extract_changes_counts_from_that_extract(tmp_path, order):
    head = "upn,date,session,code\n"
    extracts = [
        head + f"{UPN},2024-09-10,AM,N\n{UPN},2024-09-13,AM,/\n",
        head + f"{UPN},2024-09-10,AM,I\n{UPN},2024-09-20,AM,/\n",
    ]
    for n in order:
        found, _ = read(tmp_path, "marks", {"m.csv": extracts[n]}, "attendance", '"date", code, recorded_on')
    assert [r for r in found if r[0] == date(2024, 9, 10)] == [
        (date(2024, 9, 10), "I", date(2024, 9, 20)),
        (date(2024, 9, 10), "N", None),
    ]


def test_marks_with_blanks_and_in_lower_case_count_and_codes_of_no_set_are_named(tmp_path):
    text = f"upn,date,session,code\n{UPN},2024-09-09,AM, I \n{UPN},2024-09-10,AM,u\n{UPN},2024-09-11,AM,QQ\n{UPN},2024-09-12,AM,-\n"
    found, report = read(tmp_path, "marks", {"m.csv": text}, "attendance", "code")
    assert found == [("I",), ("U",)]
    assert any("code u in lower case" in n for n in report.notes)
    assert any("code QQ" in n for n in report.notes)


def test_a_list_of_home_education_ends_the_spell(tmp_path):
    """The list knows no entry: it ends the spell that another return knows, whichever comes first."""
    own = '[[table]]\nfills = "enrolments"\nfiles = "*ehe*.csv"\npupil = "UPN"\n[table.columns]\nurn = "School"\nleaving_date = "From"\n[table.constants]\ndestination = "home_education"\n'
    census = f"pupilonrolltableid,NativeId,dob,upn,sex,entrydate\n1,100001,2013-05-01,{UPN},F,2020-09-02\n"
    steps = [
        ("school-census", {"2024_autumn_pupilonroll.csv": census}, {}),
        ("csv", {"ehe.csv": f"UPN,School,From\n{UPN},100001,2024-11-04\n"}, {"mapping": own}),
    ]
    for n, order in enumerate((steps, steps[::-1])):
        for form, files, options in order:
            home = tmp_path / f"{n}"
            (home / form).mkdir(parents=True)
            for name, text in files.items():
                (home / form / name).write_text(text)
            if options:
                (home / "own.toml").write_text(own)
            import_return(FORMATS[form], [home / form], home / "h", KEY, mapping=home / "own.toml" if options else None)
        found = duckdb.connect().sql(f"SELECT leaving_date, destination FROM '{home / 'h' / 'enrolments.parquet'}'")
        assert found.fetchall() == [(date(2024, 11, 4), "home_education")]


def test_children_of_no_header_are_counted_by_line(tmp_path):
    files = {"header.csv": f"CHILD,UPN\n12,{UPN}\n", "episodes.csv": EPISODES + "12.0,04/09/2023,\n"}
    with pytest.raises(Faults, match=r"1 child of episodes\.csv not found in header\.csv \(column CHILD, lines 2\)"):
        read(tmp_path, "ssda903", files, "social_care", "kind")

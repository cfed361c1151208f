"""Each format of return by example: the files, and the rows of histories they become."""

from datetime import date

import pytest

from histories.errors import Faults, Usage
from histories.identity import pseudonym
from histories.returns import FORMATS
from tests.support.return_text import KEY, cin, read

UPN, OTHER = "B801200005001", "Q801200005002"
ME, ALSO = pseudonym(UPN, KEY), pseudonym(OTHER, KEY)


def test_a_cin_census_gives_referrals_needs_assessments_plans_and_missing(tmp_path):
    details = """<CINdetails><CINreferralDate>2024-05-01</CINreferralDate><PrimaryNeedCode>N1</PrimaryNeedCode><CINclosureDate>2025-01-31</CINclosureDate>
        <ReasonForClosure>RC1</ReasonForClosure>
        <Assessments><AssessmentActualStartDate>2024-05-03</AssessmentActualStartDate><AssessmentAuthorisationDate>2024-06-01</AssessmentAuthorisationDate>
        <FactorsIdentifiedAtAssessment><AssessmentFactors>3A</AssessmentFactors><AssessmentFactors>10A</AssessmentFactors></FactorsIdentifiedAtAssessment></Assessments>
        <Section47><S47ActualStartDate>2024-06-02</S47ActualStartDate><DateOfInitialCPC>2024-06-12</DateOfInitialCPC></Section47>
        <ChildProtectionPlans><CPPstartDate>2024-06-12</CPPstartDate><InitialCategoryOfAbuse>NEG</InitialCategoryOfAbuse></ChildProtectionPlans></CINdetails>"""
    identifiers = f"<LAchildID>1</LAchildID><UPN>{UPN}</UPN><Sex>F</Sex>"
    episodes, report = read(
        tmp_path,
        "cin-census",
        {"cin.xml": cin(identifiers, details)},
        "social_care",
        "pupil_id, kind, start_date, end_date, category, end_reason",
    )
    assert episodes == [
        (ME, "assessment", date(2024, 5, 3), date(2024, 6, 1), None, None),
        (ME, "assessment", date(2024, 6, 2), date(2024, 6, 12), "section 47", None),
        (ME, "cin", date(2024, 5, 1), date(2025, 1, 31), "N1", "RC1"),
        (ME, "cpp", date(2024, 6, 12), None, "NEG", None),
        (ME, "missing", date(2024, 6, 1), date(2024, 6, 1), "10A", None),
        (ME, "referral", date(2024, 5, 1), date(2024, 5, 1), "N1", None),
    ]
    assert any("CIN of 2025" in n for n in report.notes)


def test_a_referral_without_further_action_is_not_an_episode_of_need(tmp_path):
    details = "<CINdetails><CINreferralDate>2024-05-01</CINreferralDate><ReferralNFA>1</ReferralNFA></CINdetails>"
    episodes, _ = read(
        tmp_path,
        "cin-census",
        {"cin.xml": cin(f"<UPN>{UPN}</UPN><GenderCurrent>2</GenderCurrent>", details)},
        "social_care",
        "kind",
    )
    assert episodes == [("referral",)]


def test_consecutive_placements_are_one_spell_of_care(tmp_path):
    files = {
        "header.csv": f"CHILD,SEX,DOB,UPN\n7,1,01/05/2013,{UPN}\n8,2,01/05/2014,{OTHER}\n",
        "episodes.csv": "CHILD,DECOM,RNE,DEC,REC\n7,04/09/2023,S,01/11/2023,X1\n7,01/11/2023,P,03/02/2024,E4\n7,10/06/2024,S,,\n8,01/01/2024,S,02/01/2024,E4\n",
        "missing.csv": "CHILD,DOB,MISSING,MIS_START,MIS_END\n7,01/05/2013,M,05/12/2023,06/12/2023\n",
        "reviews.csv": "CHILD,REVIEW\n7,01/01/2024\n",
    }
    spells, report = read(tmp_path, "ssda903", files, "social_care", "pupil_id, kind, start_date, end_date")
    assert spells == sorted(
        [
            (ME, "cla", date(2023, 9, 4), date(2024, 2, 3)),
            (ME, "cla", date(2024, 6, 10), None),
            (ALSO, "cla", date(2024, 1, 1), date(2024, 1, 2)),
            (ME, "missing", date(2023, 12, 5), date(2023, 12, 6)),
        ],
        key=lambda r: (r[0], r[1], r[2]),
    )
    assert any("reviews.csv" in u for u in report.unused)


@pytest.mark.parametrize(("in_header", "in_episodes"), [("7.0", "7"), ("7", "7.0"), (" 7", "7 ")])
def test_a_key_changed_by_a_spreadsheet_still_matches_the_child(tmp_path, in_header, in_episodes):
    files = {
        "header.csv": f"CHILD,SEX,DOB,UPN\n{in_header},1,01/05/2013,{UPN}\n",
        "episodes.csv": f"CHILD,DECOM,RNE,DEC,REC\n{in_episodes},04/09/2023,S,,\n8,04/09/2023,S,,\n",
    }
    spells, report = read(tmp_path, "ssda903", files, "social_care", "pupil_id, kind, start_date")
    assert spells == [(ME, "cla", date(2023, 9, 4))]
    assert any("1 child of episodes.csv not in header.csv (column CHILD, lines 3)" in n for n in report.notes)


@pytest.mark.parametrize("holder", ["CTFpupilData", "Pupils"])
def test_a_transfer_file_gives_the_history_of_schools_with_reasons(tmp_path, holder):
    school = "<School><LEA>801</LEA><Estab>{}</Estab><EntryDate>{}</EntryDate><LeavingDate>{}</LeavingDate><LeavingReason>{}</LeavingReason></School>"
    text = (
        f"<CTfile><Header/><{holder}><Pupil><UPN>{UPN}</UPN><Surname>Canary</Surname><DOB>2013-05-01</DOB><Sex>F</Sex><SchoolHistory>"
        f"{school.format('2001', '2017-09-04', '2021-07-20', 'MR')}{school.format('4001', '2021-09-02', '2024-02-09', 'PX')}</SchoolHistory></Pupil></{holder}></CTfile>"
    )
    spells, _ = read(
        tmp_path, "ctf", {"x.xml": text}, "enrolments", "pupil_id, urn, entry_date, leaving_date, leaving_ground"
    )
    assert spells == [
        (ME, "8012001", date(2017, 9, 4), date(2021, 7, 20), "MR"),
        (ME, "8014001", date(2021, 9, 2), date(2024, 2, 9), "PX"),
    ]
    assert b"Canary" not in (tmp_path / "h" / "pupils.parquet").read_bytes()


def test_marks_accept_the_headings_of_any_supplier(tmp_path):
    text = "Pupil UPN,Mark Date,AM/PM,Mark,Entered\nB801200005001,10/09/2024,Morning,O,12/09/2024\n"
    mapping = 'pupil = "Pupil UPN"\ndate = "Mark Date"\nsession = "AM/PM"\ncode = "Mark"\nrecorded_on = "Entered"\nam = "Morning"\npm = "Afternoon"\ndates = ["%d/%m/%Y"]\n'
    marks, _ = read(
        tmp_path,
        "marks",
        {"m.csv": text},
        "attendance",
        'pupil_id, "date", session, code, recorded_on',
        mapping=mapping,
    )
    assert marks == [(ME, date(2024, 9, 10), "AM", "O", date(2024, 9, 12))]


def test_a_correction_is_a_later_row_and_a_repeated_row_is_not_duplicated(tmp_path):
    text = "upn,date,session,code,recorded_on\nB801200005001,2024-09-10,AM,{},{}\n"
    read(tmp_path, "marks", {"m.csv": text.format("N", "2024-09-10")}, "attendance", "code")
    read(tmp_path, "marks", {"m.csv": text.format("I", "2024-09-12")}, "attendance", "code")
    marks, _ = read(tmp_path, "marks", {"m.csv": text.format("I", "2024-09-12")}, "attendance", "code, recorded_on")
    assert marks == [("I", date(2024, 9, 12)), ("N", date(2024, 9, 10))]


def test_an_unreadable_recording_date_is_refused(tmp_path):
    """An empty date would count as recorded on the day of the mark, which is too early."""
    text = "upn,date,session,code,recorded_on\nB801200005001,2024-09-10,AM,I,soon\n"
    with pytest.raises(Faults, match="recorded_on, lines 2"):
        read(tmp_path, "marks", {"m.csv": text}, "attendance", "code")


def test_a_upn_that_changed_twice_over_two_files_is_one_child(tmp_path):
    third = "E801200005003"
    text = "ID,Old,When,What\n{},{},2024-09-10,Home visit\n"
    mapping = OWN.replace('pupil = "ID"', 'pupil = "ID"\nformer = "Old"')
    files = {"a.csv": text.format(OTHER, UPN), "b.csv": text.format(third, OTHER).replace("09-10", "09-11")}
    pupils, report = read(tmp_path, "csv", files, "interventions", "DISTINCT pupil_id", mapping=mapping)
    assert pupils == [(ME,)]
    assert any("2 changed UPNs" in n for n in report.notes)


def test_quotation_marks_in_paths_and_a_column_called_line_do_no_harm(tmp_path):
    folder = tmp_path / "St John's"
    folder.mkdir()
    visits, _ = read(
        folder,
        "csv",
        {"o'x.csv": f"ID,When,What,Line\n{UPN},2024-09-10,Home visit,7\n"},
        "interventions",
        "kind",
        mapping=OWN,
    )
    assert visits == [("visit",)]


def test_a_value_without_a_translation_is_counted(tmp_path):
    mapping = (
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
        mapping=mapping,
    )
    assert any("1 values of who have no translation" in n for n in report.notes)


def test_cases_are_read_under_the_headings_that_authorities_use(tmp_path):
    text = f"Pupil UPN,Date Missing From,Referral Date,Closed On,Outcome\n{UPN},10/09/2024,01/10/2024,,\n{OTHER},2024-09-11,2024-09-20,2024-11-01,Found\n"
    cases, _ = read(
        tmp_path, "cme-cases", {"list.csv": text}, "cme", "pupil_id, missing_from, reported_on, resolved_on, resolution"
    )
    assert sorted(cases) == sorted(
        [
            (ME, date(2024, 9, 10), date(2024, 10, 1), None, None),
            (ALSO, date(2024, 9, 11), date(2024, 9, 20), date(2024, 11, 1), "Found"),
        ]
    )


def test_the_type_of_a_school_overrides_its_published_phase(tmp_path):
    head = "URN,LA (code),EstablishmentName,TypeOfEstablishment (name),PhaseOfEducation (name),StatutoryLowAge,StatutoryHighAge\n"
    text = (
        head
        + "1,801,A,Community school,Primary,4,11\n2,801,B,Pupil referral unit,Not applicable,11,16\n3,801,C,Academy special converter,Not applicable,4,19\n"
    )
    schools, _ = read(tmp_path, "schools", {"e.csv": text}, "schools", "urn, phase, low_age")
    assert schools == [("1", "primary", 4), ("2", "ap", 11), ("3", "special", 4)]


@pytest.mark.parametrize("year", ["2011", "2021"])
def test_areas_are_read_in_both_vintages(tmp_path, year):
    name = "Income Deprivation Affecting Children Index (IDACI) Decile (where 1 is most deprived 10% of LSOAs)"
    areas, _ = read(
        tmp_path, "areas", {"i.csv": f"LSOA code ({year}),{name}\nE01000001,3\n"}, "areas", "lsoa, idaci_decile"
    )
    assert areas == [("E01000001", 3)]


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


def test_any_csv_is_read_by_a_mapping(tmp_path):
    visits, report = read(
        tmp_path,
        "csv",
        {"x.csv": f"ID,When,What,Note\n{UPN},2024-09-10,Home visit,secret\n"},
        "interventions",
        "pupil_id, date, kind, team",
        mapping=OWN,
    )
    assert visits == [(ME, date(2024, 9, 10), "visit", "early help")]
    assert any("note" in u for u in report.unused)


@pytest.mark.parametrize(
    ("change", "message"),
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
def test_an_invalid_mapping_is_refused(tmp_path, change, message):
    with pytest.raises(Faults, match=message):
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
    with pytest.raises(Usage, match="the mapping is missing"):
        read(tmp_path, "csv", {"x.csv": "a\n1\n"}, "interventions", "kind")


def test_every_format_declares_what_it_fills_and_cannot_know():
    for form in FORMATS.values():
        described = form.describe()
        assert described["title"]
        assert described["fills"]
        assert described["cannot_know"]

"""The School Census as XML gives what the CSV export of the same census gives; schools send one file each."""

import itertools

import duckdb
import pytest

from histories.errors import Faults
from histories.identity import pseudonym
from histories.returns import FORMATS, import_return
from tests.support.census_files import upn
from tests.support.return_text import KEY

FORM = FORMATS["school-census"]


def pupil(n, entry="2022-09-05", leaving="", more=""):
    status = f"<EntryDate>{entry}</EntryDate>" + (
        f"<LeavingDate>{leaving}</LeavingDate>" if leaving else "<EnrolStatus>C</EnrolStatus>"
    )
    unit = "PupilNoLongerOnRoll" if leaving else "PupilOnRoll"
    return (
        f"<{unit}><PupilIdentifiers><UPN>{upn(n)}</UPN><Surname>Sur{n}</Surname><Forename>For{n}</Forename><DOB>2013-05-01</DOB><Gender>F</Gender></PupilIdentifiers>"
        f"<PupilStatus>{status}<NCyearActual>5</NCyearActual></PupilStatus>{more}</{unit}>"
    )


def census(folder, which, *pupils):
    """Write the census of one school: term, day and school number, and its pupils."""
    term, day, school = which
    folder.mkdir(exist_ok=True)
    on = "".join(p for p in pupils if p.startswith("<PupilOnRoll>"))
    off = "".join(p for p in pupils if not p.startswith("<PupilOnRoll>"))
    file = folder / f"{term}{school}.xml"
    file.write_text(
        f"<Message><Header><CollectionDetails><Collection>SC</Collection><Term>{term}</Term><Year>{day[:4]}</Year><ReferenceDate>{day}</ReferenceDate></CollectionDetails>"
        f"<Source><LEA>801</LEA><Estab>{school}</Estab></Source></Header><School><SchoolName>x</SchoolName></School>"
        f"<Pupils><PupilsOnRoll>{on}</PupilsOnRoll><PupilsNoLongerOnRoll>{off}</PupilsNoLongerOnRoll></Pupils></Message>"
    )
    return file


NEEDS = (
    "<PupilCharacteristics><Ethnicity>WBRI</Ethnicity></PupilCharacteristics><SpecialEducationalNeeds><SENprovision>K</SENprovision><SENneeds><SENneed>"
    "<SENtypeRank>1</SENtypeRank><SENtype>SEMH</SENtype></SENneed></SENneeds></SpecialEducationalNeeds>"
    "<HomeInformation><Address><PostCode>AB1 2CD</PostCode><UniquePropertyReferenceNumber>77</UniquePropertyReferenceNumber></Address></HomeInformation>"
    "<FSM><FSMperiod><FSMstartDate>2024-01-08</FSMstartDate></FSMperiod></FSM>"
    "<Exclusions><TermlyExclusion><Category>SUSP</Category><StartDate>2024-05-13</StartDate><Sessions>4</Sessions><Reason1>DB</Reason1></TermlyExclusion></Exclusions>"
    "<SchoolArrangedAPs><SchoolArrangedAP><EntryDate>2024-02-01</EntryDate><URN>999999</URN></SchoolArrangedAP></SchoolArrangedAPs>"
    "<Attendance><TermlyAttendance><SessionDetails><SessionDetail><AttendanceReason>I</AttendanceReason><AbsenceSessions>3</AbsenceSessions></SessionDetail>"
    "</SessionDetails></TermlyAttendance><SummerHalfTerm2Attendance><SessionDetails><SessionDetail><AttendanceReason>I</AttendanceReason>"
    "<AbsenceSessions>2</AbsenceSessions></SessionDetail></SessionDetails></SummerHalfTerm2Attendance><AnnualAttendance><SessionDetails><SessionDetail>"
    "<AttendanceReason>I</AttendanceReason><AbsenceSessions>90</AbsenceSessions></SessionDetail></SessionDetails></AnnualAttendance></Attendance>"
)
CSV = {
    "pupilonroll": "pupilonrolltableid,NativeId,upn,surname,forename,dob,sex,entrydate,enrolstatus,ncyearactual,ethnicity,senprovision\n"
    f"a,8012000,{upn(1)},Sur1,For1,2013-05-01,F,2022-09-05,C,5,WBRI,K\n",
    "pupilnolongeronroll": "pupilnolongeronrolltableid,NativeId,upn,surname,forename,dob,sex,entrydate,leavingdate\n"
    f"b,8012000,{upn(2)},Sur2,For2,2013-05-01,F,2022-09-05,2024-09-20\n",
    "senneeds": "pupilonrolltableid,sentyperank,sentype\na,1,SEMH\n",
    "addressesonroll": "pupilonrolltableid,postcode,uniquepropertyreferencenumber\na,AB1 2CD,77\n",
    "fsmperiod": "pupilonrolltableid,fsmstartdate,fsmenddate\na,2024-01-08,\n",
    "termlyexclusionsonroll": "pupilonrolltableid,startdate,category,sessions,reason1\na,2024-05-13,SUSP,4,DB\n",
    "termlysessiondetailsonroll": "pupilonrolltableid,attendancereason,sessions\na,I,3\n",
    "summerhalfterm2sessiondetailsonroll": "pupilonrolltableid,attendancereason,sessions\na,I,2\n",
}


def tables(histories):
    return {f.name: duckdb.sql(f"FROM '{f}' ORDER BY ALL").fetchall() for f in histories.glob("*.parquet")}


def test_xml_gives_the_same_as_the_csv_export(tmp_path):
    import_return(
        FORM,
        [census(tmp_path / "x", ("AUT", "2024-10-03", "2000"), pupil(1, more=NEEDS), pupil(2, leaving="2024-09-20"))],
        tmp_path / "hx",
        KEY,
    )
    (tmp_path / "c").mkdir()
    for name, text in CSV.items():
        (tmp_path / "c" / f"2024_autumn_{name}.csv").write_text(text)
    import_return(FORM, [tmp_path / "c"], tmp_path / "hc", KEY)
    by_xml, by_csv = tables(tmp_path / "hx"), tables(tmp_path / "hc")
    leaver = {pseudonym(upn(2), KEY)}
    assert {
        "pupils.parquet",
        "termly_attendance.parquet",
        "addresses.parquet",
        "sen.parquet",
        "suspensions.parquet",
    } <= set(by_xml)
    for name in by_csv:
        # XML names the year group of leavers, which the CSV of this test does not.
        assert [r for r in by_xml[name] if r[0] not in leaver] == [r for r in by_csv[name] if r[0] not in leaver], name
    import_return(FORM, [tmp_path / "c"], tmp_path / "hx", KEY)
    assert tables(tmp_path / "hx")["termly_attendance.parquet"] == by_csv["termly_attendance.parquet"], "counted once"


@pytest.fixture
def four(tmp_path):
    """Two schools over two terms; a child moves from one to the other, and its sessions are those of both."""
    sessions = NEEDS[NEEDS.index("<Attendance>") :]
    return [
        census(tmp_path / "r", ("AUT", "2024-10-03", "2000"), pupil(1), pupil(2)),
        census(tmp_path / "r", ("AUT", "2024-10-03", "3000"), pupil(3)),
        census(tmp_path / "r", ("SPR", "2025-01-16", "2000"), pupil(1), pupil(2, leaving="2024-11-01", more=sessions)),
        census(tmp_path / "r", ("SPR", "2025-01-16", "3000"), pupil(3), pupil(2, "2024-11-04", more=sessions)),
    ]


def test_schools_imported_in_any_order_and_again_give_the_same_as_all_at_once(four, tmp_path):
    import_return(FORM, four, tmp_path / "at_once", KEY)
    expected = tables(tmp_path / "at_once")
    assert [r[4] for r in expected["termly_attendance.parquet"]] == [10], "the sessions of both schools"
    for n, order in enumerate(itertools.islice(itertools.permutations(four), 3, 24, 7)):
        for file in (*order, order[0]):
            import_return(FORM, [file], tmp_path / f"h{n}", KEY)
        assert tables(tmp_path / f"h{n}") == expected


def test_a_school_that_resubmits_its_census_corrects_only_its_rows(four, tmp_path):
    import_return(FORM, four, tmp_path / "h", KEY)
    fixed = census(tmp_path / "fix", ("SPR", "2025-01-16", "3000"), pupil(3, "2023-09-04"), pupil(2, "2024-11-04"))
    report = import_return(FORM, [fixed], tmp_path / "h", KEY)
    assert any("corrects an earlier submission" in n for n in report.notes)
    spells = duckdb.sql(
        f"SELECT urn, entry_date::VARCHAR FROM '{tmp_path / 'h' / 'enrolments.parquet'}' ORDER BY ALL"
    ).fetchall()
    assert ("8013000", "2023-09-04") in spells
    assert ("8013000", "2022-09-05") not in spells
    assert spells.count(("8012000", "2022-09-05")) == 2


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("<Term>AUT</Term><Year>2024</Year><ReferenceDate>2024-10-03</ReferenceDate>", "", "which census"),
        ("<LEA>801</LEA><Estab>2000</Estab>", "", "no school"),
    ],
)
def test_a_header_without_its_required_fields_is_refused(tmp_path, old, new, what):
    file = census(tmp_path / "x", ("AUT", "2024-10-03", "2000"), pupil(1))
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(Faults, match=what):
        import_return(FORM, [file], tmp_path / "h", KEY)
    assert not (tmp_path / "h").exists()

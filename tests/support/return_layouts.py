"""A small sound file of every layout of a return, with places for its values, so that one test can say a thing of every reader."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import duckdb
import openpyxl

from histories.errors import Faults
from histories.returns import FORMATS, import_return

KEY = b"a key for tests only"
UPN, OTHER = "B801200005001", "Q801200005002"
# What a place in a file stands for, with a sound value. ``upn``, ``day``, ``end`` (a day that may be empty), ``number`` (a key of
# digits), ``code`` and ``count`` are kinds of value; a layout may have several places of one kind.
SOUND = {
    "upn": UPN,
    "day": "2024-09-04",
    "end": "2024-11-05",
    "born": "2013-05-01",
    "number": "100001",
    "child": "7001",
    "count": "4",
    "sex": "F",
    "ethnicity": "WBRI",
    "provision": "K",
    "year": "5",
    "status": "C",
    "reason": "DB",
    "category": "SUSP",
    "need": "SEMH",
    "code": "O",
    "session": "PM",
}
KIND = {
    "born": "day",
    "child": "number",
    **dict.fromkeys(("sex", "ethnicity", "provision", "year", "status", "reason", "category", "need", "code"), "code"),
    "session": "code",
}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One way in which a format's files are written.

    Attributes
    ----------
    form : str
    files : dict
        Names of files to their text, with ``<place>`` for the values. A ``.xlsx`` is given as ``{sheet: text of CSV}``.
    odd : tuple of str
        Places in which what is no code is refused instead of told.
    """

    form: str
    files: dict[str, str | dict[str, str]]
    places: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        text = json.dumps(self.files, ensure_ascii=False)
        object.__setattr__(self, "places", tuple(p for p in SOUND if f"<{p}>" in text))


def write(layout: Layout, folder: Path, values: dict[str, str]) -> list[Path]:
    """Write the files with some values in place of the sound ones."""
    folder.mkdir(parents=True)
    paths = []
    for name, text in layout.files.items():
        path = folder / name
        if isinstance(text, dict):
            path.write_bytes(_workbook({sheet: _filled(t, values, _in_csv) for sheet, t in text.items()}))
        else:
            path.write_text(_filled(text, values, ESCAPED[path.suffix]), encoding="utf-8")
        paths.append(path)
    return paths


def _filled(text, values, escaped):
    for place, sound in SOUND.items():
        text = text.replace(f"<{place}>", escaped(values.get(place, sound)))
    return text


def _in_csv(value):
    return '"' + value.replace('"', '""') + '"' if set(value) & set(',"\n\r\t ') else value


def _in_json(value):
    return json.dumps(value)[1:-1]


ESCAPED = {".csv": _in_csv, ".xml": escape, ".json": _in_json}


def _workbook(sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, text in sheets.items():
        sheet = book.create_sheet(title)
        for row in csv.reader(io.StringIO(text)):
            sheet.append([cell or None for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def stated(layout: Layout, folder: Path, values: dict[str, str]) -> tuple[dict[str, list[tuple]], str]:
    """Import the files; return what the return states, table by table, and what the import said of it.

    What is stated is compared, not what the tables hold, because some returns only add to spells that others state.

    Raises
    ------
    Faults
        When the return is refused.
    """
    report = import_return(FORMATS[layout.form], write(layout, folder / "return", values), folder / "h", KEY)
    tables = {}
    for file in sorted((folder / "h" / ".returns").glob("*.parquet")):
        tables[file.name] = duckdb.sql(f"FROM '{file}'").order("ALL").fetchall()
    return tables, "\n".join(report.notes)


def stated_or_refused(
    layout: Layout, folder: Path, values: dict[str, str]
) -> tuple[dict[str, list[tuple]] | None, str]:
    """Like ``stated``, but for a return that is refused give None and the refusal."""
    try:
        return stated(layout, folder, values)
    except Faults as refused:
        return None, str(refused)


CENSUS = "<Message><Header><CollectionDetails><Collection>{}</Collection><Year>2024</Year><ReferenceDate>2024-12-31</ReferenceDate></CollectionDetails></Header>{}</Message>"
LAYOUTS = {
    "school-census": Layout(
        form="school-census",
        files={
            "2024_autumn_pupilonroll.csv": "pupilonrolltableid,NativeId,dob,upn,sex,entrydate,ethnicity,enrolstatus,ncyearactual,senprovision\n"
            f"1,<number>,<born>,<upn>,<sex>,<day>,<ethnicity>,<status>,<year>,<provision>\n2,100002,2013-05-01,{OTHER},M,2023-09-04,,C,5,N\n",
            "2024_autumn_pupilnolongeronroll.csv": "pupilnolongeronrolltableid,NativeId,dob,upn,sex,entrydate,leavingdate\n"
            f"9,100009,2013-05-01,{OTHER},M,2020-09-04,<end>\n",
            "2024_autumn_senneeds.csv": "pupilonrolltableid,sentyperank,sentype\n1,1,<need>\n",
            "2024_autumn_termlyexclusionsonroll.csv": "pupilonrolltableid,startdate,category,sessions,reason1\n1,<day>,<category>,<count>,<reason>\n",
            "2024_autumn_termlysessiondetailsonroll.csv": "pupilonrolltableid,attendancereason,sessions\n1,<code>,<count>\n",
            "2024_autumn_fsmperiod.csv": "pupilonrolltableid,fsmstartdate,fsmenddate\n1,<day>,<end>\n",
        },
    ),
    "cin-census": Layout(
        form="cin-census",
        files={
            "cin.xml": CENSUS.format(
                "CIN",
                "<Children><Child><ChildIdentifiers><LAchildID><child></LAchildID><UPN><upn></UPN></ChildIdentifiers><CINdetails>"
                "<CINreferralDate><day></CINreferralDate><CINclosureDate><end></CINclosureDate></CINdetails></Child></Children>",
            )
        },
    ),
    "ctf": Layout(
        form="ctf",
        files={
            "pupil.xml": "<CTfile><Header><DateTime>2024-12-01T10:00:00</DateTime></Header><CTFpupilData><Pupil><UPN><upn></UPN><DOB><born></DOB><Sex><sex></Sex>"
            "<SchoolHistory><School><LEA>801</LEA><Estab>2000</Estab><EntryDate><day></EntryDate><LeavingDate><end></LeavingDate></School>"
            "</SchoolHistory></Pupil></CTFpupilData></CTfile>"
        },
    ),
    "ssda903 CSV": Layout(
        form="ssda903",
        files={
            "header.csv": "CHILD,UPN\n<child>,<upn>\n",
            "episodes.csv": "CHILD,DECOM,DEC\n7001,<day>,<end>\n",
            "missing.csv": "CHILD,MIS_START,MIS_END\n7001,<day>,<end>\n",
        },
    ),
    "ssda903 XML": Layout(
        form="ssda903",
        files={
            "903.xml": "<EXPSSDA903><CHILD><HEADER><CHILDID><child></CHILDID><UPN><upn></UPN>"
            "<AMISSING><MIS_START><day></MIS_START><MIS_END><end></MIS_END></AMISSING></HEADER>"
            "<EPISODE><DECOM><day></DECOM><DEC><end></DEC></EPISODE></CHILD></EXPSSDA903>"
        },
    ),
    "marks": Layout(form="marks", files={"m.csv": "upn,date,session,code\n<upn>,<day>,<session>,<code>\n"}),
    "marks by day": Layout(form="marks", files={"m.csv": "upn,date,am,pm,recorded_on\n<upn>,<day>,/,<code>,<end>\n"}),
    "cme-cases": Layout(
        form="cme-cases", files={"c.csv": "UPN,Missing from,Reported on,Closed on\n<upn>,<day>,<day>,<end>\n"}
    ),
    "cme-cases XLSX": Layout(
        form="cme-cases",
        files={"c.xlsx": {"Cases": "UPN,Missing from,Reported on,Closed on\n<upn>,<day>,<day>,<end>\n"}},
    ),
    "deletions": Layout(
        form="deletions", files={"d.csv": "UPN,URN,Date removed,Ground,Date received\n<upn>,<number>,<day>,D,<end>\n"}
    ),
    "home-education": Layout(
        form="home-education",
        files={"e.csv": "UPN,Previous school URN,EHE start,Date notified\n<upn>,<number>,<day>,<end>\n"},
    ),
    "schools": Layout(
        form="schools",
        files={
            "g.csv": "URN,LA (code),EstablishmentNumber,EstablishmentName,PhaseOfEducation (name),StatutoryLowAge\n<number>,801,2000,One,Primary,<count>\n"
        },
    ),
    "school-links": Layout(form="school-links", files={"l.csv": "URN,LinkURN,LinkType\n<number>,150001,Successor\n"}),
    "areas": Layout(form="areas", files={"a.csv": "LSOA code (2021),idaci_decile\nE01000001,<count>\n"}),
    "postcodes": Layout(form="postcodes", files={"p.csv": "pcds,lsoa21cd\nAB1 2CD,E01000001\n"}),
    "upn-changes": Layout(form="upn-changes", files={"u.csv": f"upn,former_upn\n<upn>,{OTHER}\n"}),
    "school-census XML": Layout(
        form="school-census",
        files={
            "spring.xml": "<Message><Header><CollectionDetails><Collection>SC</Collection><Term>AUT</Term><Year>2024</Year>"
            "<ReferenceDate>2024-10-03</ReferenceDate></CollectionDetails><Source><LEA>801</LEA><Estab>2000</Estab></Source></Header><Pupils>"
            "<PupilsOnRoll><PupilOnRoll><PupilIdentifiers><UPN><upn></UPN><DOB><born></DOB><Sex><sex></Sex></PupilIdentifiers>"
            "<PupilCharacteristics><Ethnicity><ethnicity></Ethnicity></PupilCharacteristics>"
            "<PupilStatus><EnrolStatus><status></EnrolStatus><EntryDate><day></EntryDate><NCyearActual><year></NCyearActual></PupilStatus>"
            "<SpecialEducationalNeeds><SENprovision><provision></SENprovision><SENneeds><SENneed><SENtypeRank>1</SENtypeRank><SENtype><need></SENtype>"
            "</SENneed></SENneeds></SpecialEducationalNeeds>"
            "<Exclusions><TermlyExclusion><Category><category></Category><StartDate><day></StartDate><Sessions><count></Sessions><Reason1><reason></Reason1>"
            "</TermlyExclusion></Exclusions><FSM><FSMperiod><FSMstartDate><day></FSMstartDate><FSMendDate><end></FSMendDate></FSMperiod></FSM>"
            "<Attendance><TermlyAttendance><SessionDetails><SessionDetail><AttendanceReason><code></AttendanceReason><AbsenceSessions><count></AbsenceSessions>"
            "</SessionDetail></SessionDetails></TermlyAttendance></Attendance></PupilOnRoll>"
            f"<PupilOnRoll><PupilIdentifiers><UPN>{OTHER}</UPN><DOB>2013-05-01</DOB></PupilIdentifiers><PupilStatus><EntryDate>2023-09-04</EntryDate></PupilStatus>"
            "</PupilOnRoll></PupilsOnRoll></Pupils></Message>"
        },
    ),
    "sen2": Layout(
        form="sen2",
        files={
            "Blade-Export_01-03-2025_sen2.csv": "sen2tableid,collection,year,referencedate,datetime,lea\ns1,SEN2,2025,2025-Jan-16 00:00:00,2025-Feb-20 10:00:00,801\n",
            "Blade-Export_01-03-2025_person.csv": "persontableid,sen2tableid,personbirthdate,sex,ethnicity,upn\n"
            f"<child>,s1,<born>,<sex>,<ethnicity>,<upn>\n2,s1,2013-May-01 00:00:00,M,WBRI,{OTHER}\n",
            "Blade-Export_01-03-2025_requests.csv": "requeststableid,persontableid,receiveddate\nr1,7001,2024-Jan-02 00:00:00\nr2,2,2024-Jan-02 00:00:00\n",
            "Blade-Export_01-03-2025_assessment.csv": "assessmenttableid,requeststableid\na1,r1\na2,r2\n",
            "Blade-Export_01-03-2025_namedplan.csv": "namedplantableid,assessmenttableid,startdate,ceasedate\np1,a1,<day>,<end>\np2,a2,2024-Jan-08 00:00:00,\n",
            "Blade-Export_01-03-2025_activeplans.csv": "activeplanstableid,requeststableid\nv1,r1\n",
            "Blade-Export_01-03-2025_senneed.csv": "senneedtableid,activeplanstableid,sentype,sentyperank\nn1,v1,<need>,1\nn2,v1,MLD,2\n",
        },
    ),
    "annex-a": Layout(
        form="annex-a",
        files={
            "annex.xlsx": {
                "List 1": "Child Unique ID,Date of Contact,Contact Source\n1,2024-09-01,6: Police\n",
                "List 3": "Child Unique ID,UPN,Date of Referral,Referral NFA?\n7002,<upn>,2024-09-05,No\n",
                "List 6": "Child Unique ID,UPN,Gender,Ethnicity,Date of Birth,CIN Start Date,Primary Need Code,CIN Closure Date,Reason for Closure\n"
                f"<child>,<upn>,b) Female,a) WBRI,<born>,<day>,N1 - Abuse or Neglect,<end>,a) Adopted\n9,{OTHER},,,,2024-01-08,,,\n",
            }
        },
    ),
    "wonde": Layout(
        form="wonde",
        files={
            "attendance.json": '{"data": [{"student_id": "A1", "date": "<day>", "session": "<session>", "attendance_code_id": "C9", "comment": null},'
            ' {"student_id": "A2", "date": "2024-09-05", "session": "AM", "attendance_code_id": "C8"}]}',
            "codes.json": '{"data": [{"id": "C9", "code": "<code>", "type": "x"}, {"id": "C8", "code": "/", "type": "x"}]}',
            "students.json": '{"data": [{"id": "A1", "mis_id": "1", "surname": "x", "education_details": {"data": {"upn": "<upn>"}}},'
            f' {{"id": "A2", "mis_id": "2", "surname": "x", "education_details": {{"data": {{"upn": "{OTHER}"}}}}}}]}}',
        },
    ),
}

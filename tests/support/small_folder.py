"""A small mixed folder of sound returns, files that are none, and returns that cannot be used yet."""

from __future__ import annotations

import io
import json

import openpyxl

UPN = "B801200005001"


def workbook(rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


CIN = (
    "<Message><Header><CollectionDetails><Collection>CIN</Collection><Year>2025</Year></CollectionDetails></Header><Children><Child>"
    f"<ChildIdentifiers><UPN>{UPN}</UPN></ChildIdentifiers><CINdetails><CINreferralDate>2024-10-06</CINreferralDate></CINdetails></Child></Children></Message>"
)
CTF = (
    f"<CTfile><CTFpupilData><Pupil><UPN>{UPN}</UPN><DOB>2013-05-01</DOB><SchoolHistory><School><LEA>801</LEA><Estab>2000</Estab>"
    "<EntryDate>2018-09-02</EntryDate></School></SchoolHistory></Pupil></CTFpupilData></CTfile>"
)
FOLDER = {
    "gias.csv": ("schools", "URN,PhaseOfEducation (name),EstablishmentName\n100001,Primary,Zoë’s\n".encode("cp1252")),
    "links.csv": ("school-links", b"URN,LinkURN,LinkType\n100001,100002,Merged\n100003,100001,Successor\n"),
    "idaci.xlsx": ("areas", workbook([["Title"], [], ["LSOA code (2021)", "idaci_decile"], ["E01000001", 3]])),
    "census/2024_autumn_pupilonroll.csv": (
        "school-census",
        f"pupilonrolltableid,NativeId,dob,upn,sex,entrydate\n1,100001,2013-05-01,{UPN},F,2020-09-02\n".encode(),
    ),
    "903/header.csv": ("ssda903", f"CHILD,UPN\n7,{UPN}\n".encode()),
    "903/episodes.csv": ("ssda903", b"CHILD,DECOM,DEC\n7,04/09/2024,\n"),
    "return.xml": ("cin-census", CIN.encode()),
    "pupil.ctf": ("ctf", CTF.encode()),
    "cases of the team.xlsx": (
        "cme-cases",
        workbook([["UPN", "Missing from", "Reported on"], [UPN, "10/09/2024", "01/10/2024"]]),
    ),
    "register.txt": ("marks", f"upn\tdate\tsession\tcode\n{UPN}\t2024-09-10\tAM\t/\n".encode("utf-16")),
    "left.csv": ("deletions", f"UPN;Date removed;Ground\n{UPN};01/12/2024;D\n".encode()),
}
BYTES = {
    "letter.docx": b"x",
    "notes.csv": b"Dear all,see below\n1,2\n",
    "broken.xlsx": b"PK\x03\x04" + b"\x00" * 99,
    "home and deletions.csv": f"UPN,Date removed,EHE start,Ground\n{UPN},01/12/2024,02/12/2024,D\n".encode(),
}


ROLL = "census/2024_autumn_pupilonroll.csv"
ANNEX_A = workbook([["Child Unique ID", "CIN Start Date", "CIN Closure Date"], [7, "10/09/2024", None]])
CONTACTS = b"Child Unique ID,Date of Contact\n7,10/09/2024\n"
LINK = "onroll link HISTORIES --people"
# Returns that cannot be used yet: their files, and a part of the reason and of the remedy.
UNUSABLE = {
    "Annex A without UPNs": ({"annex.xlsx": ANNEX_A}, "1 child waits for a link, without a UPN", LINK),
    "only a list of Annex A that is not read": (
        {"l1.csv": CONTACTS},
        "no sheet is a list of Annex A",
        "Head the lists",
    ),
    "cases without UPNs": (
        {"cases.csv": b"Case ID,UPN,Missing from,Reported on\n7,,10/09/2024,01/10/2024\n"},
        "1 row has no UPN (lines 2)",
        LINK,
    ),
    "CIN without UPNs": (
        {"cin.xml": CIN.replace(f"<UPN>{UPN}</UPN>", "<LAchildID>7</LAchildID>").encode()},
        "1 child waits for a link, without a UPN",
        LINK,
    ),
    "903 with placeholders": (
        {"header.csv": b"CHILD,UPN\n7,UN3\n", "episodes.csv": b"CHILD,DECOM,DEC\n7,04/09/2024,\n"},
        "1 row has a placeholder",
        LINK,
    ),
    "903 without the header": ({"episodes.csv": b"CHILD,DECOM,DEC\n7,04/09/2024,\n"}, "header.csv", "header.csv"),
    "marks of nobody": ({"m.csv": b"upn,date,session,code\nUN1,2024-09-10,AM,/\n"}, "placeholder", "Follow the notes"),
    "an empty export": ({"m.csv": b"upn,date,session,code\n"}, "no row of the return can be used", "Follow the notes"),
    "Wonde's students without marks": (
        {"s.json": json.dumps([{"id": "S1", "mis_id": "1", "surname": "x", "upn": UPN}]).encode()},
        "no record is a mark",
        "session attendance",
    ),
    "changed UPNs of nobody": (
        {"c.csv": b"upn,former_upn\nUN1,UN2\n"},
        "two UPNs of one child",
        "Write the current UPN",
    ),
}

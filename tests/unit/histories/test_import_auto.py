"""A mixed folder: files are recognised by content, others are reported with the reason, and either all are imported or none."""

import io
import json
import shutil

import duckdb
import openpyxl
import pytest
from click.testing import CliRunner

from histories.cli.import_returns import import_
from histories.errors import Faults
from histories.returns import FORMATS, import_folder, import_return

KEY = b"a key for tests only"
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
OTHERS = {
    "letter.docx": ("not CSV", []),
    "notes.csv": ("no format", []),
    "broken.xlsx": ("damaged", []),
    "home and deletions.csv": ("several", ["deletions", "home-education"]),
}
BYTES = {
    "letter.docx": b"x",
    "notes.csv": b"Dear all,see below\n1,2\n",
    "broken.xlsx": b"PK\x03\x04" + b"\x00" * 99,
    "home and deletions.csv": f"UPN,Date removed,EHE start,Ground\n{UPN},01/12/2024,02/12/2024,D\n".encode(),
}


def write_returns(place):
    """Write a folder of returns and of files that are none."""
    for name, content in {**{n: c for n, (_, c) in FOLDER.items()}, **BYTES}.items():
        file = place / "returns" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return place / "returns"


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """A place with the returns and the histories of one import of them, and what the import reported; read-only."""
    place = tmp_path_factory.mktemp("auto")
    return place, import_folder(FORMATS, write_returns(place), place / "h", KEY)


@pytest.fixture
def copy(imported, tmp_path):
    """A copy of the place that a test may change."""
    shutil.copytree(imported[0], tmp_path, dirs_exist_ok=True)
    return tmp_path


def tables(histories):
    return {f.name: duckdb.sql(f"FROM '{f}' ORDER BY ALL").fetchall() for f in histories.glob("*.parquet")}


def test_every_file_is_recognised_or_named_with_the_reason(imported):
    place, report = imported
    assert report.took == {name: form for name, (form, _) in FOLDER.items()}
    left_out = {f["file"]: f for f in report.left_out}
    assert {n: f["could_be"] for n, f in left_out.items()} == {n: could_be for n, (_, could_be) in OTHERS.items()}
    assert all(why in left_out[n]["why"] for n, (why, _) in OTHERS.items())
    held = tables(place / "h")
    assert {"pupils.parquet", "enrolments.parquet", "schools.parquet", "cme.parquet", "areas.parquet"} <= set(held)
    assert {p.name for p in place.iterdir()} <= {"h", "h.linkage", "returns"}


def test_a_folder_gives_the_same_as_its_returns_one_by_one(copy):
    before = tables(copy / "h")
    by_format = {}
    for name, (form, _) in FOLDER.items():
        by_format.setdefault(form, []).append(copy / "returns" / name)
    for form in sorted(by_format, reverse=True):
        import_return(FORMATS[form], by_format[form], copy / "one", KEY)
    assert tables(copy / "one") == before
    import_folder(FORMATS, copy / "returns", copy / "h", KEY)
    assert tables(copy / "h") == before


def test_one_file_at_fault_leaves_the_histories_as_they_are(copy):
    returns, tmp_path = copy / "returns", copy
    before = tables(tmp_path / "h")
    (returns / "left.csv").write_text(f"UPN,Date removed,Ground\n{UPN},soon,D\n")
    (returns / "gias.csv").write_text("URN,PhaseOfEducation (name),StatutoryLowAge\n100009,Primary,five\n")
    with pytest.raises(Faults) as refused:
        import_folder(FORMATS, returns, tmp_path / "h", KEY)
    assert {"left.csv", "gias.csv"} == {n for n in FOLDER if f"/{n}," in str(refused.value)}, "all faults are collected"
    assert tables(tmp_path / "h") == before
    assert not [p.name for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_the_verb_prints_what_it_took_and_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("ONROLL_PSEUDONYM_KEY", "a key for tests only, which is long enough")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "returns").mkdir()
    for name in ("gias.csv", "census/2024_autumn_pupilonroll.csv"):
        (tmp_path / "returns" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "returns" / name).write_bytes(FOLDER[name][1])
    for name, content in BYTES.items():
        (tmp_path / "returns" / name).write_bytes(content)
    ran = CliRunner().invoke(import_, ["auto", str(tmp_path / "returns"), "--into", str(tmp_path / "h"), "--json"])
    assert ran.exit_code == 0, ran.output
    printed = json.loads(ran.stdout)
    assert printed["took"]["gias.csv"] == "schools"
    assert {f["file"] for f in printed["left_out"]} == set(OTHERS)
    assert printed["rows"]["pupils"] == 1


def test_a_folder_in_which_nothing_is_recognised_is_refused(tmp_path):
    (tmp_path / "returns").mkdir()
    (tmp_path / "returns" / "notes.csv").write_bytes(BYTES["notes.csv"])
    with pytest.raises(Faults, match=r"no file of the folder is recognised; notes\.csv"):
        import_folder(FORMATS, tmp_path / "returns", tmp_path / "h", KEY)
    assert not (tmp_path / "h").exists()


def test_every_format_but_csv_can_be_recognised():
    assert [n for n, f in FORMATS.items() if not f.recognises] == ["csv"]

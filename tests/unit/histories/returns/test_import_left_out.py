"""What an import leaves out is named and ends with exit code 1; a list of persons makes some of it usable in the same walk."""

import json
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from histories.cli.import_returns import import_
from tests.support.small_folder import ANNEX_A, BYTES, CIN, FOLDER, LINK, ROLL, UNUSABLE, UPN

PEOPLE = b"person_id,forename,surname,dob,upn\n7,For,Sur,2013-05-01,B801200005001\n"
NAMED_ROLL = (
    ROLL,
    f"pupilonrolltableid,NativeId,dob,upn,sex,entrydate,surname,forename\n1,100001,2013-05-01,{UPN},F,2020-09-02,Sur,For\n".encode(),
)
NEED_LINKS = [kind for kind, (_, _, do) in UNUSABLE.items() if do == LINK]


@pytest.mark.parametrize("kind", NEED_LINKS)
@pytest.mark.parametrize("place", ["people.csv", "returns/people.csv"])
def test_children_without_a_upn_are_linked_in_the_walk_itself(run, kind, place):
    files, _, _ = UNUSABLE[kind]
    Path("returns").mkdir()
    Path(place).write_bytes(PEOPLE)
    code, printed = run({NAMED_ROLL[0]: NAMED_ROLL[1], **files}, "--link", place)
    assert (code, printed["left_out"]) == (0, [])
    assert any(n.startswith("linking: 1 upn") for n in printed["notes"])
    ((pupil,),) = duckdb.sql("SELECT pupil_id FROM 'h/pupils.parquet'").fetchall()
    table = "cme" if kind.startswith("cases") else "social_care"
    assert duckdb.sql(f"SELECT DISTINCT pupil_id FROM 'h/{table}.parquet'").fetchall() == [(pupil,)]


def test_a_folder_with_names_alone_gives_rows_of_earlier_imports_to_the_linked_pupils(run, tmp_path):
    cases, sound = (
        f"Case ID,UPN,Missing from,Reported on\n7,,10/09/2024,01/10/2024\n8,{UPN},10/10/2024,01/11/2024\n",
        "h/cme.parquet",
    )
    (tmp_path / "cases.csv").write_text(cases)
    ran = CliRunner().invoke(import_, ["cme-cases", "cases.csv", "--into", "h"])
    assert ran.exit_code == 0
    Path("people.csv").write_bytes(PEOPLE)
    assert run({NAMED_ROLL[0]: NAMED_ROLL[1]}, "--link", "people.csv")[0] == 0
    assert duckdb.sql(f"SELECT count(*), count(DISTINCT pupil_id) FROM '{sound}'").fetchall() == [(2, 1)]


# Files of which nothing can be used, beside a sound one of their format.
BESIDE = {
    "cases of nobody": (
        "cases of nobody.csv",
        b"UPN,Missing from,Reported on\nUN1,10/09/2024,01/10/2024\n",
        "no row of the file",
    ),
    "cases that wait": (
        "cases that wait.csv",
        b"Case ID,UPN,Missing from,Reported on\n7,,10/09/2024,01/10/2024\n",
        "until its children",
    ),
    "an empty list": ("no cases.csv", b"UPN,Missing from,Reported on\n", "no row of the file"),
    "Annex A that waits": ("annex.xlsx", ANNEX_A, "until its children"),
    "CIN that waits": (
        "c.xml",
        CIN.replace(f"<UPN>{UPN}</UPN>", "<LAchildID>7</LAchildID>").encode(),
        "until its children",
    ),
    "marks of nobody": ("m.csv", b"upn,date,session,code\nUN1,2024-09-10,AM,/\n", "no row of the file"),
    "a table of no format": ("notes.csv", BYTES["notes.csv"], "no format"),
    "a damaged workbook": ("broken.xlsx", BYTES["broken.xlsx"], "damaged"),
    "SEN2 without a module": (
        "sen2 b/person.csv",
        b"persontableid,sen2tableid,upn,personbirthdate\n1,s,x,2013-05-01\n",
        "is missing",
    ),
    "903 without a header": ("903 b/episodes.csv", b"CHILD,DECOM,DEC\n7,04/09/2024,\n", "header.csv"),
}
SOUND = {
    ROLL: FOLDER[ROLL][1],
    "sound cases.csv": f"UPN,Missing from,Reported on\n{UPN},10/09/2024,01/10/2024\n".encode(),
    "sound annex.csv": f"Child Unique ID,UPN,CIN Start Date\n9,{UPN},10/09/2024\n".encode(),
    "sound.xml": CIN.encode(),
    "sound marks.csv": f"upn,date,session,code\n{UPN},2024-09-10,AM,/\n".encode(),
    "sen2 a/person.csv": f"persontableid,sen2tableid,upn,personbirthdate\n1,s,{UPN},2013-05-01\n".encode(),
    "sen2 a/requests.csv": b"requeststableid,persontableid\nr,1\n",
    "sen2 a/assessment.csv": b"assessmenttableid,requeststableid\na,r\n",
    "sen2 a/namedplan.csv": b"namedplantableid,assessmenttableid,startdate\np,a,2022-09-01\n",
    "903/header.csv": FOLDER["903/header.csv"][1],
    "903/episodes.csv": FOLDER["903/episodes.csv"][1],
}


def test_a_file_of_which_nothing_can_be_used_is_named_beside_a_usable_one(run):
    code, printed = run({**SOUND, "minutes.docx": b"x"})
    assert (code, [f["file"] for f in printed["left_out"]]) == (0, ["minutes.docx"]), "what is no table is only named"
    code, printed = run({name: content for name, content, _ in BESIDE.values()})
    assert code == 1
    left_out = {f["file"]: f["why"] for f in printed["left_out"]}
    assert set(left_out) == {"minutes.docx", *(name for name, _, _ in BESIDE.values())}
    for kind, (name, _, why) in BESIDE.items():
        assert why in left_out[name], kind
    assert set(printed["took"]) == set(SOUND)


@pytest.mark.prove
@pytest.mark.parametrize("kind", BESIDE)
def test_each_of_them_by_itself(run, kind):
    name, content, why = BESIDE[kind]
    code, printed = run({**SOUND, name: content})
    assert (code, [f["file"] for f in printed["left_out"]]) == (1, [name])
    assert why in printed["left_out"][0]["why"]
    assert set(printed["took"]) == set(SOUND)


def test_a_single_format_names_them_too(run, tmp_path):
    (tmp_path / "good.csv").write_bytes(SOUND["sound cases.csv"])
    (tmp_path / "bad.csv").write_bytes(BESIDE["cases that wait"][1])
    for _ in range(2):
        ran = CliRunner().invoke(import_, ["cme-cases", "good.csv", "bad.csv", "--into", "h", "--json"])
        assert ran.exit_code == 1
        assert [f["file"] for f in json.loads(ran.stdout)["left_out"]] == ["bad.csv"]

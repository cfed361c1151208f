"""A mixed folder: files are recognised by content; others, and those that cannot be used yet, are reported with the reason."""

import json
import re
import shutil
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from histories.cli.import_returns import import_
from histories.errors import Faults
from histories.returns import FORMATS, import_folder, import_return
from tests.support.small_folder import BYTES, FOLDER, ROLL, UNUSABLE, UPN
from tests.support.thinned import every_second

KEY = b"a key for tests only"
OTHERS = {
    "letter.docx": ("not CSV", []),
    "notes.csv": ("no format", []),
    "broken.xlsx": ("damaged", []),
    "home and deletions.csv": ("several", ["deletions", "home-education"]),
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
    assert ran.exit_code == 1, "tables that may be returns were left out"
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


@pytest.mark.parametrize("kind", every_second(UNUSABLE))
def test_a_return_that_cannot_be_used_yet_is_left_out_by_name_and_the_others_are_imported(run, kind):
    files, why, do = UNUSABLE[kind]
    code, printed = run({ROLL: FOLDER[ROLL][1], **files})
    assert code == 1
    assert printed["took"] == {ROLL: "school-census"}
    assert printed["rows"]["pupils"] == 1
    left_out = {f["file"]: f for f in printed["left_out"]}
    assert set(left_out) == set(files)
    assert all(why in f["why"] and do in f["do"] and len(f["could_be"]) == 1 for f in left_out.values())
    _, text = run({}, as_json=False)
    assert all(f"left out {name}" in text for name in files)
    assert do in text


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_folder_with_nothing_else_is_refused(run, kind):
    files, why, _ = UNUSABLE[kind]
    with pytest.raises(Faults, match=re.escape(why)):
        run(files)
    assert not Path("h").exists()


def test_a_faulty_value_still_stops_the_import_of_all(run):
    annex, _, _ = UNUSABLE["Annex A without UPNs"]
    faulty = {"left.csv": f"UPN,Date removed,Ground\n{UPN},soon,D\n".encode()}
    with pytest.raises(Faults, match=r"left\.csv"):
        run({ROLL: FOLDER[ROLL][1], **annex, **faulty})
    assert not Path("h").exists()


def test_annex_a_is_imported_once_its_children_are_linked(run):
    annex, _, _ = UNUSABLE["Annex A without UPNs"]
    assert run({ROLL: FOLDER[ROLL][1], **annex})[0] == 1
    store = Path("h.linkage")
    store.mkdir(exist_ok=True)
    ((pupil,),) = duckdb.sql("SELECT pupil_id FROM 'h/pupils.parquet'").fetchall()
    (store / "links.csv").write_text(f"person_id,pupil_id,probability,how,model\n7,{pupil},1.0,answered,1\n")
    code, printed = run({})
    assert (code, printed["left_out"]) == (0, [])
    assert duckdb.sql("SELECT pupil_id, kind FROM 'h/social_care.parquet'").fetchall() == [(pupil, "cin")]


# Marks whose columns only a mapping names: the mapping, the header and a row.
MAPPED_MARKS = {
    "long": (
        'pupil = "Learner UPN"\ndate = "On"\nsession = "Half"\ncode = "Mark"',
        "Learner UPN,On,Half,Mark",
        "10/09/2024,AM,/",
    ),
    "days": ('layout = "days"\npupil = "Learner UPN"\nam = "Morning"', "Learner UPN,Date,Morning,PM", "10/09/2024,/,"),
    "columns": ('layout = "columns"\npupil = "Learner UPN"', "Learner UPN,2024-09-10 AM", "/"),
    "weeks": (
        'layout = "weeks"\npupil = "Learner UPN"\nweek = "Starts"',
        "Learner UPN,Starts,Marks",
        "2024-09-10,/---------",
    ),
    "default headings, other dates": ('dates = ["%d.%m.%Y"]', "UPN,Date,Session,Code", "10.09.2024,AM,/"),
}


@pytest.mark.parametrize("layout", MAPPED_MARKS)
def test_marks_with_mapped_columns_are_recognised_with_the_mapping(run, layout):
    mapping, header, row = MAPPED_MARKS[layout]
    Path("own.toml").write_text(mapping)
    marks = f"{header}\n{UPN},{row}\n".encode()
    code, printed = run({ROLL: FOLDER[ROLL][1], "register.csv": marks}, "--mapping", "own.toml")
    assert code == 0
    assert printed["took"]["register.csv"] == "marks"
    assert printed["left_out"] == []
    assert duckdb.sql("SELECT date::VARCHAR, session, code FROM 'h/attendance.parquet'").fetchall() == [
        ("2024-09-10", "AM", "/")
    ]


def test_several_mappings_each_read_their_own_files_and_an_unused_one_is_named(run):
    Path("marks.toml").write_text(MAPPED_MARKS["long"][0])
    Path("visits.toml").write_text(
        '[[table]]\nfills = "interventions"\nfiles = "*visits*.csv"\npupil = "UPN"\n'
        '[table.columns]\ndate = "Visited"\nkind = "What"\n'
    )
    Path("unused.toml").write_text('code = "Zeichen"')
    visits = f"UPN,Visited,What\n{UPN},10/09/2024,visit\n".encode()
    _, header, row = MAPPED_MARKS["long"]
    files = {ROLL: FOLDER[ROLL][1], "home visits.csv": visits, "marks.csv": f"{header}\n{UPN},{row}\n".encode()}
    names = [o for m in ("marks.toml", "visits.toml", "unused.toml") for o in ("--mapping", m)]
    code, printed = run(files, *names)
    assert code == 0
    assert printed["took"] == {ROLL: "school-census", "home visits.csv": "csv", "marks.csv": "marks"}
    assert [n for n in printed["notes"] if "unused.toml: no file" in n]
    assert {"attendance", "interventions"} <= set(printed["rows"])


def test_a_file_with_the_columns_of_several_mappings_is_left_out(run):
    for name in ("one.toml", "two.toml"):
        Path(name).write_text(MAPPED_MARKS["long"][0])
    _, header, row = MAPPED_MARKS["long"]
    files = {ROLL: FOLDER[ROLL][1], "m.csv": f"{header}\n{UPN},{row}\n".encode()}
    _, printed = run(files, "--mapping", "one.toml", "--mapping", "two.toml")
    (left_out,) = printed["left_out"]
    assert "several mappings" in left_out["why"]


@pytest.mark.parametrize("mapping", ["layout = 3", "codes = 1", "[[table]]\nfills = 'nothing'\nfiles = '*'"])
def test_a_mapping_that_cannot_be_read_is_refused(run, mapping):
    Path("own.toml").write_text(mapping)
    with pytest.raises(Faults, match=r"own\.toml"):
        run({ROLL: FOLDER[ROLL][1]}, "--mapping", "own.toml")


@pytest.mark.parametrize(("names", "lacks"), [(["gias.csv"], True), (["gias.csv", ROLL], False)])
def test_what_the_histories_still_lack_is_said_after_the_last_return(run, names, lacks):
    _, printed = run({name: FOLDER[name][1] for name in names})
    notes = [n for n in printed["notes"] if "still lacks" in n]
    assert notes == ["the folder still lacks pupils and enrolments: import a return that fills them"] * lacks

"""Damaged files of returns: each gets a message with file and place, and nothing is written or changed."""

import pytest

from histories.errors import Faults
from histories.returns import FORMATS, import_return

KEY = b"a key for tests only"
ROLL = "pupilonrolltableid,NativeId,dob,upn,sex,entrydate,senprovision\n"
ROW = "1,100001,2013-May-01 00:00:00,B801200005001,F,2020-Sep-02 00:00:00,N\n"
CASES = "upn,missing_from,reported_on,resolved_on\n"
CASE = "B801200005001,2024-09-10,2024-10-01,\n"
MARKS = "upn,date,session,code\n"
MARK = "B801200005001,2024-09-10,AM,/\n"
EPISODES = "CHILD,DECOM,DEC\n"
EPISODE = "7,04/09/2024,01/10/2024\n"
HEADER = "CHILD,UPN\n7,B801200005001\n"
CIN = (
    "<Message><Header><CollectionDetails><Collection>CIN</Collection><Year>2025</Year></CollectionDetails></Header><Children><Child><ChildIdentifiers>"
    "<LAchildID>1</LAchildID><UPN>B801200005001</UPN></ChildIdentifiers><CINdetails><CINreferralDate>2024-10-06</CINreferralDate></CINdetails></Child></Children></Message>"
)
CTF = (
    "<CTfile><CTFpupilData><Pupil><UPN>B801200005001</UPN><DOB>2013-05-01</DOB><SchoolHistory><School><LEA>801</LEA><Estab>2000</Estab>"
    "<EntryDate>2020-09-02</EntryDate></School></SchoolHistory></Pupil></CTFpupilData></CTfile>"
)
BOMB = '<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
# A sound file of each format and the other files of its folder.
SOUND = {
    "school-census": ("2024_autumn_pupilonroll.csv", ROLL + ROW, {}),
    "cme-cases": ("cases.csv", CASES + CASE, {}),
    "marks": ("marks.csv", MARKS + MARK, {}),
    "ssda903": ("episodes.csv", EPISODES + EPISODE, {"header.csv": HEADER}),
}
CARE = "<EXPSSDA903><CHILD><HEADER><CHILDID>7</CHILDID><UPN>B801200005001</UPN></HEADER><EPISODE><DECOM>2024-10-06</DECOM></EPISODE></CHILD></EXPSSDA903>"
CENSUS = (
    "<Message><Header><CollectionDetails><Collection>SC</Collection><Term>AUT</Term><Year>2024</Year></CollectionDetails><Source><LEA>801</LEA>"
    "<Estab>2000</Estab></Source></Header><Pupils><PupilsOnRoll><PupilOnRoll><PupilIdentifiers><UPN>B801200005001</UPN><DOB>2013-05-01</DOB>"
    "</PupilIdentifiers><PupilStatus><EntryDate>2020-09-02</EntryDate></PupilStatus></PupilOnRoll></PupilsOnRoll></Pupils></Message>"
)
# By format; where it has CSV files too, with the word XML behind it.
XML = {
    "cin-census": ("cin.xml", CIN),
    "ctf": ("file.xml", CTF),
    "ssda903 XML": ("903.xml", CARE),
    "school-census XML": ("school.xml", CENSUS),
}


def of_csv(text):
    """Yield damage that every CSV can take, by name."""
    head, _, rest = text.partition("\n")
    columns = head.split(",")
    yield "empty", b""
    yield "only blanks", b"\n\n"
    yield "latin-1 in the header", (head + ",stra\xdfe\n").encode("latin-1")
    yield "zero bytes", text.encode() + b"\x00" * 50
    yield "a column twice", (head + "," + columns[0] + "\n" + rest.replace("\n", ",x\n")).encode()
    yield "a column without a name", (head + ",\n" + rest.replace("\n", ",x\n")).encode()
    yield "a row too long", (text + rest.replace("\n", ",x,y\n")).encode()
    yield "a row too short", (text + rest.split(",")[0] + "\n").encode()
    yield "cut off in a quoted field", (text + '"' + rest[:9]).encode()
    yield "a quote in the middle of a field", (text + rest.replace(",", ',"x"y,', 1)).encode()
    yield "a huge field", (text + rest.replace(",", "," + "x" * 5_000_000 + ",", 1)).encode()
    yield "a huge header", ("x" * 2_000_000).encode()
    yield "Parquet by another name", b"PAR1" + bytes(range(256)) * 4
    yield "an archive by another name", b"PK\x03\x04" + bytes(range(256)) * 4
    yield "HTML", b"<html><body>Sign in</body></html>"
    for place, name in enumerate(columns):
        if name.lower() not in ("sex", "senprovision", "resolved_on"):
            lines = [",".join(c for n, c in enumerate(line.split(",")) if n != place) for line in text.splitlines()]
            yield f"without the column {name}", "\n".join(lines).encode() + b"\n"


def of_dates(text, good):
    """Yield dates that cannot be read, by name."""
    for bad in (
        "24-09-10",
        "31/09/24",
        "2024-13-01",
        "2024-02-30",
        "45231",
        "September",
        "0024-09-10",
        "2024-09",
        "9999-01-01",
        "2024/09/31",
    ):
        yield f"the date {bad}", text.replace(good, bad).encode()


def of_xml(text):
    """Yield damage that every XML can take, by name."""
    root = text[1 : text.index(">")]
    yield "empty", b""
    yield "cut off", text[:-40].encode()
    yield "cut off early", text[:60].encode()
    yield "another root", text.replace(root, "Other").encode()
    yield "a bomb", (BOMB + text).encode()
    yield "an outer entity", ('<!DOCTYPE m [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + text).encode()
    yield "a document type", ('<!DOCTYPE m SYSTEM "x.dtd">' + text).encode()
    yield "too deep", (f"<{root}>" + "<a>" * 5000).encode()
    yield "a huge element", text.replace("B801200005001", "B" * 50_000).encode()
    yield "too many elements", text.replace("<UPN>", "<x/>" * 30_000 + "<UPN>").encode()
    yield "crossed tags", text.replace("</UPN>", "</NPU>").encode()
    yield "an unknown entity", text.replace("B801200005001", "&x;").encode()
    yield "zero bytes", text.encode().replace(b"B801", b"\x00\x00")
    yield (
        "another encoding than it says",
        ('<?xml version="1.0" encoding="utf-8"?>' + text.replace("B801", "\xe9\xe9")).encode("latin-1"),
    )
    yield "an encoding nobody knows", ('<?xml version="1.0" encoding="x-none"?>' + text).encode()
    yield "an archive", b"PK\x03\x04" + bytes(range(256)) * 4
    yield "gzip", b"\x1f\x8b\x08" + bytes(range(256))
    yield "CSV", b"a,b\n1,2\n"
    for bad in ("24-10-06", "2024-13-01", "yesterday", "0024-01-01"):
        yield f"the date {bad}", text.replace("2024-10-06", bad).replace("2020-09-02", bad).encode()


DAMAGED = [
    (form, name, content, rest, what)
    for form, (name, text, rest) in SOUND.items()
    for what, content in (
        *of_csv(text),
        *of_dates(text, {"school-census": "2020-Sep-02 00:00:00", "ssda903": "04/09/2024"}.get(form, "2024-09-10")),
    )
] + [(form, name, content, {}, what) for form, (name, text) in XML.items() for what, content in of_xml(text)]


@pytest.mark.parametrize("form", [*SOUND, *XML])
def test_the_sound_file_is_read(tmp_path, form):
    name, text, *rest = (*SOUND.get(form, ()), *XML.get(form, ()))
    for other, content in (rest[0] if rest else {}).items():
        (tmp_path / other).write_text(content)
    (tmp_path / name).write_text(text)
    assert import_return(FORMATS[form.partition(" ")[0]], sorted(tmp_path.iterdir()), tmp_path / "h", KEY).rows


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_a_byte_order_mark_and_the_line_ends_of_windows_are_no_damage(tmp_path, mark):
    (tmp_path / "cases.csv").write_bytes(mark + (CASES + CASE).replace("\n", "\r\n").encode())
    assert import_return(FORMATS["cme-cases"], [tmp_path / "cases.csv"], tmp_path / "h", KEY).rows == {"cme": 1}


def test_there_are_enough_kinds_of_damage():
    assert len(DAMAGED) >= 150


@pytest.mark.parametrize(("form", "name", "content", "rest", "what"), DAMAGED, ids=[f"{d[0]} {d[4]}" for d in DAMAGED])
def test_damage_is_reported_with_file_and_place_and_nothing_is_written(tmp_path, form, name, content, rest, what):
    source = tmp_path / "return"
    source.mkdir()
    for other, text in rest.items():
        (source / other).write_text(text)
    (source / name).write_bytes(content)
    with pytest.raises(Faults) as caught:
        import_return(FORMATS[form.partition(" ")[0]], [source], tmp_path / "h", KEY)
    message = str(caught.value)
    assert name.split(".")[0] in message
    assert all(f.do for f in caught.value.faults)
    assert "B801200005001" not in message
    assert len(message) < 3000
    assert [f.name for f in tmp_path.iterdir()] == ["return"]


def test_without_a_key_nothing_is_imported(tmp_path):
    (tmp_path / "cases.csv").write_text(CASES + CASE)
    with pytest.raises(Faults, match="ONROLL_PSEUDONYM_KEY"):
        import_return(FORMATS["cme-cases"], [tmp_path / "cases.csv"], tmp_path / "h", None)
    assert not (tmp_path / "h").exists()


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "cases.csv").write_text(CASES + CASE)
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / "letter.txt").write_text("keep me")
    with pytest.raises(Faults, match="files other than imported"):
        import_return(FORMATS["cme-cases"], [tmp_path / "cases.csv"], tmp_path / "h", KEY)
    assert (tmp_path / "h" / "letter.txt").read_text() == "keep me"

"""Marks as JSON: records are read one by one, and students and codes are named by the files that come with them."""

import json

import duckdb
import pytest

from histories.errors import Faults
from histories.identity import pseudonym
from histories.returns import FORMATS, import_return
from histories.returns.files import json_records
from histories.returns.files.json_records import read_records
from tests.support.return_text import KEY, read

UPN, OTHER = "B801200005001", "Q801200005002"
MARKS = [
    {"student_id": "A1", "date": "2024-09-04", "session": "AM", "attendance_code_id": "C1", "comment": "Canary"},
    {"student_id": "A1", "date": "2024-09-04", "session": "pm", "attendance_code_id": "C2"},
    {"student_id": "A2", "date": "2024-09-04 00:00:00", "session": "AM", "attendance_code_id": "C7"},
    {"student_id": "A3", "date": "2024-09-04", "session": "AM", "attendance_code_id": "N"},
]
CODES = [{"id": "C1", "code": "/", "type": "x"}, {"id": "C2", "code": "o", "type": "x"}]
STUDENTS = [
    {"id": "A1", "mis_id": "1", "surname": "x", "education_details": {"data": {"upn": UPN.lower()}}},
    {"id": "A2", "mis_id": "2", "surname": "x", "upn": OTHER},
]
FILES = {
    "marks.json": json.dumps({"data": MARKS}),
    "codes.json": json.dumps({"data": CODES, "meta": {}}),
    "students.json": json.dumps(STUDENTS),
}


def test_marks_meet_their_students_and_codes(tmp_path):
    found, report = read(tmp_path, "wonde", FILES, "attendance", "pupil_id, session, code")
    assert found == [(pseudonym(UPN, KEY), "AM", "/"), (pseudonym(UPN, KEY), "PM", "O")]
    assert any("no attendance code that is known" in n and "lines 3" in n for n in report.notes)
    assert any("marks.json: 1 row has no UPN (lines 4); link it by student_id" in n for n in report.notes)
    assert not any(b"Canary" in f.read_bytes() for f in (tmp_path / "h").rglob("*.parquet"))


@pytest.mark.parametrize(
    "write",
    [
        json.dumps,
        lambda m: json.dumps({"data": m}),
        lambda m: json.dumps({"meta": {"pagination": {"more": True, "n": 12}}, "data": m}, indent=2),
        lambda m: "\n".join(map(json.dumps, m)),
        lambda m: "\n".join(json.dumps({"data": [one]}) for one in m),
    ],
    ids=["a list", "in data", "indented", "a record a line", "a page a line"],
)
@pytest.mark.parametrize("piece", [7, 1 << 16])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_records_are_the_same_in_every_json_layout(tmp_path, monkeypatch, write, piece, encoding):
    monkeypatch.setattr(json_records, "PIECE", piece)
    (tmp_path / "m.json").write_bytes(write(MARKS).encode(encoding))
    seen = []
    assert read_records(tmp_path / "m.json", lambda record, n: seen.append((n, record))) == len(MARKS)
    assert seen == list(enumerate(MARKS, start=1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[1, 2]",
        '[{"a": 1}',
        '{"data": [{"a": 1},',
        "[" * 100_000,
        '{"a":' * 100_000,
        '[{"a": "' + "x" * 2_000_000 + '"}]',
        "12",
        '{"data": [{"student_id": "A1"}]}',
    ],
    ids=[
        "empty",
        "no JSON",
        "numbers",
        "cut off",
        "cut off in data",
        "deep lists",
        "deep objects",
        "a huge record",
        "a number",
        "no mark",
    ],
)
def test_damage_is_reported_and_nothing_is_written(tmp_path, text):
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(Faults) as told:
        import_return(FORMATS["wonde"], [tmp_path / "m.json"], tmp_path / "h", KEY)
    assert "m.json" in str(told.value)
    assert len(str(told.value)) < 1000
    assert not (tmp_path / "h").exists()


def test_a_later_answer_changes_a_mark(tmp_path):
    for code in ("N", "I"):
        mark = {"upn": UPN, "student_id": "A1", "date": "2024-09-04", "session": "AM", "code": code}
        (tmp_path / f"{code}.json").write_text(
            json.dumps([mark, {**mark, "date": "2024-09-0" + ("6" if code == "I" else "5")}])
        )
    for name, order in (("a", "NI"), ("b", "IN")):
        for code in order:
            import_return(FORMATS["wonde"], [tmp_path / f"{code}.json"], tmp_path / name, KEY)
    a, b = (duckdb.sql(f"FROM '{tmp_path / n / 'attendance.parquet'}' ORDER BY ALL").fetchall() for n in "ab")
    assert a == b
    assert [r[3] for r in a if str(r[1]) == "2024-09-04"] == ["I", "N"] or [
        r[3] for r in a if str(r[1]) == "2024-09-04"
    ] == ["N", "I"]

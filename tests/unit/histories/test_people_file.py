"""A people file is read whole or not at all, in the spellings of many systems; faults name lines, never values."""

from datetime import date

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from histories.errors import Faults
from histories.identity import pseudonym
from histories.linking.people_file import MAX_LENGTH, read_linkage_store, read_people_file

KEY = b"p" * 32
ROWS = [
    ("Pupil ID", "First name", "Surname", "DOB", "Unique Pupil Number", "Contact at school", "System ID"),
    ("P1", "Zoë", "O'Brien", "01/05/2013", "b801200005001", "Mrs Wu, 01632 960001", "77"),
    ("P2", "Ann", None, None, "UN1", None, None),
]
EXPECTED = {
    "P1": {
        "name": "Zoë O'Brien",
        "date_of_birth": date(2013, 5, 1),
        "upn": "B801200005001",
        "school_contact": "Mrs Wu, 01632 960001",
        "system_id": "77",
    },
    "P2": {"name": "Ann", "date_of_birth": None, "upn": "", "school_contact": "", "system_id": ""},
}


def write(tmp_path, text, encoding="utf-8"):
    file = tmp_path / "people.csv"
    file.write_bytes(text.encode(encoding))
    return file


def faults_of(tmp_path, text, key=KEY):
    with pytest.raises(Faults) as raised:
        read_people_file(write(tmp_path, text), key)
    return str(raised.value)


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "utf-8"), ("\t", "utf-16"), ("|", "cp1252")])
def test_text_and_workbooks_give_the_same_people(tmp_path, delimiter, encoding):
    text = "\r\n".join(delimiter.join(cell or "" for cell in row) for row in ROWS)
    read = read_people_file(write(tmp_path, text, encoding), None)
    assert read.people == EXPECTED
    assert read.without_upn == 1
    book = openpyxl.Workbook()
    book.active.append(["Children of the authority"])
    for row in ROWS:
        book.active.append(row)
    book.active["D3"] = date(2013, 5, 1)
    book.save(tmp_path / "people.xlsx")
    assert read_people_file(tmp_path / "people.xlsx", None).people == EXPECTED


def test_only_columns_that_are_there_are_given(tmp_path):
    assert read_people_file(write(tmp_path, "reference,name\nP1,Ann Bee\n"), None).people == {"P1": {"name": "Ann Bee"}}


def test_a_upn_finds_the_child_of_a_row_without_a_reference(tmp_path):
    text = "reference,upn,name\n,B801200005001,Ann Bee\nP2,A801200005002,Cy Dee\n"
    assert set(read_people_file(write(tmp_path, text), KEY).people) == {pseudonym("B801200005001", KEY), "P2"}
    assert "no key for pseudonyms" in faults_of(tmp_path, text, key=None)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("reference,colour\nP1,SECRET\n", "column name"),
        ("name,colour\nSECRET,x\n", "column reference"),
        ("reference,name\nP1,SECRET\nP2,\n", "lines 3: 1 of its rows: the name is missing"),
        ("reference,name,dob\nP1,SECRET,31/02/2013\n", "column date_of_birth, lines 2: 1 of its rows: the date cannot"),
        ("reference,name\nP1,SECRET\nP1,SECRET\n", "lines 3: 1 of its rows: the child is named more than once"),
        ("reference,name\n,SECRET\n", "lines 2: 1 of its rows: the row names no child"),
        (f"reference,name\nP1,SECRET{'x' * MAX_LENGTH}\n", "column name, lines 2: 1 of its rows: the cell is too long"),
    ],
)
def test_faults_name_lines_and_no_value(tmp_path, text, what):
    message = faults_of(tmp_path, text)
    assert what in message
    assert "SECRET" not in message


def test_names_of_the_linkage_store(tmp_path):
    histories, store = tmp_path / "h", tmp_path / "h.linkage"
    with pytest.raises(Faults, match="no names in the linkage store"):
        read_linkage_store(histories)
    store.mkdir()
    columns = {
        "pupil_id": ["P1", "P2", "P3"],
        "upn": ["B801200005001", None, None],
        "forename": ["Zoë", None, None],
        "surname": ["O'Brien", "Bee", None],
        "dob": ["2013-05-01", None, None],
        "sex": ["F", None, None],
        "postcode": ["AB1 2CD", None, None],
    }
    pq.write_table(pa.table({c: pa.array(v, pa.string()) for c, v in columns.items()}), store / "people.parquet")
    assert read_linkage_store(histories).people == {
        "P1": {"name": "Zoë O'Brien", "date_of_birth": date(2013, 5, 1), "upn": "B801200005001"},
        "P2": {"name": "Bee", "date_of_birth": None, "upn": ""},
    }

"""No text that is exported begins a formula in a spreadsheet, and everything else is exported as it is."""

import csv
import io
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from histories.errors import Faults
from histories.io.spreadsheet import as_text, from_text, read_csv, write_csv

STARTS = st.sampled_from([*"=+-@", *"\uff1d\uff0b\uff0d\uff20", *"\ufe62\ufe63\ufe66\ufe6b"])
BLANKS = st.text(st.sampled_from(" \t\r\n\u00a0\u2003\u3000\u200b\ufeff\x00"), max_size=4)
LIKE_GUARDED = st.builds("{}{}{}{}".format, st.text("'", min_size=1, max_size=3), BLANKS, STARTS, st.text())


@given(BLANKS, STARTS, st.text())
def test_text_that_begins_a_formula_is_guarded(blanks, start, rest):
    cell = blanks + start + rest
    assert as_text(cell) == f"'{cell}"


@given(st.sampled_from("\t\r\n"), st.text())
def test_text_that_begins_with_a_tab_or_line_break_is_guarded(start, rest):
    assert as_text(start + rest) == f"'{start}{rest}"


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.dates()))
def test_values_other_than_text_are_unchanged(cell):
    assert as_text(cell) is cell


@given(st.text(st.characters(categories=["L", "N"]), min_size=1), st.text())
def test_text_that_begins_with_a_letter_or_digit_is_unchanged(start, rest):
    assert as_text(start + rest) == start + rest


@given(st.one_of(st.text(), LIKE_GUARDED))
def test_a_guarded_cell_keeps_its_text_and_is_read_back(cell):
    guarded = as_text(cell)
    assert guarded in (cell, f"'{cell}")
    assert from_text(guarded) == cell
    first = guarded.strip()[:1]
    assert not first or unicodedata.normalize("NFKC", first)[0] not in "=+-@"


@given(st.lists(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_guarded_cells_survive_a_file_of_csv(cells):
    file = io.StringIO(newline="")
    csv.writer(file).writerow([as_text(c) for c in cells])
    assert next(csv.reader(io.StringIO(file.getvalue(), newline=""))) == [as_text(c) for c in cells]


@given(st.lists(st.tuples(*[st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))] * 2)))
def test_what_is_written_is_read_back(rows):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "list.csv"
        write_csv(file, ["=who", "what"], rows)
        names, read = read_csv(file)
    assert [(row["'=who"], row["what"]) for row in read] == rows
    assert names == ["'=who", "what"]


SPOILT = {
    "a heading renamed": (b"who;what\r\nsekret;1\r\n", ["line 1", "line 1"]),
    "one heading lost": (b"who\r\nsekret,1\r\n", ["line 1"]),
    "nothing": (b"", ["line 1", "line 1"]),
    "saved in Excel's own code page": (b"who,what\r\nsekr\xe9t,1\r\n", ["list.csv"]),
    "saved as UTF-16": ("who,what\r\nsekret,1\r\n".encode("utf-16"), ["list.csv"]),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_list_that_a_spreadsheet_spoilt_is_a_fault_that_says_what_to_do(tmp_path, spoilt):
    content, places = SPOILT[spoilt]
    file = tmp_path / "list.csv"
    file.write_bytes(content)
    with pytest.raises(Faults) as caught:
        read_csv(file, ["who", "what"])
    faults = caught.value.faults
    assert [fault.where.endswith(place) for fault, place in zip(faults, places, strict=True)] == [True] * len(places)
    assert all(fault.where.startswith(str(file)) and fault.do for fault in faults)
    assert "sekr" not in str(caught.value)

"""No character of a name makes the file of a list unreadable, or a formula."""

import io
from xml.parsers import expat

import openpyxl
import pytest

from serving.pages.list_export import as_csv, as_xlsx

EDGES = (*range(0x20), 0x7F, 0xD7FF, 0xD800, 0xDFFF, 0xE000, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x10FFFF)


def test_every_character_at_the_borders_of_xml_can_be_written_and_read():
    """Before, U+FFFE and U+FFFF made a workbook that no program opens."""
    names = [f"St A{chr(n)}b" for n in EDGES]
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx([["school"], *([name] for name in names)], "List", "r")))
    read = [row[0] for row in book.active.iter_rows(min_row=2, max_row=1 + len(names), values_only=True)]
    assert all(cell.startswith("St A") and cell.endswith("b") for cell in read)
    assert as_csv([["school"], *([name] for name in names)], "r").decode("utf-8-sig").count("St A") == len(names)


@pytest.mark.parametrize("number", [n for n in EDGES if not 0xD800 <= n <= 0xDFFF])
def test_what_is_left_out_is_what_a_parser_refuses(number):
    parser = expat.ParserCreate()
    try:
        parser.Parse(f"<a>{chr(number)}</a>".encode(), True)
        allowed = True
    except expat.ExpatError:
        allowed = False
    text = as_csv([[f"a{chr(number)}b"]], "r").decode("utf-8-sig")
    assert (chr(number) in text) == allowed or chr(number) in "\r\n"


def test_a_formula_behind_such_a_character_is_guarded():
    assert as_csv([["\ufffe=1+1"]], "r").decode("utf-8-sig").startswith("'=1+1")

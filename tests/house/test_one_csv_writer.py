"""CSV is written in one place, which guards every cell against spreadsheets that run formulas."""

import ast
import re

import pytest

from tests.house.code import ROOMS, Module, modules

# What else writes CSV, and why no cell of it can run as a formula where a person opens it.
OTHERS = {
    "histories/io/spreadsheet.py": "the writer that guards",
    "histories/io/workbook.py": "a temporary file between a workbook and its reader, removed before anybody opens it",
    "histories/population/state.py": "made-up histories: numbers, dates and codes that this code declares",
    "histories/population/attendance.py": "the same, of marks",
}
NAMES = {"writer", "DictWriter", "write_csv", "CSVWriter", "to_csv", "sink_csv"}
COPIES = re.compile(r"\bFORMAT\s+'?csv|\(\s*HEADER\b", re.IGNORECASE)


def writers(tree):
    """Yield the line of everything in a module that writes CSV, other than through ``histories.io.spreadsheet``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in NAMES:
            yield node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module in ("csv", "pyarrow.csv"):
            yield from (node.lineno for alias in node.names if alias.name in NAMES)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and COPIES.search(node.value):
            yield node.lineno


def test_nothing_writes_csv_but_the_writer_that_guards():
    """Before, six files had their own writer, and those of the linkage store guarded nothing."""
    found = {m.path: lines for m in modules().values() if m.room in ROOMS and (lines := sorted(writers(m.tree)))}
    assert found.keys() == OTHERS.keys(), {path: found.get(path) for path in found.keys() ^ OTHERS.keys()}


@pytest.mark.parametrize(
    "line",
    [
        "csv.writer(out)",
        "csv.DictWriter(out, names)",
        "from csv import writer as rows",
        "frame.write_csv(file)",
        "pa.csv.CSVWriter(file, schema)",
        "sql(f\"COPY t TO '{file}' (FORMAT csv)\")",
        "sql(\"COPY t TO 'f' (HEADER, DELIMITER ',')\")",
    ],
)
def test_every_way_to_write_csv_is_seen(line):
    assert list(writers(ast.parse(line))) == [1]


def test_the_one_writer_is_not_taken_for_another():
    assert not list(writers(ast.parse("from histories.io.spreadsheet import write_csv\nwrite_csv(out, names, rows)")))
    assert Module("histories/io/spreadsheet.py").tree

"""Whoever sends a workbook or a return crafts it: no entity is read, and little of it is held in memory, whatever its parts are called.

Before, a workbook with a document type was read where `defusedxml` was not installed, as in production; shared strings under another name
passed their limit; and 12 kB of a file became 203 MB.
"""

import io
import os
import subprocess
import sys
import zipfile

import pytest

from histories.errors import Faults
from histories.io import workbook_parts
from histories.io.workbook import save_sheet
from histories.returns.files import xml

SPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DTD = b'<!DOCTYPE s [<!ENTITY a "BBBB">]>'
STRINGS, SHEET, STYLES, BOOK = "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/workbook.xml"
TYPES = "[Content_Types].xml"
WANTED = ["name", "reference"]


def parts():
    import openpyxl

    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.append(WANTED)
    book.active.append(["Ann", "P1"])
    book.save(out)
    with zipfile.ZipFile(out) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    cells = "".join(f'<c t="s"><v>{n}</v></c>' for n in (0, 1)), "".join(f'<c t="s"><v>{n}</v></c>' for n in (2, 3))
    rows = "".join(f"<row>{row}</row>" for row in cells)
    found[SHEET] = f'<worksheet xmlns="{SPACE}"><sheetData>{rows}</sheetData></worksheet>'.encode()
    texts = "".join(f"<si><t>{text}</t></si>" for text in ("name", "reference", "Ann", "P1"))
    found[STRINGS] = f'<sst xmlns="{SPACE}">{texts}</sst>'.encode()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    if STRINGS.encode() not in found[TYPES]:
        part = f'<Override PartName="/{STRINGS}" ContentType="{kind}"/></Types>'
        found[TYPES] = found[TYPES].replace(b"</Types>", part.encode())
    return found


def with_dtd(name):
    def crafted():
        found = parts()
        head, mark, body = found[name].rpartition(b"?>")
        found[name] = head + mark + DTD + body
        return found

    return crafted


def inserted(name, before, more):
    def crafted():
        found = parts()
        assert found[name].count(before) == 1
        return found | {name: found[name].replace(before, more + before)}

    return crafted


def renamed_strings():
    found = inserted(STRINGS, b"</sst>", b"<si><t>x</t></si>" * 300)()
    found["xl/s.xml"] = found.pop(STRINGS)
    for name in (TYPES, "xl/_rels/workbook.xml.rels"):
        found[name] = found[name].replace(b"sharedStrings.xml", b"s.xml")
    return found


def a_sheet_called_a_chart():
    """Of that kind a sheet is parsed whole."""
    found = inserted(SHEET, b"</sheetData>", b"<row/>" * 400)()
    name = "xl/_rels/workbook.xml.rels"
    return found | {name: found[name].replace(b"relationships/worksheet", b"relationships/chartsheet")}


CRAFTED = {
    **{
        f"a document type in {name}": (with_dtd(name), "document type")
        for name in (STRINGS, SHEET, STYLES, BOOK, TYPES)
    },
    "strings under another name": (renamed_strings, "too large|more than"),
    "many styles": (inserted(STYLES, b"</styleSheet>", b"<x/>" * 400), "elements"),
    "one long row": (inserted(SHEET, b"</sheetData>", b"<row>" + b"<c/>" * 400 + b"</row>"), "elements"),
    "many things after the rows": (inserted(SHEET, b"</worksheet>", b"<x/>" * 400), "elements"),
    "many rows": (inserted(SHEET, b"</sheetData>", b"<row/>" * 400), "rows or texts"),
    "many strings": (inserted(STRINGS, b"</sst>", b"<si/>" * 400), "rows or texts"),
    "a long attribute": (inserted(SHEET, b"</sheetData>", b"<row x='" + b"y" * 200_000 + b"'/>"), "cells or tags"),
    "a long text": (inserted(STRINGS, b"</sst>", b"<si><t>" + b"y" * 200_000 + b"</t></si>"), "cells or tags"),
    "a sheet called a chart": (a_sheet_called_a_chart, "elements"),
}
SMALL = {"MAX_STRINGS": 400_000, "MAX_ELEMENTS": 300, "MAX_UNITS": {"row": 100, "si": 100}, "MAX_TOKEN": 40_000}


def written(folder, found):
    file = folder / "a.xlsx"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in found.items():
            archive.writestr(name, content)
    return file


@pytest.fixture
def small(monkeypatch):
    for name, value in SMALL.items():
        monkeypatch.setattr(workbook_parts, name, value)


def test_a_sound_workbook_is_read(tmp_path, small):
    save_sheet(written(tmp_path, parts()), tmp_path / "o.csv", WANTED)
    assert (tmp_path / "o.csv").read_text().splitlines() == ["name,reference", "Ann,P1"]


@pytest.mark.parametrize("kind", CRAFTED)
def test_a_crafted_workbook_is_refused(tmp_path, kind, small):
    craft, why = CRAFTED[kind]
    file = written(tmp_path, craft())
    with pytest.raises(Faults, match=why):
        save_sheet(file, tmp_path / "o.csv", WANTED)


def test_no_document_type_is_read_with_productions_packages(tmp_path):
    """There is neither lxml nor defusedxml: Python's own parser would resolve entities."""
    for n, name in enumerate((STRINGS, SHEET, STYLES, BOOK, TYPES)):
        (tmp_path / str(n)).mkdir()
        written(tmp_path / str(n), with_dtd(name)())
    program = (
        "import sys; sys.modules |= dict.fromkeys(('lxml', 'lxml.etree', 'defusedxml', 'defusedxml.ElementTree'))\n"
        "from pathlib import Path; from histories.errors import Faults; from histories.io.workbook import save_sheet\n"
        "for folder in sorted(Path().iterdir()):\n"
        "    try: save_sheet(folder / 'a.xlsx', folder / 'o.csv', ['name'])\n"
        "    except Faults as refused: print(refused.faults[0].what)\n"
        "    else: print('read')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["the workbook declares a document type or entities, which none needs"] * 5, (
        done.stderr
    )


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ('<h a="' + "x" * 20_000 + '"/>', "attributes"),
        ('<c><n a="' + "x" * 20_000 + '"/></c>', "attributes"),
        ("<h/>" * 400, "outside of children"),
        ("<!--" + "x" * 90_000 + "-->", "tag or comment"),
        ('<h a="' + "x" * 90_000 + '"/>', "tag or comment|attributes"),
    ],
)
def test_a_crafted_return_is_refused(tmp_path, monkeypatch, what, why):
    for name, value in {"MAX_LOOSE": 300, "MAX_TAG": 40_000, "PIECE": 1000}.items():
        monkeypatch.setattr(xml, name, value)
    file = tmp_path / "a.xml"
    file.write_text(f"<r>{what}<c><n>1</n></c></r>")
    with pytest.raises(Faults, match=why):
        xml.read_units(file, "r", {"c": lambda node, line: None})

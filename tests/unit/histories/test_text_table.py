"""A table is read the same however a spreadsheet or system has written it, in every format of return."""

import io
import zipfile
from datetime import date, datetime

import duckdb
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from histories.errors import Faults
from histories.io.delimited import heading
from histories.returns import FORMATS, import_return
from histories.returns.files.staging import Staging
from tests.support.thinned import every_second

KEY = b"a key for tests only"
UPN = "B801200005001"
# By format: the name of the file, other files, and the table with its headings.
SOUND = {
    "school-census": (
        "2024_autumn_pupilonroll",
        {},
        [
            ["pupilonrolltableid", "NativeId", "dob", "upn", "sex", "entrydate"],
            ["1", "100001", "2013-05-01", UPN, "F", "2020-09-02"],
        ],
    ),
    "cme-cases": (
        "cases",
        {},
        [["UPN", "Missing from", "Reported on", "Outcome"], [UPN, "2024-09-10", "2024-10-01", "Zoë’s school"]],
    ),
    "marks": ("marks", {}, [["upn", "date", "session", "code"], [UPN, "2024-09-10", "AM", "/"]]),
    "ssda903": (
        "episodes",
        {"header.csv": f"CHILD,UPN\n7,{UPN}\n"},
        [["CHILD", "DECOM", "DEC"], ["7", "2024-09-04", "2024-10-01"]],
    ),
    "schools": (
        "edubasealldata",
        {},
        [
            ["URN", "EstablishmentName", "PhaseOfEducation (name)", "StatutoryLowAge"],
            ["100001", "Zoë’s school", "Primary", "5"],
        ],
    ),
}


def lines(rows, delimiter=","):
    return "".join(delimiter.join(row) + "\r\n" for row in rows)


def workbook(sheets, as_date=False):
    """Write sheets of text as a workbook; with ``as_date`` ISO dates become cells with a date."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append([typed(c, as_date) for c in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def typed(cell, as_date):
    if isinstance(cell, str) and as_date and cell[4:5] == cell[7:8] == "-":
        return datetime.fromisoformat(cell)
    return float(cell) if isinstance(cell, str) and cell.isdigit() else cell or None


def serial(cell):
    return (date.fromisoformat(cell) - date(1899, 12, 30)).days if cell[4:5] == cell[7:8] == "-" else cell


def titled(book):
    loaded = openpyxl.load_workbook(io.BytesIO(book))
    sheet = loaded.worksheets[0]
    sheet.insert_rows(1, 3)
    sheet["A1"] = "Children on 4 September, made by the team"
    sheet.merge_cells("A1:C1")
    out = io.BytesIO()
    loaded.save(out)
    return out.getvalue()


WRITTEN = {
    "UTF-8": lambda t: (".csv", lines(t).encode()),
    "with a byte order mark": lambda t: (".csv", lines(t).encode("utf-8-sig")),
    "UTF-16": lambda t: (".csv", lines(t).encode("utf-16")),
    "UTF-16 without a mark": lambda t: (".csv", lines(t).encode("utf-16-le")),
    "Windows-1252": lambda t: (".csv", lines(t).encode("cp1252")),
    "semicolons": lambda t: (".csv", lines(t, ";").encode()),
    "tabs": lambda t: (".tsv", lines(t, "\t").encode()),
    "bars": lambda t: (".txt", lines(t, "|").encode()),
    "UTF-16 with tabs": lambda t: (".txt", lines(t, "\t").encode("utf-16")),
    "blank rows": lambda t: (".csv", (lines(t) + "\r\n" + ",".join([""] * len(t[0]))).encode()),
    "headings in capitals": lambda t: (".csv", lines([[h.upper() for h in t[0]], *t[1:]]).encode()),
    "headings with blanks": lambda t: (".csv", lines([[f" {h}\u00a0" for h in t[0]], *t[1:]]).encode()),
    "columns without a heading": lambda t: (".csv", lines([[*row, "", ""] for row in t]).encode()),
    "a title above": lambda t: (".csv", ("Made on Monday\r\n\r\n" + lines(t)).encode()),
    "a title above, semicolons": lambda t: (".csv", ("Made on Monday\r\n" + lines(t, ";")).encode()),
    "text in a workbook": lambda t: (".xlsx", workbook({"Sheet1": t})),
    "dates in a workbook": lambda t: (".xlsx", workbook({"Sheet1": t}, as_date=True)),
    "numbers of days in a workbook": lambda t: (
        ".xlsx",
        workbook({"Sheet1": [t[0], *([serial(c) for c in row] for row in t[1:])]}),
    ),
    "a sheet among others": lambda t: (".xlsx", workbook({"Notes": [["Read this"], ["a", "b"]], "Data": t, "x": []})),
    "titles above in a workbook": lambda t: (".xlsx", titled(workbook({"Sheet1": t}, as_date=True))),
    "blank rows in a workbook": lambda t: (".xlsx", workbook({"Sheet1": [*t, [], [None] * 9, []]})),
    "a workbook called CSV": lambda t: (".csv", workbook({"Sheet1": t})),
}


def imported(tmp_path, form, name, content):
    folder = tmp_path / "return"
    folder.mkdir()
    for other, text in SOUND[form][1].items():
        (folder / other).write_text(text)
    (folder / name).write_bytes(content)
    import_return(FORMATS[form], [folder], tmp_path / "h", KEY)
    return {f.name: duckdb.sql(f"FROM '{f}' ORDER BY ALL").fetchall() for f in (tmp_path / "h").glob("*.parquet")}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return {
        form: imported(tmp_path_factory.mktemp(form), form, f"{name}.csv", lines(table).encode())
        for form, (name, _, table) in SOUND.items()
    }


@pytest.mark.parametrize("form", SOUND)
@pytest.mark.parametrize("kind", every_second(list(WRITTEN)[1:]))
def test_a_table_reads_the_same_in_every_format(tmp_path, plain, form, kind):
    name, _, table = SOUND[form]
    suffix, content = WRITTEN[kind](table)
    assert imported(tmp_path, form, f"{name}{suffix}", content) == plain[form]


def test_rows_keep_the_numbers_that_they_have_in_the_sheet(tmp_path):
    book = titled(workbook({"Sheet1": [["UPN", "Missing from"], ["x", "2024-09-10"], [], ["y", "soon"]]}))
    (tmp_path / "cases.xlsx").write_bytes(book)
    staging = Staging(tmp_path)
    assert staging.csv("t", tmp_path / "cases.xlsx", ["upn", "missing_from"]) == 2
    assert staging.sql("SELECT onroll_line FROM t") == [(5,), (7,)]


cells = st.text(st.characters(blacklist_categories=("C", "Z"), blacklist_characters='"'), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=5),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "xlsx"]),
)
def test_any_text_survives_any_encoding_and_delimiter(tmp_path, rows, delimiter, encoding):
    head = ["First", "Second one", "Third"]
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    if encoding == "xlsx":
        book = openpyxl.Workbook()
        for row in [head, *rows]:
            book.active.append([f"'{c}" if c.startswith("=") else c for c in row])
        book.save(folder / "t.csv")
        rows = [[f"'{c}" if c.startswith("=") else c for c in row] for row in rows]
    else:
        text = "".join(delimiter.join(f'"{c}"' for c in row) + "\n" for row in [head, *rows])
        (folder / "t.csv").write_bytes(text.encode(encoding))
    staging = Staging(folder)
    staging.csv("t", folder / "t.csv", [heading(h) for h in head])
    staging.raise_faults()
    assert staging.sql("SELECT * EXCLUDE (onroll_line) FROM t ORDER BY onroll_line") == [tuple(row) for row in rows]
    staging.connection.close()


def encrypted():
    return b"\xd0\xcf\x11\xe0" + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 600


def archive():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("cases.csv", "UPN\n")
    return out.getvalue()


TABLE = SOUND["cme-cases"][2]
BROKEN = {
    "protected by a password": (encrypted(), "protected by a password"),
    "old Excel": (b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "old Excel workbook"),
    "cut off": (workbook({"Sheet1": TABLE})[:-200], "damaged"),
    "another archive": (archive(), "an archive, not an Excel workbook"),
    "an empty sheet": (workbook({"Sheet1": []}), "empty"),
    "no sheet with the headings": (
        workbook({"a": [["x", "y"]], "b": [["z", "w"]]}),
        "none of the 2 sheets.*\n.*missing_from",
    ),
    "other headings": (workbook({"a": [["x", "y"], ["1", "2"]]}), "missing.*\n.*missing_from or date_missing_from"),
    "a row longer than its header": (workbook({"a": [*TABLE, [UPN] * 9]}), "more cells than the header"),
    "a column without a heading": (lines([["", *TABLE[0]], ["x", *TABLE[1]]]).encode(), "without a heading"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_an_unreadable_file_is_named_with_the_reason(tmp_path, kind):
    content, what = BROKEN[kind]
    (tmp_path / "cases.xlsx").write_bytes(content)
    with pytest.raises(Faults, match=rf"cases.xlsx.*{what}") as refused:
        import_return(FORMATS["cme-cases"], [tmp_path / "cases.xlsx"], tmp_path / "h", KEY)
    assert UPN not in str(refused.value)
    assert not (tmp_path / "h").exists()


def test_a_workbook_that_is_too_large_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("histories.io.workbook.MAX_UNPACKED", 1000)
    (tmp_path / "cases.xlsx").write_bytes(workbook({"Sheet1": TABLE}))
    with pytest.raises(Faults, match="unpacked workbook is too large"):
        import_return(FORMATS["cme-cases"], [tmp_path / "cases.xlsx"], tmp_path / "h", KEY)


@pytest.mark.parametrize("text", ["10/09/2024", "10/09/2024 00:00", "10/09/2024 08:30:00", "2024-09-10T00:00:00"])
def test_a_date_may_be_followed_by_a_time(tmp_path, text):
    (tmp_path / "cases.csv").write_text(f"UPN,Missing from,Reported on\n{UPN},{text},{text}\n")
    import_return(FORMATS["cme-cases"], [tmp_path / "cases.csv"], tmp_path / "h", KEY)
    days = duckdb.sql(f"SELECT missing_from FROM '{tmp_path / 'h' / 'cme.parquet'}'").fetchall()
    assert days == [(date(2024, 9, 10),)]


def test_a_file_of_another_kind_in_the_folder_is_reported(tmp_path):
    folder = tmp_path / "return"
    folder.mkdir()
    (folder / "cases.csv").write_text(lines(TABLE))
    (folder / "letter.docx").write_text("x")
    report = import_return(FORMATS["cme-cases"], [folder], tmp_path / "h", KEY)
    assert any("letter.docx" in line for line in report.unused)

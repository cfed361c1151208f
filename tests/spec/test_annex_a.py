"""Annex A: each list of the workbook that is read becomes episodes; children without a UPN wait to be linked by their own key."""

from datetime import date

import duckdb
import openpyxl
import pytest

from histories.errors import Faults
from histories.identity import pseudonym
from histories.returns import FORMATS, import_return
from tests.support.return_text import KEY

UPN = "B801200005001"
ME = pseudonym(UPN, KEY)
DAY = date(2024, 9, 16)
SHEETS = {
    "List 1": [
        ["Child Unique ID", "Gender", "Date of Contact", "Contact Source"],
        [9212044, "Female", DAY, "6: Police"],
    ],
    "List 2": [
        ["Child Unique ID", "UPN", "Assessment start date", "Assessment completion date"],
        [1, UPN, DAY, date(2024, 9, 30)],
    ],
    "List 3": [["Child ID", "UPN", "Date of Referral", "Referral NFA?"], [1, UPN, DAY, "No"]],
    "List 4": [
        ["Child Unique ID", "UPN", "Continuous Assessment Start Date", "Continuous Assessment Date of Authorisation"],
        [1, UPN, date(2024, 9, 17), None],
    ],
    "List 5": [
        [
            "Child Unique ID",
            "UPN",
            "Strategy discussion initiating Section 47 Enquiry Start Date",
            "Date of Initial Child Protection Conference",
        ],
        [1, UPN, date(2024, 9, 18), date(2024, 10, 5)],
    ],
    "List 6": [
        ["Children in need"],
        [],
        [
            "Child Unique ID",
            "UPN",
            "Gender",
            "Ethnicity",
            "Date of Birth",
            "CIN Start Date",
            "Primary Need Code",
            "CIN Closure Date",
            "Reason for Closure",
        ],
        [1, UPN, "b) Female", "k) APKN", date(2013, 5, 1), "16/09/2024", "N1 - Abuse or Neglect", None, None],
    ],
    "List 7": [
        [
            "Child Unique ID",
            "UPN",
            "Child Protection Plan Start Date",
            "Initial Category of Abuse",
            "Latest Category of Abuse",
            "Child Protection Plan End Date",
        ],
        [1, UPN, date(2024, 10, 5), "Neglect", "Physical abuse", date(2025, 1, 8)],
    ],
    "List 8": [
        [
            "Child Unique ID",
            "UPN",
            "Date Started to be Looked After",
            "Child's Category of Need",
            "Date Ceased to be Looked After",
            "Reason Ceased to be Looked After",
        ],
        [1, UPN, date(2024, 11, 6), "N1 - Abuse or Neglect", date(2024, 12, 6), "d) Returned home"],
    ],
    "List 11": [["Individual adopter identifier", "Date enquiry received"], [7, DAY]],
}


def workbook(place, sheets=SHEETS):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(place / "Annex A.xlsx")
    return place / "Annex A.xlsx"


def rows(histories, table, columns="*"):
    return duckdb.sql(f"SELECT {columns} FROM '{histories / f'{table}.parquet'}' ORDER BY ALL").fetchall()


def test_every_list_that_is_read_gives_its_episodes(tmp_path):
    report = import_return(FORMATS["annex-a"], [workbook(tmp_path)], tmp_path / "h", KEY)
    columns = "pupil_id, kind, start_date, end_date, category, end_reason, recorded_on"
    newest = date(2025, 1, 8)
    assert rows(tmp_path / "h", "social_care", columns) == [
        (ME, "assessment", date(2024, 9, 17), None, None, None, newest),
        (ME, "assessment", date(2024, 9, 18), date(2024, 10, 5), "section 47", None, newest),
        (ME, "cin", DAY, None, "N1", None, newest),
        (ME, "cla", date(2024, 11, 6), date(2024, 12, 6), "N1", "d) Returned home", newest),
        (ME, "cpp", date(2024, 10, 5), newest, "PHY", None, newest),
        (ME, "early_help", DAY, date(2024, 9, 30), None, None, newest),
        (ME, "referral", DAY, DAY, None, None, newest),
    ]
    assert rows(tmp_path / "h", "pupils", "pupil_id, date_of_birth, sex, ethnicity") == [
        (ME, date(2013, 5, 1), "F", "APKN")
    ]
    assert [u for u in report.unused if "list 1," in u or "list 11" in u]


def test_children_without_a_upn_are_listed_for_linking_by_their_local_key(tmp_path):
    bare = {"List 6": [["Child Unique ID", "CIN Start Date", "CIN Closure Date"], [1, DAY, None], [2, DAY, None]]}
    with pytest.raises(Faults, match="2 rows have no UPN; link them by Child Unique ID"):
        import_return(FORMATS["annex-a"], [workbook(tmp_path, bare)], tmp_path / "h", KEY)


def test_a_workbook_of_something_else_is_refused(tmp_path):
    with pytest.raises(Faults, match="no sheet is a list of Annex A"):
        import_return(
            FORMATS["annex-a"], [workbook(tmp_path, {"x": [["Name", "Room"], ["a", 1]]})], tmp_path / "h", KEY
        )
    assert not (tmp_path / "h").exists()


def test_a_value_that_is_no_date_is_reported_with_its_line(tmp_path):
    bad = {
        "List 6": [
            ["Child Unique ID", "UPN", "CIN Start Date", "CIN Closure Date"],
            [1, UPN, DAY, None],
            [1, UPN, "soon", None],
        ]
    }
    with pytest.raises(Faults, match="cin_start_date, lines 3"):
        import_return(FORMATS["annex-a"], [workbook(tmp_path, bad)], tmp_path / "h", KEY)

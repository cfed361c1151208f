"""The check reports the row numbers of violations, never their values."""

import pytest

from histories.checks.check import check
from histories.reading.histories import Histories

PUPILS = "pupil_id,date_of_birth\nA,2012-01-02\nB,2013-01-02\n"
SEN = "pupil_id,start_date,end_date,provision\nA,2020-01-01,2019-01-01,K\nB,2020-01-01,,K\nB,2021-01-01,2020-12-01,K\n"
ROLLS = "pupil_id,urn,entry_date\nA,1,2018-09-04\nB,1,2018-09-04\n"


def finding_of(histories, code):
    return next(f for f in check(histories).findings if f.rule.code == code and f.table == "sen")


def folder(tmp_path, **tables):
    for name, text in {"pupils": PUPILS, "enrolments": ROLLS, **tables}.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return Histories.open(tmp_path)


def test_rows_are_numbered_by_their_place_in_the_file(tmp_path):
    finding = finding_of(folder(tmp_path, sen=SEN), "H020")
    assert (finding.rows, finding.row_numbers, finding.where) == (2, ("1", "3"), " (row 1, 3)")


def test_in_a_folder_of_files_the_file_is_named_too(tmp_path):
    import duckdb

    opened = folder(tmp_path)
    (tmp_path / "sen").mkdir()
    header, *rows = SEN.splitlines()
    for n, row in enumerate(rows):
        (tmp_path / "part.csv").write_text(f"{header}\n{row}\n")
        duckdb.sql(f"COPY (FROM '{tmp_path}/part.csv') TO '{tmp_path}/sen/p{n}.parquet'")
    (tmp_path / "part.csv").unlink()
    opened = Histories.open(tmp_path)
    assert finding_of(opened, "H020").row_numbers == ("p0.parquet:1", "p2.parquet:1")


def test_rows_of_a_request_are_numbered_the_same_way():
    rows = [
        dict(zip(SEN.splitlines()[0].split(","), (v or None for v in line.split(",")), strict=True))
        for line in SEN.splitlines()[1:]
    ]
    pupils = [{"pupil_id": p, "date_of_birth": "2012-01-02"} for p in "AB"]
    rolls = [{"pupil_id": p, "urn": "1", "entry_date": "2018-09-04"} for p in "AB"]
    opened = Histories.from_rows({"pupils": pupils, "enrolments": rolls, "sen": rows})
    assert finding_of(opened, "H020").row_numbers == ("1", "3")


@pytest.mark.parametrize("many", [9, 12])
def test_at_most_ten_rows_are_named_with_a_sign_for_more(tmp_path, many):
    sen = "pupil_id,start_date,end_date,provision\n" + "".join(
        f"A,2020-01-{n + 1:02},2019-01-01,K\n" for n in range(many)
    )
    finding = finding_of(folder(tmp_path, sen=sen), "H020")
    assert len(finding.row_numbers) == min(many, 10)
    assert finding.where.endswith(" …)") == (many > 10)

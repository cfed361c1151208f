"""Histories open the same from every layout, and every fault gets a message without a value."""

import gzip
from datetime import date

import duckdb
import narwhals as nw
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from histories.errors import Faults
from histories.io.duckdb_progress import switch_off
from histories.reading import files
from histories.reading.frames import collect
from histories.reading.histories import Histories

PUPILS = "pupil_id,date_of_birth\nA1,2015-01-01\nB2,2014-05-05\n"
ENROLMENTS = "pupil_id,urn,entry_date,leaving_date,leaving_recorded_on\nA1,100,2020-09-01,,\nB2,100,2019-09-01,2024-03-01,2024-03-20\n"
CANARY = "ZZCANARYZZ"


def folder(tmp_path, **files):
    home = tmp_path / "histories"
    home.mkdir(exist_ok=True)
    for name, content in {"pupils_csv": PUPILS, "enrolments_csv": ENROLMENTS, **files}.items():
        if content is not None:
            stem, kind = name.split("_csv")[0], ".csv"
            data = content if isinstance(content, bytes) else content.encode()
            (home / f"{stem}{kind}").write_bytes(data)
    return home


def everything(histories):
    order = ["pupil_id", "entry_date"]
    return collect(histories.frame("enrolments")).sort(order).to_dicts()


def test_every_layout_gives_the_same_rows(tmp_path):
    plain = everything(Histories.open(folder(tmp_path)))
    home = folder(tmp_path)
    table = pyarrow.csv.read_csv(
        home / "enrolments.csv",
        convert_options=pyarrow.csv.ConvertOptions(column_types={"urn": pa.string(), "pupil_id": pa.string()}),
    )
    (home / "enrolments.csv").unlink()
    with gzip.open(home / "enrolments.csv.gz", "wt") as out:
        out.write(ENROLMENTS)
    zipped = everything(Histories.open(home))
    (home / "enrolments.csv.gz").unlink()
    pq.write_table(table, home / "enrolments.parquet")
    parquet = everything(Histories.open(home))
    (home / "enrolments.parquet").unlink()
    (home / "enrolments").mkdir()
    pq.write_table(table.slice(0, 1), home / "enrolments" / "a.parquet")
    pq.write_table(table.slice(1), home / "enrolments" / "b.parquet")
    parts = everything(Histories.open(home))
    rows = Histories.from_rows(
        {
            "pupils": [
                {"pupil_id": "A1", "date_of_birth": "2015-01-01"},
                {"pupil_id": "B2", "date_of_birth": "2014-05-05"},
            ],
            "enrolments": [
                {"pupil_id": "A1", "urn": "100", "entry_date": "2020-09-01"},
                {
                    "pupil_id": "B2",
                    "urn": "100",
                    "entry_date": "2019-09-01",
                    "leaving_date": "2024-03-01",
                    "leaving_recorded_on": "2024-03-20",
                },
            ],
        }
    )
    assert plain == zipped == parquet == parts == everything(rows)


def test_an_end_is_known_when_it_was_recorded_and_not_before(tmp_path):
    ended = everything(Histories.open(folder(tmp_path)))[1]
    assert ended["known"] == (date(2019, 9, 1) - date(1970, 1, 1)).days
    assert ended["end_known"] == (date(2024, 3, 20) - date(1970, 1, 1)).days


def test_unknown_tables_and_columns_are_named_and_ignored(tmp_path):
    home = folder(tmp_path, pupils_csv="pupil_id,date_of_birth,shoe_size\nA1,2015-01-01,3\n", notes_csv="x\n1\n")
    warnings = Histories.open(home).warnings
    assert any("notes.csv" in w for w in warnings)
    assert any("shoe_size" in w for w in warnings)


def test_a_missing_table_is_an_empty_frame_with_the_right_columns(tmp_path):
    histories = Histories.open(folder(tmp_path))
    assert "sen" in histories.missing
    assert collect(histories.frame("sen").filter(nw.col("provision") == "K")).height == 0


BAD_DATES = [
    "2024-13-01",
    "2024-02-30",
    "01/02/2024",
    "20240102",
    "2024-1-2",
    "yesterday",
    CANARY,
    "2024-01-01T25:00",
    "0",
    "-",
    "24-01-01",
    "２０２４-01-01",
]
BAD_FILES = [
    *({"enrolments_csv": f"pupil_id,urn,entry_date\n{CANARY},100,{bad}\n"} for bad in BAD_DATES),
    *({"sen_csv": f"pupil_id,start_date,provision\nA1,{bad},K\n"} for bad in BAD_DATES),
    *({"pupils_csv": f"pupil_id,date_of_birth\n{CANARY},{bad}\n"} for bad in BAD_DATES),
    *(
        {f"{t}_csv": f"pupil_id\n{CANARY}\n"}
        for t in (
            "pupils",
            "enrolments",
            "attendance",
            "suspensions",
            "sen",
            "fsm",
            "addresses",
            "social_care",
            "admissions",
            "cme",
            "interventions",
            "termly_attendance",
        )
    ),
    *({f"{t}_csv": b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe"} for t in ("pupils", "enrolments", "sen", "attendance")),
    *({f"{t}_csv": ""} for t in ("pupils", "enrolments", "sen", "cme")),
    {"pupils_csv": "pupil_id,date_of_birth\n,2015-01-01\n"},
    {"pupils_csv": "pupil_id,date_of_birth\nA1,\n"},
    {"pupils_csv": None},
    {"enrolments_csv": None},
    {"termly_attendance_csv": f"pupil_id,term_start,term_end,code,sessions\nA1,2024-01-01,2024-04-01,/,{CANARY}\n"},
    {"termly_attendance_csv": "pupil_id,term_start,term_end,code,sessions\nA1,2024-01-01,2024-04-01,/,1.5\n"},
    {"areas_csv": f"lsoa,idaci_decile\nE01,{CANARY}\n"},
    {"addresses_csv": f"pupil_id,start_date,temporary\nA1,2024-01-01,{CANARY}\n"},
    {"pupils_csv": 'pupil_id,date_of_birth\n"A1,2015-01-01\n'},
]


@pytest.mark.parametrize("files", BAD_FILES, ids=range(len(BAD_FILES)))
def test_an_invalid_file_is_named_without_its_values(tmp_path, files):
    home = folder(tmp_path, **files)
    if files.get("pupils_csv", "") is None:
        (home / "pupils.csv").unlink(missing_ok=True)
    with pytest.raises(Faults) as caught:
        Histories.open(home)
    message = str(caught.value)
    assert next(iter(files)).split("_csv")[0] in message
    assert CANARY not in message
    assert all(f.do for f in caught.value.faults)


UNEVEN = {
    "a comma within a cell": (f"A1,100,2020-09-01,,\nB2,10,{CANARY},,,5\n", "line 3"),
    "in every row": ("A1,100,2020-09-01,,,1\n" * 9, "lines 2, 3, 4, 5, 6, 7, 8, 9, 10"),
    "cells left out": (f"A1,100,2020-09-01,,\n\n{CANARY}\nB2,100\n", "lines 4, 5"),
    "a quotation mark without an end": (f'A1,100,2020-09-01,,\n"{CANARY},1,,,\nB2,100,2020-09-01,,\n', "line 4"),
    "many": (f"{CANARY},1\n" * 30, "lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 …"),
}


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("kind", UNEVEN)
def test_rows_of_other_lengths_are_named_by_their_lines(tmp_path, kind, zipped):
    rows, lines = UNEVEN[kind]
    text = ENROLMENTS.partition("\n")[0] + "\n" + rows
    home = folder(tmp_path, enrolments_csv=None if zipped else text)
    if zipped:
        with gzip.open(home / "enrolments.csv.gz", "wt") as out:
            out.write(text)
    with pytest.raises(Faults) as caught:
        Histories.open(home)
    (fault,) = caught.value.faults
    assert fault.where.endswith(f", {lines}")
    assert CANARY not in str(fault)


@pytest.mark.parametrize("damage", ["truncated", "text", "empty", "wrong_type"])
@pytest.mark.parametrize("table", ["pupils", "enrolments"])
def test_a_damaged_parquet_file_is_named(tmp_path, damage, table):
    home = folder(tmp_path)
    (home / f"{table}.csv").unlink()
    file = home / f"{table}.parquet"
    pq.write_table(pa.table({"pupil_id": [CANARY], "urn": ["1"], "date_of_birth": [1.5], "entry_date": [1.5]}), file)
    data = file.read_bytes()
    file.write_bytes({"truncated": data[: len(data) // 2], "text": b"hello", "empty": b"", "wrong_type": data}[damage])
    with pytest.raises(Faults) as caught:
        Histories.open(home)
    assert f"{table}.parquet" in str(caught.value)
    assert CANARY not in str(caught.value)


def test_all_faults_of_all_files_are_reported_together_with_their_rows(tmp_path):
    bad = "pupil_id,urn,entry_date\nA1,100,2020-09-01\nB2,100,soon\nC3,,2020-09-01\n"
    with pytest.raises(Faults) as caught:
        Histories.open(folder(tmp_path, enrolments_csv=bad, pupils_csv="pupil_id,date_of_birth\nA1,never\n"))
    message = str(caught.value)
    assert len(caught.value.faults) == 3
    assert "column entry_date, rows 2" in message
    assert "column urn, rows 3" in message


GOOD = {
    "pupils": [{"pupil_id": "A1", "date_of_birth": "2015-01-01"}],
    "enrolments": [{"pupil_id": "A1", "urn": "1", "entry_date": "2020-09-01"}],
}
BAD_ROWS = [
    *(
        {**GOOD, "sen": [{"pupil_id": "A1", "start_date": bad, "provision": "K"}]}
        for bad in [*BAD_DATES, 5, 1.5, True, [], {}, None]
    ),
    *(
        {
            **GOOD,
            "termly_attendance": [
                {"pupil_id": "A1", "term_start": "2024-01-01", "term_end": "2024-04-01", "code": "/", "sessions": bad}
            ],
        }
        for bad in (CANARY, 1.5, True, None, 2**70, [])
    ),
    *(
        {**GOOD, "pupils": bad}
        for bad in (
            None,
            5,
            CANARY,
            {},
            [5],
            [CANARY],
            [None],
            [[]],
            [{}],
            [{"pupil_id": 5.5, "date_of_birth": "2015-01-01"}],
            [{"pupil_id": CANARY * 100, "date_of_birth": "2015-01-01"}],
            [{"pupil_id": "A\x00", "date_of_birth": "2015-01-01"}],
        )
    ),
    {"pupils": GOOD["pupils"]},
    {"enrolments": GOOD["enrolments"]},
    {},
    [],
    {**GOOD, "addresses": [{"pupil_id": "A1", "start_date": "2020-01-01", "temporary": "perhaps"}]},
]


@pytest.mark.parametrize("tables", BAD_ROWS, ids=range(len(BAD_ROWS)))
def test_invalid_rows_of_a_request_are_reported_without_values(tables):
    with pytest.raises(Faults) as caught:
        Histories.from_rows(tables)
    assert CANARY not in str(caught.value)


def test_an_invalid_value_is_located_by_table_row_and_column():
    with pytest.raises(Faults, match=r"tables\.sen\[1\]\.start_date"):
        Histories.from_rows(
            {
                **GOOD,
                "sen": [
                    {"pupil_id": "A1", "start_date": "2020-01-01", "provision": "K"},
                    {"pupil_id": "A1", "start_date": "soon", "provision": "K"},
                ],
            }
        )


@pytest.mark.parametrize("many", [False, True])
def test_a_clean_table_is_tested_in_few_statements(tmp_path, monkeypatch, many):
    home = folder(tmp_path, enrolments_csv=None)
    spells = {"pupil_id": ["A1", "B2"], "urn": ["100", "100"], "entry_date": [date(2020, 9, 1)] * 2}
    spells |= {"status": ["C", "M"], "destination": [None, "home_education"], "leaving_date": [None, date(2024, 3, 1)]}
    pq.write_table(pa.table(spells), home / "enrolments.parquet")
    if many:
        monkeypatch.setattr(files, "FEW_ROWS", 0)
    statements, run = [], files._execute
    monkeypatch.setattr(
        files, "_execute", lambda c, sql, where, text=None: statements.append((where, sql)) or run(c, sql, where, text)
    )
    Histories.open(home)
    tests = [sql for where, sql in statements if "enrolments" in where and " FILTER (" in sql]
    # Many rows: one for dates, and one for the distinct values of each identifier and of all codes together.
    assert len(tests) == (4 if many else 1)


def test_a_notebook_in_which_duckdb_refuses_to_hear_of_its_progress_bar_can_open_histories():
    class InNotebook:
        def execute(self, statement):
            raise duckdb.InvalidInputException("required package 'ipywidgets' is missing")

    switch_off(InNotebook())
    with duckdb.connect() as connection:
        switch_off(connection)
        assert connection.execute("SELECT current_setting('enable_progress_bar')").fetchone() == (False,)

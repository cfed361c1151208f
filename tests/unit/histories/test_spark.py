"""Spark reads the same as DuckDB from any location, and reports faults and missing software."""

import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from histories.errors import Faults
from histories.reading.histories import Histories

PUPILS = {"pupil_id": ["A", "B"], "date_of_birth": ["2014-05-01", "2015-02-03"], "young_carer": [True, None]}
ENROLMENTS = {
    "pupil_id": ["A", "B"],
    "urn": [1, 2],
    "entry_date": ["2018-09-04", "2019-09-04"],
    "nc_year": [None, None],
}


def rows(histories, table):
    frame = histories.frame(table).collect(backend="polars").to_native()
    return frame.sort(frame.columns).rows(named=True)


def write(folder, **tables):
    folder.mkdir(exist_ok=True)
    for name, columns in tables.items():
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    return folder


def test_a_folder_a_location_and_a_database_are_read_as_by_duckdb(spark, tmp_path):
    folder = write(tmp_path / "h", pupils=PUPILS)
    (folder / "enrolments").mkdir()
    pq.write_table(pa.table(ENROLMENTS), folder / "enrolments" / "part-1.parquet")
    spark.sql("CREATE DATABASE marks_of_2025")
    for table, columns in (("pupils", PUPILS), ("enrolments", ENROLMENTS)):
        spark.createDataFrame(pa.table(columns).drop_columns([c for c in columns if c == "nc_year"])).write.saveAsTable(
            f"marks_of_2025.{table}"
        )
    expected = Histories.open(folder)
    for place in (folder, f"file://{folder}", "spark://marks_of_2025"):
        opened = Histories.open(place, engine="spark")
        assert opened.missing == expected.missing
        assert [rows(opened, t) for t in ("pupils", "enrolments", "sen")] == [
            rows(expected, t) for t in ("pupils", "enrolments", "sen")
        ]


def test_rows_without_a_match_are_told_of_every_location(spark, tmp_path):
    born, entry = ["2014-05-01", "2015-02-03"], ["2018-09-04", "2019-09-04"]
    folder = write(
        tmp_path / "h",
        pupils={"pupil_id": ["007", "B"], "date_of_birth": born},
        enrolments={"pupil_id": ["7", "B"], "urn": ["1", "2"], "entry_date": entry},
        schools={"urn": ["1", "3"], "phase": ["primary"] * 2},
        sen={"pupil_id": ["C", "B"], "start_date": entry, "provision": ["K"] * 2},
    )
    told = Histories.open(folder).warnings
    lost = "; check the keys in both files, which may have lost leading zeros"
    assert told == [
        f"enrolments, column pupil_id: 1 of 2 rows have no match in pupils{lost}",
        "enrolments, column urn: 1 of 2 rows have no match in schools",
        "sen, column pupil_id: 1 of 2 rows have no match in pupils",
    ]
    for place in (folder, f"file://{folder}"):
        assert sorted(Histories.open(place, engine="spark").warnings) == told
    assert spark.catalog.listTables() == []


def test_csv_is_read_as_by_duckdb(spark, tmp_path):
    folder = write(tmp_path / "h", enrolments=ENROLMENTS)
    (folder / "pupils.csv").write_text('pupil_id,date_of_birth,authority\n"A,""1""",2014-05-01,\nB,2015-02-03,801\n')
    assert rows(Histories.open(folder, engine="spark"), "pupils") == rows(Histories.open(folder), "pupils")


def test_all_faults_on_the_platform_are_reported_together_without_values(spark, tmp_path):
    bad = {"pupil_id": ["A", None], "date_of_birth": ["2014-05-01", "secret"], "young_carer": [1.5, 2.5]}
    folder = write(
        tmp_path / "h",
        pupils={**PUPILS, "date_of_birth": bad["date_of_birth"], "pupil_id": bad["pupil_id"]},
        sen={"pupil_id": ["A"], "start_date": [1.5]},
        fsm={"pupil_id": ["A"], "start_date": ["2024-09-04"], "extra": [1]},
    )
    (folder / "cme.parquet").write_bytes(b"PAR1 no PAR1")
    with pytest.raises(Faults) as caught:
        Histories.open(f"file://{folder}", engine="spark")
    message = str(caught.value)
    for part in (
        "pupils, column pupil_id: 1 of",
        "pupils, column date_of_birth: 1 of",
        "sen, column start_date",
        "column provision",
        "cme: Spark cannot",
        "enrolments: a required",
    ):
        assert part in message, part
    assert "secret" not in message


def test_a_missing_pyspark_or_java_is_one_fault_naming_the_package(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr("pyspark.sql.SparkSession.getActiveSession", lambda: None)
    with pytest.raises(Faults, match="Java is not installed") as caught:
        Histories.open(tmp_path, engine="spark")
    assert "openjdk-17" in str(caught.value)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(Faults, match=r"pip install 'onroll\[spark\]'"):
        Histories.open(tmp_path, engine="spark")

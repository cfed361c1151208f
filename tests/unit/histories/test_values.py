"""A value means the same in CSV, in Parquet and in a request; invalid values are reported by place, never by value."""

from __future__ import annotations

import codecs
import gzip
import json
from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histories.calendar import day_number
from histories.errors import Faults
from histories.io.delimited import delimiter_of, encoding_of, heading
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.reading.values import last_day
from histories.tables import TABLES
from tests.support.thinned import every_second

BASE = {
    "pupils": [{"pupil_id": "A1", "date_of_birth": "2012-05-01"}],
    "enrolments": [{"pupil_id": "A1", "urn": "100001", "entry_date": "2020-09-01"}],
}
# Table, column, text as written, meaning.
MEANINGS = [
    ("pupils", "ethnicity", "weng", "WBRI"),
    ("pupils", "ethnicity", " WROM ", "WROM"),
    ("pupils", "sex", "f", "F"),
    ("pupils", "authority", "801.0", "801"),
    ("pupils", "first_language", "   ", None),
    ("pupils", "young_carer", "Yes", True),
    ("pupils", "young_carer", "0", False),
    ("enrolments", "urn", "123456.0", "123456"),
    ("enrolments", "urn", "\u00a0123456 ", "123456"),
    ("enrolments", "urn", "123456\u00a0", "123456"),
    ("enrolments", "urn", "123456\t", "123456"),
    ("enrolments", "nc_year", "5.0", "5"),
    ("enrolments", "nc_year", "r", "R"),
    ("enrolments", "destination", "", None),
    ("enrolments", "destination", "Home_Education", "home_education"),
    ("enrolments", "status", " c", "C"),
    ("enrolments", "leaving_date", " 2024-03-01 ", "2024-03-01"),
    ("enrolments", "leaving_date", "2024-06-30T23:30:00Z", "2024-07-01"),
    ("enrolments", "leaving_date", "2024-01-30 23:30:00", "2024-01-30"),
    ("enrolments", "leaving_date", "2024-01-30T23:30:00+00:00", "2024-01-30"),
    ("enrolments", "leaving_date", "9999-12-31", None),
    ("enrolments", "leaving_date", "1753-01-01", None),
    ("sen", "primary_need", "semh", "SEMH"),
    ("sen", "provision", "e ", "E"),
    ("addresses", "household_id", "77.00", "77"),
    ("addresses", "temporary", "TRUE", True),
    ("attendance", "code", "o", "O"),
    ("attendance", "code", " O ", "O"),
    ("attendance", "session", "am", "AM"),
    ("termly_attendance", "sessions", "12.0", 12),
    ("social_care", "kind", "CIN", "cin"),
    ("schools", "phase", "Secondary", "secondary"),
]
ROWS = {
    "pupils": BASE["pupils"][0],
    "enrolments": BASE["enrolments"][0],
    "sen": {"pupil_id": "A1", "start_date": "2021-01-01", "provision": "K"},
    "addresses": {"pupil_id": "A1", "start_date": "2021-01-01"},
    "attendance": {"pupil_id": "A1", "date": "2024-05-01", "session": "AM", "code": "/"},
    "termly_attendance": {
        "pupil_id": "A1",
        "term_start": "2024-01-08",
        "term_end": "2024-03-28",
        "code": "/",
        "sessions": "3",
    },
    "social_care": {"pupil_id": "A1", "kind": "cla", "start_date": "2021-01-01"},
    "schools": {"urn": "100001", "phase": "primary"},
}  # one row of each


def with_value(table, column, value):
    return {**BASE, table: [{**ROWS[table], column: value}]}


def in_csv(folder, tables):
    folder.mkdir()
    for name, rows in tables.items():
        pl.DataFrame(rows).write_csv(folder / f"{name}.csv", quote_style="always")
    return folder


def in_parquet(folder, tables):
    folder.mkdir()
    for name, rows in tables.items():
        pl.DataFrame(rows).write_parquet(folder / f"{name}.parquet")
    return folder


def read(histories, table, column):
    frame = histories.frame(table)
    return list(frame.data[column]) if histories.engine == "plain" else collect(frame)[column].to_list()


@pytest.mark.parametrize(("table", "column", "written", "meant"), every_second(MEANINGS))
def test_a_value_reads_the_same_from_every_source(tmp_path, table, column, written, meant):
    if meant is not None and TABLES[table].columns[column].kind == "date":
        meant = day_number(date.fromisoformat(meant))
    tables = with_value(table, column, written)
    assert read(Histories.open(in_csv(tmp_path / "c", tables)), table, column) == [meant]
    assert read(Histories.open(in_parquet(tmp_path / "p", tables)), table, column) == [meant]
    assert read(Histories.open(tmp_path / "p", engine="polars"), table, column) == [meant]
    assert read(Histories.from_rows(tables), table, column) == [meant]
    assert read(Histories.from_rows(tables, plain=True), table, column) == [meant]


@pytest.mark.parametrize(
    ("table", "column", "typed", "meant"),
    [
        ("enrolments", "urn", pa.array([123456.0]), "123456"),
        ("enrolments", "urn", pa.array([123456], pa.int32()), "123456"),
        ("areas", "idaci_decile", pa.array([3.0]), 3),
        ("areas", "idaci_decile", pa.array([float("nan")]), None),
        (
            "enrolments",
            "entry_date",
            pa.array([datetime(2024, 6, 30, 23, 30)], pa.timestamp("us", "UTC")),
            "2024-07-01",
        ),
        ("enrolments", "entry_date", pa.array([datetime(2024, 6, 30, 23, 30)], pa.timestamp("us")), "2024-06-30"),
        ("enrolments", "urn", pa.array(["1 "]).dictionary_encode(), "1"),
    ],
)
def test_other_column_types_are_read_by_their_meaning(tmp_path, table, column, typed, meant):
    home = in_parquet(tmp_path / "h", {**BASE, "areas": [{"lsoa": "E01", "idaci_decile": 1}]})
    there = pq.read_table(home / f"{table}.parquet")
    pq.write_table(there.drop_columns(column).append_column(column, typed), home / f"{table}.parquet")
    if isinstance(meant, str) and "-" in meant:
        meant = day_number(date.fromisoformat(meant))
    if meant is None and TABLES[table].columns[column].required:
        with pytest.raises(Faults, match="is empty"):
            Histories.open(home)
    else:
        assert read(Histories.open(home), table, column) == [meant]


def test_a_number_with_a_fraction_is_not_a_key(tmp_path):
    home = in_parquet(tmp_path / "h", BASE)
    spells = pq.read_table(home / "enrolments.parquet").drop_columns("urn").append_column("urn", pa.array([1.5]))
    pq.write_table(spells, home / "enrolments.parquet")
    with pytest.raises(Faults, match=r"column urn.*\n?.*whole number|whole number"):
        Histories.open(home)


@pytest.mark.parametrize(("table", "column"), [(t, c) for t, c, _, m in MEANINGS if TABLES[t].columns[c].codes and m])
def test_an_unknown_code_is_a_warning_in_files_and_refused_in_a_request(tmp_path, table, column):
    tables = with_value(table, column, "QX7")
    for home in (in_csv(tmp_path / "c", tables), in_parquet(tmp_path / "p", tables)):
        (warning,) = [w for w in Histories.open(home).warnings if f"column {column}" in w]
        assert ": 1 row: the code does not exist" in warning
        assert "rows 1" in warning
        assert "QX7" not in warning
    if column in ("sex", "ethnicity"):  # read only by audits, so a score does not depend on it
        posted = Histories.from_rows(tables)
        assert read(posted, table, column) == [None]
        assert any(f"{table}[0].{column}" in w for w in posted.warnings)
        return
    with pytest.raises(Faults) as refused:
        Histories.from_rows(tables)
    assert f"tables.{table}[0].{column}" in str(refused.value)
    assert "QX7" not in str(refused.value)


def after_the_last(day):
    """Return a day as text; a timedelta is that far after the last plausible day."""
    return str(last_day() + day) if isinstance(day, timedelta) else day


@pytest.mark.parametrize("odd", ["9999-12-31", "1899-12-31", timedelta(days=1)])
def test_a_row_with_a_placeholder_for_a_required_date_is_left_out_with_a_warning(tmp_path, odd):
    odd = after_the_last(odd)
    tables = {**BASE, "suspensions": [{"pupil_id": "A1", "start_date": odd, "category": "SUSP"}]}
    for opened in (
        Histories.open(in_csv(tmp_path / "c", tables)),
        Histories.open(in_parquet(tmp_path / "p", tables)),
        Histories.from_rows(tables),
    ):
        assert read(opened, "suspensions", "category") == []
        (warning,) = opened.warnings
        assert "start_date" in warning
        assert odd not in warning
    assert read(Histories.open(tmp_path / "c").as_written(), "suspensions", "category") == ["SUSP"]


@pytest.mark.parametrize("edge", ["1900-01-01", timedelta(0)])
def test_the_first_and_the_last_plausible_day_are_dates(tmp_path, edge):
    edge = after_the_last(edge)
    tables = {**BASE, "suspensions": [{"pupil_id": "A1", "start_date": edge, "category": "SUSP"}]}
    opened = Histories.open(in_csv(tmp_path / "c", tables))
    assert read(opened, "suspensions", "start_date") == [day_number(date.fromisoformat(edge))]
    assert opened.warnings == []


def test_a_row_recorded_on_an_implausible_date_is_not_known_before_it(tmp_path):
    late = {"pupil_id": "A1", "urn": "2", "entry_date": "2021-01-01", "recorded_on": "9999-12-31"}
    tables = {**BASE, "enrolments": [*BASE["enrolments"], late]}
    for opened in (Histories.open(in_csv(tmp_path / "c", tables)), Histories.from_rows(tables)):
        known_on = dict(zip(read(opened, "enrolments", "urn"), read(opened, "enrolments", "known"), strict=True))
        assert known_on["2"] > day_number(last_day())


def test_an_end_before_its_start_is_a_warning(tmp_path):
    tables = with_value("enrolments", "leaving_date", "2019-01-01")
    for opened in (Histories.open(in_csv(tmp_path / "c", tables)), Histories.from_rows(tables)):
        assert any("the end is before the start" in w for w in opened.warnings)


@pytest.mark.parametrize(
    "write",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.encode("cp1252"),
        lambda text: text.replace(",", ";").encode(),
        lambda text: text.replace(",", "\t").encode(),
        lambda text: text.replace(",", "|").replace("\n", "\r\n").encode("cp1252"),
        lambda text: (text + ",,\n ,,\n\n").encode(),
    ],
    ids=[
        "bom",
        "utf16",
        "utf16be",
        "utf16le bare",
        "utf16be bare",
        "cp1252",
        "semicolons",
        "tabs",
        "bars",
        "blank rows",
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_csv_is_read_with_its_encoding_and_delimiter(tmp_path, write, zipped):
    home = in_csv(tmp_path / "h", BASE)
    data = write("URN, Name ,Phase\n100001,Saint Zoë’s – École,primary\n")
    (home / f"schools.csv{'.gz' * zipped}").write_bytes(gzip.compress(data) if zipped else data)
    opened = Histories.open(home)
    assert read(opened, "schools", "name") == ["Saint Zoë’s – École"]
    assert read(opened, "schools", "phase") == ["primary"]
    assert opened.warnings == []


@given(st.text(st.characters(codec="cp1252", exclude_characters="\x00\r\n"), max_size=60))
def test_the_detected_encoding_reads_the_text_back(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("e") / "f.csv"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        file.write_bytes(f"name\n{text}".encode(encoding))
        detected = encoding_of(file)
        if encoding != "cp1252" or detected != "utf-8":  # bytes that are valid UTF-8 are read as UTF-8
            assert file.read_bytes().decode(detected) == f"name\n{text}"


@pytest.mark.parametrize(
    "name", ["recorded_on", "Recorded_On", " RECORDED ON ", "\ufeffrecorded  on", "recorded\u00a0on"]
)
def test_a_heading_that_differs_in_case_blanks_or_a_mark_matches_the_column(tmp_path, name):
    assert heading(name) == "recorded_on"
    rows = [{**BASE["enrolments"][0], name: "2020-10-01"}]
    tables = {**BASE, "enrolments": rows}
    recorded = [day_number(date(2020, 10, 1))]
    assert read(Histories.open(in_parquet(tmp_path / "p", tables)), "enrolments", "known") == recorded
    assert read(Histories.open(in_csv(tmp_path / "c", tables)), "enrolments", "known") == recorded
    assert read(Histories.from_rows(tables), "enrolments", "known") == recorded


def test_two_headings_of_one_column_are_refused(tmp_path):
    rows = [{**BASE["enrolments"][0], "URN": "2"}]
    for open_it in (
        lambda: Histories.open(in_csv(tmp_path / "c", {**BASE, "enrolments": rows})),
        lambda: Histories.from_rows({**BASE, "enrolments": rows}),
    ):
        with pytest.raises(Faults, match="exists twice"):
            open_it()


def test_a_partitioned_folder_is_read_and_its_partitions_are_not_columns(tmp_path):
    home = in_parquet(tmp_path / "h", BASE)
    for session in ("AM", "PM"):
        for month in (4, 5):
            part = home / "attendance" / f"session={session}" / f"month={month}"
            part.mkdir(parents=True)
            rows = [{**ROWS["attendance"], "date": f"2024-0{month}-01", "session": "AM"}]
            pl.DataFrame(rows).write_parquet(part / "part-0.parquet")
    (home / "attendance" / "_SUCCESS").touch()
    opened = Histories.open(home)
    assert read(opened, "attendance", "session") == ["AM"] * 4
    assert opened.warnings == []


def test_a_folder_without_parquet_is_a_warning(tmp_path):
    home = in_parquet(tmp_path / "h", BASE)
    (home / "attendance").mkdir()
    (home / "attendance" / "a.txt").write_text("x")
    assert any("attendance" in w for w in Histories.open(home).warnings)


def test_spells_without_a_pupil_are_a_warning(tmp_path):
    tables = {**BASE, "pupils": [{"pupil_id": "1", "date_of_birth": "2012-05-01"}]}
    for opened in (Histories.open(in_csv(tmp_path / "c", tables)), Histories.from_rows(tables)):
        assert any("1 of 1 rows have no match in pupils" in w for w in opened.warnings)


def test_clean_histories_have_no_warnings(small_histories):
    assert Histories.open(small_histories).warnings == []


@given(st.datetimes(datetime(1990, 1, 1), datetime(2024, 12, 1)), st.sampled_from([-5, 0, 1, 5.5]))
def test_a_timestamp_with_a_zone_is_the_date_in_london(moment, hours):
    zoned = moment.replace(tzinfo=timezone(timedelta(hours=hours)), microsecond=0)
    rows = [{**BASE["enrolments"][0], "leaving_date": zoned.isoformat()}]
    (left,) = read(Histories.from_rows({**BASE, "enrolments": rows}), "enrolments", "leaving_date")
    behind = zoned.astimezone(UTC)
    assert left in {day_number(behind.date()), day_number((behind + timedelta(hours=1)).date())}


def test_a_delimiter_inside_quotation_marks_is_text():
    assert delimiter_of('"a;b;c;d",urn,name') == ","


def test_json_numbers_are_accepted_as_keys(tmp_path):
    tables = json.loads(json.dumps({**BASE, "enrolments": [{**BASE["enrolments"][0], "urn": 100001.0, "nc_year": 5}]}))
    opened = Histories.from_rows(tables)
    assert read(opened, "enrolments", "urn") == ["100001"]
    assert read(opened, "enrolments", "nc_year") == ["5"]

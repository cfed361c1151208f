"""Hypothesis strategies for the rows of every table, and how to write drawn tables as the files of a folder."""

from datetime import date, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from histories.codes import attendance_codes, code_set
from histories.reading.files import SQL_TYPES
from histories.tables import TABLES

DAYS = [date(2024, 9, 9), date(2025, 1, 13)]
PUPILS = ["A", "B", "C", "D"]
days = st.dates(date(2023, 6, 1), date(2025, 3, 1)).map(date.isoformat)
CHOICES = {
    "urn": ["1", "2"],
    "destination": ["state_school", "unknown", "missing_education", "abroad"],
    "status": ["C", "S", "M"],
    "session": ["AM", "PM"],
    "code": sorted(attendance_codes()),
    "category": ["SUSP", "PERM"],
    "provision": ["K", "E"],
    "primary_need": ["SEMH", "ASD"],
    "household_id": ["H1", "H2"],
    "lsoa": ["E1", "E2", "E9"],
    "kind": ["early_help", "referral", "assessment", "cin", "cpp", "cla", "missing"],
    "phase": ["primary", "secondary"],
    "response": ["accepted", "declined"],
}
NEAR = st.integers(1, 70).map(lambda n: (DAYS[1] - timedelta(days=n)).isoformat())


def column(table, c):
    if c.name == "pupil_id":
        return st.sampled_from(PUPILS)
    if c.name == "entry_year":
        return st.sampled_from([2024, 2025])
    if c.name == "date" and table == "attendance":
        return st.one_of(NEAR, days)
    others = sorted(code_set(c.codes)) if c.codes else ["x"]
    codes = st.sampled_from(CHOICES.get(c.name, others))
    strategy = {"date": days, "integer": st.integers(0, 40), "boolean": st.booleans(), "text": codes}[c.kind]
    return strategy if c.required else st.one_of(st.none(), strategy)


def table_rows(table, max_rows, min_rows=0):
    columns = TABLES[table].columns.values()
    return st.lists(
        st.fixed_dictionaries({c.name: column(table, c) for c in columns}), min_size=min_rows, max_size=max_rows
    )


ROWS = {
    t: table_rows(t, 40 if t == "attendance" else 8)
    for t in TABLES
    if t not in ("pupils", "areas", "schools", "fsm", "interventions")
}
FIXED = {
    "pupils": [
        {"pupil_id": p, "date_of_birth": f"201{n}-05-0{n + 1}", "authority": "801"} for n, p in enumerate(PUPILS)
    ],
    "areas": [{"lsoa": "E1", "idaci_decile": 3}, {"lsoa": "E2", "idaci_decile": 10}],
    "schools": [{"urn": "1", "phase": "primary"}, {"urn": "2", "phase": "special"}],
}


def write_tables(folder, tables):
    """Write each table as a Parquet file with the types of its columns, and return the folder."""
    folder.mkdir(exist_ok=True)
    for name, content in tables.items():
        schema = pa.schema(
            [
                (c.name, {"BIGINT": pa.int64(), "BOOLEAN": pa.bool_()}.get(SQL_TYPES[c.kind], pa.string()))
                for c in TABLES[name].columns.values()
            ]
        )
        pq.write_table(pa.Table.from_pylist(content, schema=schema), folder / f"{name}.parquet")
    return folder


HISTORIES = st.fixed_dictionaries(
    {"enrolments": ROWS["enrolments"]}, optional={t: s for t, s in ROWS.items() if t != "enrolments"}
)

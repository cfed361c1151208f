"""DuckDB, Polars, plain lists and Spark give the same bits for any histories."""

from datetime import date, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, given, settings
from hypothesis import seed as reproduce_with
from hypothesis import strategies as st

from features.groups.groups import GROUPS, grouped
from features.matrix import matrix
from histories.codes import attendance_codes
from histories.reading.files import SQL_TYPES
from histories.reading.histories import Histories
from histories.tables import TABLES

DAYS = [date(2024, 9, 9), date(2025, 1, 13)]
PUPILS = ["A", "B", "C", "D"]
days = st.dates(date(2023, 6, 1), date(2025, 3, 1)).map(date.isoformat)
later = st.one_of(st.none(), days)
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
    codes = st.sampled_from(CHOICES.get(c.name, ["x"]))
    made = {"date": days, "integer": st.integers(0, 40), "boolean": st.booleans(), "text": codes}[c.kind]
    return made if c.required else st.one_of(st.none(), made)


def rows(table, most, least=0):
    columns = TABLES[table].columns.values()
    return st.lists(st.fixed_dictionaries({c.name: column(table, c) for c in columns}), min_size=least, max_size=most)


GIVEN = {
    t: rows(t, 40 if t == "attendance" else 8)
    for t in TABLES
    if t not in ("pupils", "areas", "schools", "fsm", "interventions")
}
GROUPED = {g.table for g in GROUPS}
SET = {
    "pupils": [
        {"pupil_id": p, "date_of_birth": f"201{n}-05-0{n + 1}", "authority": "801"} for n, p in enumerate(PUPILS)
    ],
    "areas": [{"lsoa": "E1", "idaci_decile": 3}, {"lsoa": "E2", "idaci_decile": 10}],
    "schools": [{"urn": "1", "phase": "primary"}, {"urn": "2", "phase": "special"}],
}


def write(folder, tables):
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


@settings(max_examples=40)
@given(
    made=st.fixed_dictionaries(
        {"enrolments": GIVEN["enrolments"]}, optional={t: s for t, s in GIVEN.items() if t != "enrolments"}
    )
)
def test_duckdb_polars_and_plain_lists_give_the_same_bits(tmp_path_factory, made):
    tables = {**SET, **made}
    folder = write(tmp_path_factory.mktemp("h"), tables)
    posted = Histories.from_rows(tables)
    assert posted.plain().engine == "plain"
    one = matrix(Histories.open(folder), DAYS)
    assert one.equals(matrix(Histories.open(folder, engine="polars"), DAYS))
    assert one.equals(matrix(posted, DAYS))


@settings(max_examples=10)
@given(made=st.fixed_dictionaries({t: s for t, s in GIVEN.items() if t in GROUPED}))
def test_duckdb_and_polars_give_the_same_groups(tmp_path_factory, made):
    tables = {**SET, **made}
    folder = write(tmp_path_factory.mktemp("h"), tables)
    assert grouped(Histories.open(folder), DAYS).equals(grouped(Histories.from_rows(tables), DAYS))


def apart(tables, n):
    """Give pupils, schools, homes and authority of one example names of their own."""
    own = ("pupil_id", "urn", "household_id", "authority")
    return {
        t: [{c: f"{v}-{n}" if c in own and v is not None else v for c, v in r.items()} for r in found]
        for t, found in tables.items()
        if t != "areas"
    }


# A matrix costs Spark some twenty queries, however small: so one holds many examples, none of which knows of the others.
@pytest.mark.prove
@pytest.mark.parametrize(
    ("absent", "seed"),
    [
        ((), 1),
        ((), 2),
        (("attendance",), 3),
        (("cme", "addresses", "admissions"), 4),
        (("sen", "termly_attendance"), 5),
    ],
)
def test_spark_gives_the_same_bits(spark, tmp_path, absent, seed):
    examples = []

    @reproduce_with(seed)
    @settings(max_examples=25, phases=[Phase.generate])
    @given(made=st.fixed_dictionaries({t: s for t, s in GIVEN.items() if t not in absent}))
    def draw(made):
        examples.append(apart({**SET, **made}, len(examples)))

    draw()
    together = {t: [r for e in examples for r in e[t]] for t in examples[0]} | {"areas": SET["areas"]}
    folder = write(tmp_path / "h", together)
    opened = Histories.open(folder), Histories.open(folder, engine="spark")
    one, other = (matrix(h, DAYS) for h in opened)
    assert one.num_rows > 5
    assert one.equals(other)
    assert grouped(opened[0], DAYS).equals(grouped(opened[1], DAYS))

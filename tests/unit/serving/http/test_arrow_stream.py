"""Rows posted as Arrow streams: scored like the same rows in JSON, with the same faults at the same places."""

from datetime import UTC, date, datetime

import httpx2
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from histories.errors import Faults
from serving.client import Client
from serving.http.arrow_stream import read, written
from serving.http.problems import Problem
from serving.http.schemas import ARROW
from tests.support.interface import BODY, CANARY, ROWS

DAY = date(2025, 1, 13)
HEADERS = {"Content-Type": ARROW}
FRAMES = {
    "pyarrow": pa.Table.from_pylist,
    "polars": pl.DataFrame,
    "pandas": pd.DataFrame,
    "dictionaries": lambda rows: dictionaries(pa.Table.from_pylist(rows)),
}


def dictionaries(table):
    return pa.table({c: table[c].dictionary_encode() for c in table.column_names})


def typed(rows):
    """Return rows whose days are days."""
    return [{k: date.fromisoformat(v) if k.endswith("date") else v for k, v in row.items()} for row in rows]


def stream(frame, **metadata):
    sink = pa.BufferOutputStream()
    schema = frame.schema.with_metadata({k: str(v) for k, v in metadata.items()})
    with pa.ipc.new_stream(sink, schema) as out:
        out.write_table(frame.cast(schema))
    return sink.getvalue().to_pybytes()


def streams(histories, as_of=DAY):
    return b"".join(stream(pa.Table.from_pylist(rows), table=name, as_of=as_of) for name, rows in histories.items())


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("form", [list, typed])
def test_frames_are_scored_like_rows(service, frame, form):
    by_rows = service.post("/api/v1/score", json=BODY).json()
    body = written({name: FRAMES[frame](form(rows)) for name, rows in ROWS.items()}, DAY)
    answer = service.post("/api/v1/score", content=body, headers=HEADERS)
    assert answer.status_code == 200, answer.text
    assert answer.json() == by_rows


def test_the_client_sends_frames_as_arrow(service):
    sent = []

    def forward(request):
        sent.append(request.headers["content-type"])
        answer = service.post("/api/v1/score", content=request.content, headers=dict(request.headers))
        return httpx2.Response(answer.status_code, content=answer.content)

    key = service.headers["Authorization"].removeprefix("Bearer ")
    client = Client("http://127.0.0.1:1", key, transport=httpx2.MockTransport(forward))
    frames = client.score({name: pl.DataFrame(rows) for name, rows in ROWS.items()}, DAY)
    assert frames == client.score(ROWS, DAY)
    assert sent == [ARROW, "application/json"]


MOMENT = datetime(2024, 6, 30, 23, 30, tzinfo=UTC)  # 1 July in London


@pytest.mark.parametrize(
    ("values", "read_as"),
    [
        (pa.array([MOMENT], pa.timestamp("us", "UTC")), date(2024, 7, 1)),
        (pa.array([MOMENT.replace(tzinfo=None)], pa.timestamp("s")), date(2024, 6, 30)),
        *((pa.array([MOMENT.replace(tzinfo=None)], pa.timestamp(u)), date(2024, 6, 30)) for u in ("ms", "us", "ns")),
        (pa.array([MOMENT], pa.timestamp("ns", "UTC")), date(2024, 7, 1)),
        (pa.array(pd.Series(pd.to_datetime(["2024-07-01"]).astype("datetime64[ns]"))), date(2024, 7, 1)),
        (pa.array([-(2**63)], pa.timestamp("ns")), date(1677, 9, 21)),
        (pa.array([date(2024, 7, 1)], pa.date64()), date(2024, 7, 1)),
        (pa.array([date(2024, 7, 1)], pa.date32()), date(2024, 7, 1)),
        (pa.array(["2024-07-01"], pa.large_string()), "2024-07-01"),
        (pa.array([float("nan")]), None),
        (pa.array([5.0]), 5.0),
        (pa.array([7], pa.uint8()), 7),
        (pa.array([True]), True),
        (pa.nulls(1), None),
    ],
)
def test_every_type_is_read(values, read_as):
    body = stream(pa.table({"date_of_birth": values}), table="pupils", as_of=DAY)
    assert read(body)["histories"] == {"pupils": {"date_of_birth": [read_as]}}


@pytest.mark.parametrize(
    ("table", "places"),
    [
        ({"pupil_id": ["A"], "date_of_birth": pa.array([[1]])}, ["tables.pupils, column 2"]),
        ({"pupil_id": pa.array([b"A"]), "date_of_birth": ["2014-05-01"]}, ["tables.pupils, column 1"]),
        ({"date_of_birth": pa.array([None, 2**30], pa.date32())}, ["tables.pupils[1].date_of_birth"]),
        ({"date_of_birth": pa.array([2**62], pa.timestamp("s"))}, ["tables.pupils[0].date_of_birth"]),
        ({"date_of_birth": pa.array([0], pa.timestamp("s", "Nowhere/Nowhere"))}, ["tables.pupils, column 1"]),
    ],
)
def test_a_value_that_cannot_be_read_is_located(table, places):
    with pytest.raises(Faults) as refused:
        read(stream(pa.table(table), table="pupils", as_of=DAY))
    assert [fault.where for fault in refused.value.faults] == places


def test_a_column_that_is_not_declared_is_ignored_whatever_it_holds(service):
    rows = pa.Table.from_pylist(ROWS["pupils"]).append_column(f"{CANARY} 1", pa.array([[CANARY]]))
    body = stream(rows, table="pupils", as_of=DAY) + streams({k: v for k, v in ROWS.items() if k != "pupils"})
    answer = service.post("/api/v1/score", content=body + stream(rows, table=f"{CANARY} 1"), headers=HEADERS)
    assert answer.status_code == 200, answer.text
    assert CANARY not in answer.text
    assert answer.json()["warnings"] == [
        f"pupils: 1 column is not declared and is ignored: the one at position {len(rows.column_names)}",
        "the table at position 4 is not declared and is ignored",
    ]


def unnamed(rows):
    return streams(rows) + stream(pa.table({"a": [1]}))


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (unnamed(ROWS), ["tables, stream 4"]),
        (streams(ROWS) + streams({"pupils": ROWS["pupils"]}), ["tables", "pupils"]),
        (streams(ROWS) + streams({"sen": [{"pupil_id": "A1"}]}, as_of="2025-01-14"), ["as_of"]),
        (stream(pa.Table.from_pylist(ROWS["pupils"]), table="pupils"), ["as_of"]),
        (streams(ROWS, as_of="soon"), ["body", "as_of"]),
        (streams({"pupils": ROWS["pupils"]}), ["tables", "enrolments"]),
        (
            streams({**ROWS, "pupils": [{"pupil_id": "A1", "date_of_birth": CANARY}]}),
            ["tables", "pupils[0]", "date_of_birth"],
        ),
    ],
)
def test_a_fault_of_the_request_is_located(service, body, place):
    answer = service.post("/api/v1/score", content=body, headers=HEADERS)
    assert answer.status_code == 422, answer.text
    assert place in [error["loc"] for error in answer.json()["errors"]]
    assert CANARY not in answer.text


def test_only_score_takes_arrow(service):
    assert service.post("/api/v1/scores", content=streams(ROWS), headers=HEADERS).status_code == 415


def test_nothing_is_a_problem_of_the_request():
    with pytest.raises(Faults, match="the day"):
        read(b"")
    with pytest.raises(Problem):
        read(b"{}")


def test_a_refusal_shows_no_value(service):
    rows = {name: pa.Table.from_pylist([{**row, "pupil_id": CANARY} for row in table]) for name, table in ROWS.items()}
    body = written(rows, DAY)
    for damaged in (body[:-9], body[:400] + b"\x00" + body[401:], body.replace(b"2014-05-01", b"2014-95-01")):
        answer = service.post("/api/v1/score", content=damaged, headers=HEADERS)
        assert answer.status_code in (400, 422)
        assert CANARY not in answer.text
        assert "2014-95" not in answer.text

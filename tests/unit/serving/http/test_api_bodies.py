"""What a body says is read once and named: no key twice, tables by their name in any case, what is ignored by its name where that is no value."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serving.http.json_once import KEY_ENDS, TWICE, key_ends, parsed
from tests.support.interface import BODY, ROWS

AS_JSON = {"Content-Type": "application/json"}
TEXT = json.dumps(BODY)
FIRST = '"as_of": '
DOUBLED = {
    "a table": ("/api/v1/score", TEXT.replace('"enrolments": ', '"enrolments": [], "enrolments": ')),
    "the day": ("/api/v1/score", TEXT.replace(FIRST, f'{FIRST}"2024-01-01", {FIRST}')),
    "a value of a row": ("/api/v1/score", TEXT.replace('"urn": ', '"urn": "9", "urn": ', 1)),
    "with an escape": ("/api/v1/score", TEXT.replace(FIRST, '"\\u0061s_of": "2024-01-01", "as_of" :')),
    "where a text looks like a key": ("/api/v1/score", TEXT.replace(FIRST, f'{FIRST}"a\\":", {FIRST}')),
    "a limit": ("/api/v1/worklist", '{"limit": 1, "limit": 2}'),
    "pupils": ("/api/v1/scores", '{"pupil_ids": ["a"], "pupil_ids": ["b"]}'),
    "a group": ("/api/v1/counts", '{"by": "band", "by": "urn"}'),
}


@pytest.mark.parametrize("kind", DOUBLED)
def test_a_key_that_is_sent_twice_is_refused(service, kind):
    path, text = DOUBLED[kind]
    assert text != TEXT
    answer = service.post(path, content=text.encode(), headers=AS_JSON)
    assert answer.status_code == 400, answer.text
    (error,) = answer.json()["errors"]
    assert error["msg"] == TWICE


@pytest.mark.parametrize(
    "text", ['{"a": "b\\":", "c": {"a": [{"a": 1}, {"a": 2}]}}', "[]", '{"a" \n:{}}', '"a:"', '{"a": [[{}, 1]]}']
)
def test_a_body_without_double_keys_is_read_as_it_stands(text):
    assert parsed(text.encode()) == json.loads(text)
    assert parsed(text.encode("utf-8-sig")) == json.loads(text)
    for other in ("utf-16", "utf-16-be", "utf-32"):
        with pytest.raises(ValueError, match=r"codec|Expecting|Extra"):  # what a proxy would see as other text
            parsed(text.encode(other))


@given(
    st.lists(st.sampled_from([b'"', b":", b" ", b"\n", b"\t", b"\r", b"\\", b"a", b"\xff", b"{", b","])).map(b"".join)
)
@example(b'{"a" :1,"b":2}')
@example(b'{"a": ":"}')
@example(b":")
def test_keys_are_counted_by_their_colons_as_by_their_ends(body):
    assert key_ends(body) == len(KEY_ENDS.findall(body))


def warnings_of(service, rows):
    answer = service.post("/api/v1/score", json={**BODY, "histories": rows})
    assert answer.status_code == 200, answer.text
    return answer.json()["warnings"]


def in_columns(rows):
    return {
        name: {c: [r.get(c) for r in many] for c in dict.fromkeys(k for r in many for k in r)}
        for name, many in rows.items()
    }


@pytest.mark.parametrize("shape", [lambda rows: rows, in_columns])
@pytest.mark.parametrize(
    ("name", "told"),
    [("shoe_size", "shoe_size"), ("A801200001234", None), ("Anna Smith", None), ("2012-03-04", None), ("x" * 41, None)],
)
def test_what_is_ignored_is_named_unless_its_name_could_be_a_value(service, shape, name, told):
    pupils = [{**row, name: None} for row in ROWS["pupils"]]
    rows = shape({**ROWS, "pupils": pupils, name: [{"a": 1}]})
    column = told or f"the one at position {len(pupils[0])}"
    table = f"the table {told}" if told else f"the table at position {len(ROWS) + 1}"
    said = warnings_of(service, rows)
    assert f"pupils: 1 column is not declared and is ignored: {column}" in said
    assert f"{table} is not declared and is ignored" in said
    assert told or name not in str(said)


@pytest.mark.parametrize("written", ["ENROLMENTS", " Enrolments ", "\ufeffenrolments"])
def test_a_table_in_another_case_is_the_table(service, written):
    expected = service.post("/api/v1/score", json=BODY).json()["scores"]
    renamed = {**{k: v for k, v in ROWS.items() if k != "enrolments"}, written: ROWS["enrolments"]}
    assert service.post("/api/v1/score", json={**BODY, "histories": renamed}).json()["scores"] == expected
    twice = service.post("/api/v1/score", json={**BODY, "histories": {**ROWS, written: ROWS["enrolments"]}})
    assert twice.status_code == 422
    many = service.post("/api/v1/score", json={**BODY, "histories": {**ROWS, "PUPILS": ROWS["pupils"] * 1001}})
    assert many.status_code == 413


def test_every_answer_has_warnings(service):
    assert service.get("/api/v1/model").json()["warnings"] == []
    for path, body in (("counts", {}), ("worklist", {}), ("scores", {"pupil_ids": ["nobody", "none"]})):
        answer = service.post(f"/api/v1/{path}", json=body)
        assert answer.json()["warnings"] == [], path


@pytest.mark.parametrize("urn", [100001, 100001.0, " 100001 ", "100001.0"])
def test_a_key_is_read_as_in_rows(service, urn):
    expected = service.post("/api/v1/worklist", json={"urn": "100001"})
    answer = service.post("/api/v1/worklist", json={"urn": urn})
    assert answer.status_code == expected.status_code == 200, answer.text
    assert answer.json() == expected.json()

"""Long lists of a request are taken out of its JSON and read by distinct value: the same comes out as when the whole is parsed."""

import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from histories.reading.json_lists import MAX_LISTS
from histories.reading.json_scan import MAX_COLUMNS, MAX_PROBES, MAX_VALUES, MIN_ROWS, MULTIPLIER, SLOTS, TURN
from histories.reading.posted_columns import CodedColumn, CodedRows
from serving.http.json_once import TWICE, parsed, parsed_histories

VALUES = [
    '"a"',
    '"b:"',
    '"\\""',
    '"\\\\"',
    '"{[,"',
    '"é"',
    '"\\u00e9 and more"',
    '""',
    "1",
    "1.0",
    "-0",
    "true",
    "null",
]
ODD = ['"\t"', '"\\x"', '"\\ud800"', "NaN", "01", "+1", "nul", "[]", "{}", "", '"a" 1', "9" * 5000]
KEYS = ['"code"', '"date"', '"é"', '"a long name with \\"marks\\": and more"', '"\\u0063ode"']
BLANKS = st.sampled_from(["", "", " ", "\n\t ", "\r"])


def plain(read):
    """Return what was read with every long list as it is in Python."""
    if isinstance(read, CodedColumn):
        return read.to_list()
    if isinstance(read, CodedRows):
        columns = [column.to_list() for column in read.columns.values()]
        return [dict(zip(read.columns, row, strict=True)) for row in zip(*columns, strict=True)]
    if isinstance(read, dict):
        return {name: plain(value) for name, value in read.items()}
    return read


def outcome(parser, body):
    try:
        return repr(plain(parser(body)))
    except ValueError as error:
        return type(error), str(error)


@st.composite
def texts_of_lists(draw):
    """Return a list of rows, or of values, most of them long, as text."""
    names = draw(st.lists(st.sampled_from(KEYS), max_size=3))
    before, after = draw(BLANKS), draw(BLANKS)
    value = st.sampled_from([*VALUES * 5, *draw(st.lists(st.sampled_from(ODD), max_size=1))])
    few = draw(st.lists(st.tuples(*[value] * max(1, len(names))), min_size=1, max_size=9))
    rows = [few[n * n % len(few)] for n in range(draw(st.sampled_from([3, MIN_ROWS, MIN_ROWS + 9])))]
    if draw(st.booleans()):
        one = [
            ",".join(f"{before}{k}{after}:{before}{v}{after}" for k, v in zip(names, row, strict=False)) for row in rows
        ]
        return "[" + ",".join(f"{after}{{{row}}}{before}" for row in one) + "]"
    return "[" + ",".join(f"{before}{row[0]}{after}" for row in rows) + "]"


@st.composite
def texts_of_requests(draw):
    """Return a request, in which lists may stand where none should, as text; some have one byte that is another."""
    tables = [
        draw(st.sampled_from(['{"c": %s}', '{"c": %s, "c": []}', "%s", "%s", "[%s]", '{"c": {"d": %s}}']))
        % draw(texts_of_lists())
        for _ in range(draw(st.integers(1, 3)))
    ]
    named = ", ".join(f'"{draw(st.sampled_from("tuv"))}": {table}' for table in tables)
    form = draw(
        st.sampled_from(['{"histories": {%s}, "as_of": 1}', '{"as_of": {%s}}', "{%s}", "[{%s}]", '{"a": 1, "h": {%s}'])
    )
    body = bytearray((form % named).encode())
    if draw(st.booleans()):
        body[draw(st.integers(0, len(body) - 1))] = draw(st.sampled_from(b'"{}[],:\\ \n\x00\xffa1'))
    return bytes(body)


@given(texts_of_requests())
@example(b'{"h": {"t": [' + b'{"a": 1, "a": 2},' * MIN_ROWS + b'{"a": 1, "a": 2}]}}')
@example(b'{"h": {"t": [' + b'{"a": 1},' * MIN_ROWS + b"]}}")
@example(b'{"h": {"t": [' + b'{"a": 1},' * MIN_ROWS + b'{"a": 1}')
@example(b'{"h": {"t": [' + b'"a\0\0\0\0\0\0\0\0\0\0",' * MIN_ROWS + b'"a')
@example(b'{"h": {"t": {"c": [' + b"nulll," * MIN_ROWS + b"null]}}}")
def test_requests_are_read_as_they_are_parsed(body):
    assert outcome(parsed_histories, body) == outcome(parsed, body)


def body_of(table):
    return json.dumps({"histories": {"attendance": table}}).encode()


def test_long_lists_are_read_by_distinct_value():
    rows = [{"pupil_id": "A", "code": "/\\"[n % 2]} for n in range(1000)]
    read = parsed_histories(body_of(rows))["histories"]["attendance"]
    assert isinstance(read, CodedRows)
    assert read.columns["code"].values == ["/", "\\"]
    assert plain(read) == rows
    read = parsed_histories(body_of({name: [row[name] for row in rows] for name in rows[0]}))["histories"]["attendance"]
    assert read["pupil_id"].values == ["A"]
    assert plain(read["code"]) == [row["code"] for row in rows]


def test_later_rows_may_be_much_shorter_than_the_first():
    values = ["x" * 400, *"abc" * 5000]
    read = parsed_histories(body_of({"code": values}))["histories"]["attendance"]["code"]
    assert isinstance(read, CodedColumn)
    assert read.to_list() == values


LEFT = {
    "few": [{"a": 1}] * (MIN_ROWS - 1),
    "many values": [{"a": n} for n in range(MAX_VALUES + 1)],
    "many columns": [dict.fromkeys(map(str, range(MAX_COLUMNS + 1)), 1)] * MIN_ROWS,
    "uneven": [{"a": 1}] * MIN_ROWS + [{}],
    "no columns": [{}] * MIN_ROWS,
    "nested": [{"a": [1]}] * MIN_ROWS,
}


@pytest.mark.parametrize("kind", LEFT)
def test_other_lists_are_parsed_as_they_stand(kind):
    assert parsed_histories(body_of(LEFT[kind])) == {"histories": {"attendance": LEFT[kind]}}


def colliding(many):
    """Return texts that are looked for first in the same slot of a hash table."""
    texts = [f"{n:06}" for n in range(1_000_000)]
    key = (np.array([f'"{text}"' for text in texts], "S8").view("<u8") ^ np.uint64(8)) * MULTIPLIER
    slots = (key ^ (key >> TURN)) & np.uint64(SLOTS - 1)
    return [texts[n] for n in np.flatnonzero(slots == slots[0])[:many]]


def test_texts_that_collide_do_not_slow_the_others_down():
    texts = colliding(MAX_PROBES + 1)
    assert len(texts) == MAX_PROBES + 1
    for some, kind in ((texts[:-1], CodedColumn), (texts, list)):
        read = parsed_histories(body_of({"code": some * 3}))["histories"]["attendance"]["code"]
        assert type(read) is kind
        assert list(read) == some * 3


def test_a_list_after_many_is_read_too():
    columns = {str(n): [n] * MIN_ROWS for n in range(MAX_LISTS + 1)}
    assert plain(parsed_histories(body_of(columns))) == {"histories": {"attendance": columns}}


def test_a_key_twice_in_all_rows_is_refused():
    body = body_of([{"code": "/"}] * 100).replace(b'"code"', b'"code": 1, "\\u0063ode"')
    with pytest.raises(json.JSONDecodeError, match=TWICE):
        parsed_histories(body)

"""H116: a control character in any free text of any table, at any place in the text."""

import pytest

from histories.codes import code_set
from histories.rules.h116_control_characters import FREE
from histories.tables import TABLES
from tests.support.broken_rules import REQUIRED, findings

SOUND = {"text": "x", "date": "2024-09-04", "integer": "1", "boolean": "true"}
PLACES = [(table, column) for table, columns in FREE.items() for column in columns]


@pytest.mark.parametrize(("table", "column"), PLACES)
def test_a_control_character_is_found_in_every_free_text(table, column):
    required = [c for c in TABLES[table].columns.values() if c.required]
    row = {c.name: next(iter(code_set(c.codes))) if c.codes else SOUND[c.kind] for c in required}
    rows = [{**row, column: "Hill\x0bSide"}, {**row, column: "Hill Side"}, {**row, column: "Zoë’s “Hill”"}]
    assert findings("H116", **{table: rows}) == {table: 1}


@pytest.mark.parametrize("character", ["\x01", "\t", "\n", "\x0b", "\x0c", "\r", "\x1f", "\x7f"])
def test_every_control_character_is_found(character):
    assert findings("H116", schools=[{"urn": "1", "name": f"A{character}B", "phase": "primary"}]) == {"schools": 1}


def test_sound_tables_have_none():
    assert findings("H116", **REQUIRED) == {}

"""What holds of every rule: a file and a test named after its code, a reason, and something to do."""

from pathlib import Path

import pytest

from histories import rules
from histories.rules import RULES
from histories.tables import TABLES

FILES = {f.stem for f in Path(rules.__file__).parent.glob("h[0-9]*.py")}
TESTS = {f.stem.removeprefix("test_") for f in Path(__file__).parent.glob("test_h[0-9]*.py")}


def test_every_rule_has_a_file_and_a_test_of_its_own():
    assert FILES == TESTS
    assert len(RULES) == len(FILES) >= 40


def test_codes_are_unique_and_files_are_named_after_them():
    assert [r.code for r in RULES] == sorted(f[:4].upper() for f in FILES)
    assert len({r.code for r in RULES}) == len({r.title for r in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.code)
def test_a_rule_says_why_and_what_to_do_and_where_it_looks(rule):
    assert rule.severity in ("error", "warning")
    assert rule.reason.endswith((".", "?"))
    assert rule.do.endswith((".", "?"))
    assert rule.places
    for place in rule.places:
        table, _, column = place.partition(".")
        assert not column or column in TABLES[table].columns
    assert set(rule.needs) <= set(TABLES)

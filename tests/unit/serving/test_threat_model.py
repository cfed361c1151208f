"""Every row of the threat model names an existing test, and every letter of STRIDE has rows."""

import ast
import re
from importlib import import_module
from operator import attrgetter
from pathlib import Path

from tests.support.guard import FileGuard
from tests.support.guards import GUARDS

ROOT = Path(__file__).parents[3]


def test_every_named_test_exists():
    lines = [x for x in (ROOT / "docs/threat-model.md").read_text("utf-8").splitlines() if x.startswith("| ")][1:]
    named = [re.search(r"`(tests/[\w/]+\.py)::(test_\w+)` \|$", line) for line in lines]
    assert all(named), [line for line, match in zip(lines, named, strict=True) if not match]
    for match in named:
        tree = ast.parse((ROOT / match[1]).read_text("utf-8"))
        assert match[2] in {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}, match[0]
    letters = {re.sub(r"[|* ]", "", line)[0] for line in lines}
    assert letters == set("STRIDE")


def test_every_row_has_a_guard_to_take_out():
    rows = set(
        re.findall(r"`(tests/[^`]+::test_\w+)` \|$", (ROOT / "docs/threat-model.md").read_text("utf-8"), re.MULTILINE)
    )
    assert rows == {guard.test for guard in GUARDS}


def test_guards_that_are_taken_out_are_there():
    """``make prove-threats`` takes each out and runs its test; see ``tests/support/guards.py``."""
    for guard in GUARDS:
        if isinstance(guard, FileGuard):
            assert (ROOT / guard.place).read_text("utf-8").count(guard.text) == 1, guard
            continue
        module, _, attribute = guard.place.partition(":")
        attrgetter(attribute or "__name__")(import_module(module))

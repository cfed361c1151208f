"""Every gate has a file and a test named after its code, a reason and an instruction, and passes a good version."""

from pathlib import Path

import pytest

from tests.support.gates import LIMITS
from training import gates
from training.gates import GATES
from training.gates.gate import check_all

FILES = {f.stem for f in Path(gates.__file__).parent.glob("g[0-9]*.py")}
TESTS = {f.stem.removeprefix("test_") for f in Path(__file__).parent.glob("test_g[0-9]*.py")}


def test_every_gate_has_a_file_and_a_test_of_its_own():
    assert FILES == TESTS
    assert len(GATES) == len(FILES) >= 12


def test_codes_are_unique_and_files_are_named_after_them():
    assert [g.code for g in GATES] == sorted(f[:4].upper() for f in FILES)
    assert len({g.code for g in GATES}) == len({g.title for g in GATES}) == len(GATES)


def test_limits_belong_to_gates():
    assert set(LIMITS) <= {g.code for g in GATES}


@pytest.mark.parametrize("gate", GATES, ids=lambda g: g.code)
def test_a_gate_says_why_and_what_to_do(gate):
    assert gate.reason.strip().endswith((".", "?"))
    assert gate.do.endswith((".", "?"))


def test_a_good_version_passes_every_gate(good):
    verdicts = check_all(GATES, good, LIMITS)
    assert [v for v in verdicts if not v.passed] == []
    assert all(v.measured and v.limit and v.do for v in verdicts)

"""Plans: every fault is named with its key, and the file's hash is that of its bytes."""

import hashlib
import re

import pytest

from histories.errors import Faults
from serving.trials.checks.plan import Checks
from serving.trials.plan import Plan
from tests.support.checkout import ROOT

GOOD = """
name = "autumn-2026"
question = "Does help now raise attendance over six weeks?"
authority = "801"
as_of = 2026-09-07
first = 200
unit = "family"
outcome = "attendance"
analyse_on = 2026-12-01
seed = 1
control = 0.7
treated = 0.8
"""


def load(tmp_path, text):
    file = tmp_path / "plan.toml"
    file.write_text(text)
    return Plan.load(file)


def test_a_plan_is_read_and_hashed(tmp_path):
    plan = load(tmp_path, GOOD)
    assert plan.digest == hashlib.sha256(GOOD.encode()).hexdigest()
    assert (plan.of.unit, plan.of.weeks, str(plan.end(plan.of.as_of))) == ("family", 6, "2026-10-19")


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("control = 0.7\n", "", "control"),
        ("treated = 0.8\n", "treated = 80\n", "treated"),
        ("seed = 1", "seed = -1", "seed"),
        ("seed = 1", "", "seed"),
        ("seed = 1", 'seed = 1\narm = "help_now"', "arm"),
        ('unit = "family"', 'unit = "class"', "unit"),
        ('outcome = "attendance"', 'outcome = "missing"', "ratio"),
        ("2026-12-01", "2026-10-01", "analyse_on"),
        ('name = "autumn-2026"', 'name = "Autumn 2026"', "name"),
        ("control = 0.7", "control = 0.7\nratio = 0.5", "ratio"),
        ("seed = 1", "seed = 1\nspread = 0.42", "spread"),  # a share with a mean of 0.8 spreads 0.4 at most
        ("seed = 1", "seed = 1\nmax_days = 61", "max_days"),
    ],
)
def test_a_fault_is_named_by_its_key(tmp_path, old, new, where):
    with pytest.raises(Faults) as faults:
        load(tmp_path, GOOD.replace(old, new))
    assert any(where in f.where for f in faults.value.faults), faults.value


def test_the_examples_of_the_docs_are_plans(tmp_path):
    examples = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/trial.md").read_text(), re.DOTALL)
    assert len(examples) == 4
    for n, example in enumerate(examples):
        file = tmp_path / f"{n}.toml"
        file.write_text(example)
        of = Checks.load(file).of if "checks = " in example else Plan.load(file).of
        assert of.question.endswith("?")

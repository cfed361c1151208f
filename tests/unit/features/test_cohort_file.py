"""A file of a cohort or a definition means children, or is refused by name: never nobody without a word."""

from datetime import date

import pytest

from features import CohortRule, Definition, cohort
from features.outcome.definition import FOLDER
from histories.errors import Faults
from histories.reading.histories import Histories

D = date(2025, 1, 13)
CHILD = {
    "pupils": [{"pupil_id": "A", "date_of_birth": "2014-05-01", "authority": "801"}],
    "enrolments": [{"pupil_id": "A", "urn": "1", "entry_date": "2018-09-04"}],
}
SCHOOL = {"schools": [{"urn": "1", "phase": "primary", "authority": "801"}]}
DEFINITION = 'title = "T"\ntext = "t"\nsource = "s"\ncases = true\n'


@pytest.fixture
def rule(tmp_path):
    """Return a function that reads a cohort rule from the lines of its file."""

    def read(text):
        file = tmp_path / "cohort.toml"
        file.write_text(text)
        return CohortRule.load(file)

    return read


@pytest.mark.parametrize("phase", ["primary", "Primary", " PRIMARY "])
def test_a_phase_counts_whatever_its_case(rule, phase):
    opened = Histories.from_rows({**CHILD, **SCHOOL})
    assert cohort(opened, [D], rule(f'phases = ["{phase}"]')).num_rows == 1
    assert cohort(opened, [D], rule('phases = ["Secondary"]')).num_rows == 0


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('phases = ["primary", "seconday"]', "there is no such phase"),
        ("phases = [1]", "primary, secondary"),
        ("min_age = 16\nmax_age = 4", "no age is between min_age and max_age"),
        ("min_age = 16", "no age is between min_age and max_age"),
    ],
)
def test_a_rule_that_means_nobody_is_refused(rule, text, what):
    with pytest.raises(Faults, match=what):
        rule(text)


def test_phases_need_the_table_that_knows_them(rule):
    with pytest.raises(Faults, match="the phases of schools are not known"):
        cohort(Histories.from_rows(CHILD), [D], rule('phases = ["primary"]'))


@pytest.mark.parametrize(
    ("ages", "refused"), [("min_age = 5\nmax_age = 5", False), ("min_age = 16\nmax_age = 4", True)]
)
def test_a_definition_has_ages(tmp_path, ages, refused):
    file = tmp_path / "own.toml"
    file.write_text(DEFINITION + ages)
    if not refused:
        assert Definition.load(str(file)).min_age == 5
        return
    with pytest.raises(Faults, match="no age is between min_age and max_age"):
        Definition.load(str(file))


def test_a_definition_of_ones_own_does_not_take_the_name_of_a_shipped_one(tmp_path):
    for name in Definition.shipped():
        file = tmp_path / f"{name}.toml"
        file.write_text(DEFINITION)
        with pytest.raises(Faults, match="a definition of onroll has this name"):
            Definition.load(str(file))
    assert Definition.load(str(FOLDER / "commissioner.toml")) == Definition.load("commissioner")

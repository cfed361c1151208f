"""Limits of the gates: an authority's file overrides the shipped one, and wrong limits are refused."""

import pytest

from histories.errors import Faults
from training.gates.limits import load_limits


def test_limits_of_an_authority_override_the_shipped_ones(tmp_path):
    file = tmp_path / "gates.toml"
    file.write_text("[G007]\npositives = 5\n")
    assert load_limits(file) == {**load_limits(), "G007": {**load_limits()["G007"], "positives": 5}}


@pytest.mark.parametrize(
    "text",
    [
        "[G999]\nx = 1",
        "[G007]\nnegatives = 5",
        "[G007]\npositives = 'few'",
        "[G007]\npositives = true",
        "[G001]\nsurely = 1",
        "G001 = 1",
        "[G008]\nover = []",
        "[G002]\nslope = [2.0, 0.5]",
        "[G002]\nslope = [0.5]",
        "[G003]\ngroups = [1]",
        "[G007",
    ],
)
def test_wrong_limits_are_refused(tmp_path, text):
    file = tmp_path / "gates.toml"
    file.write_text(text)
    with pytest.raises(Faults):
        load_limits(file)

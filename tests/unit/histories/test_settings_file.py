"""A settings file is checked as a whole; faults say what is wrong, where and what to write, without its values."""

import pytest

from histories.errors import Faults
from histories.io.settings_file import like

DEFAULTS = {"rounds": 20, "rate": 0.5, "quick": True, "range": [0.5, 2.0], "names": ["a"], "inner": {"share": 0.1}}


def faults(**given):
    with pytest.raises(Faults) as raised:
        like("Example", DEFAULTS, low=0, high=100).of(given, "x.toml", "Correct the file.")
    return raised.value.faults


@pytest.mark.parametrize(
    ("given", "where", "what", "do"),
    [
        ({"rounds": 1.5}, "rounds", "integer", "Write it like 20."),
        ({"rounds": True}, "rounds", "integer", "Write it like 20."),
        ({"rate": "secret"}, "rate", "number", "Write it like 0.5."),
        ({"rate": 101}, "rate", "less than or equal", "Write it like 0.5."),
        ({"rate": float("nan")}, "rate", "finite", "Write it like 0.5."),
        ({"quick": 1}, "quick", "boolean", "Write it like true."),
        ({"range": [2.0, 0.5]}, "range", "not a range", "Write it like [0.5, 2.0]."),
        ({"range": [0.5]}, "range", "not a range", "Write it like [0.5, 2.0]."),
        ({"names": []}, "names", "at least 1", 'Write it like ["a"].'),
        ({"names": ["b", 1]}, "names, entry 2", "string", 'Write it like ["a"].'),
        ({"inner": 1}, "inner", "not a table", "Write a table with share."),
        ({"inner": {"shore": 1}}, "inner.shore", "no such key", "Did you mean share? The keys here are share."),
        ({"other": 1}, "other", "no such key", "Use one of rounds, rate, quick, range, names, inner."),
    ],
)
def test_an_invalid_value_is_reported_with_its_place_and_what_to_write(given, where, what, do):
    (fault,) = faults(**given)
    assert fault.where == f"x.toml, {where}"
    assert what in fault.what
    assert fault.do == do
    assert "secret" not in str(fault)


def test_all_faults_are_collected():
    reported = faults(rounds="x", inner={"share": -1, "y": 1}, z=1)
    assert {f.where.removeprefix("x.toml, ") for f in reported} == {"rounds", "inner.share", "inner.y", "z"}


def test_values_like_the_defaults_are_accepted():
    given = {"rounds": 1, "rate": 1, "quick": False, "range": [0.0, 1.0], "names": ["b", "c"], "inner": {"share": 1.0}}
    assert like("Example", DEFAULTS).of(given, None, "").model_dump() == given

"""A booster whose trees go against a declared direction, or cannot be read, fails the gate."""

import re

import pytest

from tests.support.gates import assert_fails, assert_needs_every_input, put


def negated(leaves):
    return "leaf_value=" + " ".join(str(-float(value)) for value in leaves[1].split())


def upside_down(parts):
    put(parts, re.sub(r"leaf_value=(.*)", negated, parts["booster"]), "booster")


def cut_off(parts):
    put(parts, parts["booster"][:5000], "booster")


@pytest.mark.parametrize("spoil", [upside_down, cut_off])
def test_it_fails(good, spoil):
    assert_fails("G005", good, spoil)


def test_it_needs_every_input(good):
    assert_needs_every_input("G005", good)

"""Packed texts come back as they were, or not at all."""

import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.store.packed import pack, unpack, words


@given(st.text())
def test_any_text_comes_back_the_same(text):
    assert unpack(pack(text)) == text


@given(st.binary(min_size=1, max_size=3), st.integers(0))
def test_a_damaged_text_does_not_come_back(damage, at):
    packed = pack("Missed 8 of 10 sessions in the week from this Monday (2 I, 6 O)" * 9)
    at %= len(packed) - len(damage)
    damaged = packed[:at] + damage + packed[at + len(damage) :]
    for broken in (damaged, packed[:at]):
        if broken != packed:
            with pytest.raises(zlib.error):
                unpack(broken)


def test_the_dictionary_never_changes():
    """Stored scores cannot be read with another one: a better dictionary is another file."""
    assert hashlib.sha256(words()).hexdigest() == "b96ac038682f411742247df0ead86169d1ef48253a1f53c8efccd51abadca0dd"

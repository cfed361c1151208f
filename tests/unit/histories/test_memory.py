"""Amounts of memory: accepted formats, and texts that are refused."""

import pytest

from histories.errors import Faults
from histories.io.memory import bytes_of


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1024", 1024),
        ("2g", 2 * 10**9),
        ("500 MB", 500 * 10**6),
        ("4GiB", 4 * 2**30),
        ("512Mi", 512 * 2**20),
        ("1.5 KiB", 1536),
    ],
)
def test_amounts_with_decimal_and_binary_units_are_read(text, size):
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["", "four", "-1", "4 GiB of it", "4GiB;x", "8Mbit", "4i"])
def test_any_other_text_is_refused(text):
    with pytest.raises(Faults, match="ONROLL_MEMORY"):
        bytes_of(text)

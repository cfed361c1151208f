"""A text that is stored compressed: scores are alike, so what they have in common is kept once, in a dictionary beside this file.

The dictionary holds three scores of simulated children. A stored text names its dictionary by checksum, so this one never changes; a better one is
another file. Text goes in and comes out the same to the byte.
"""

from __future__ import annotations

import json
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

LEVEL = 3  # a higher one takes twice the time for a tenth fewer bytes


@cache
def words() -> bytes:
    """Return the dictionary: what the texts are likely to contain, in UTF-8."""
    scores = json.loads(Path(__file__).with_name("packed_words.json").read_text("utf-8"))
    return "\n".join(json.dumps(score, ensure_ascii=False) for score in scores).encode()


def pack(text: str) -> bytes:
    """Compress a text.

    Examples
    --------
    >>> unpack(pack("Missed 8 of 10 sessions"))
    'Missed 8 of 10 sessions'
    """
    packing = zlib.compressobj(LEVEL, zdict=words())
    return packing.compress(text.encode()) + packing.flush()


def unpack(packed: bytes) -> str:
    """Return a packed text.

    Raises
    ------
    zlib.error
        If it is damaged or was packed with another dictionary.
    """
    unpacking = zlib.decompressobj(zdict=words())
    text = unpacking.decompress(packed) + unpacking.flush()
    if not unpacking.eof:
        raise zlib.error("the packed text is incomplete")
    return text.decode()


class Kept(bytes):
    """In the place of a packed text: numbers from which ``scores.kept_numbers`` makes it again.

    Examples
    --------
    >>> kept = Kept(Kept.MARK + b"a recipe" + b"a check!" + b"numbers")
    >>> kept.recipe, kept.check, kept.numbers
    (b'a recipe', b'a check!', b'numbers')
    """

    MARK = b"\x01"  # no packed text begins with it

    @property
    def recipe(self) -> bytes:
        """The key of the recipe."""
        return bytes(self[1:9])

    @property
    def check(self) -> bytes:
        """What must come out when it is made again."""
        return bytes(self[9:17])

    @property
    def numbers(self) -> bytes:
        """The packed numbers."""
        return bytes(self[17:])


class Packed(sa.TypeDecorator[Any]):
    """A column of packed texts; SQL cannot look into it.

    Takes texts, and packed ones, which can be packed before the database is locked. Gives texts, and ``Kept`` where numbers were kept.
    """

    impl = sa.LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | bytes | None, dialect: sa.Dialect) -> bytes | None:
        """Pack the text."""
        return pack(value) if isinstance(value, str) else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> str | Kept | None:
        """Unpack the text."""
        if value is not None and value[:1] == Kept.MARK:
            return Kept(value)
        return None if value is None else unpack(value)

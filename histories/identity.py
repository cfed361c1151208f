"""UPN check letters, placeholders for a UPN, and the keyed pseudonyms that replace identifiers outside the linkage store."""

from __future__ import annotations

import hmac
import re
from functools import lru_cache
from operator import mul
from typing import TYPE_CHECKING

from histories.errors import Fault, Faults
from histories.io.sql import literal

if TYPE_CHECKING:
    from collections.abc import Sequence

LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
# Placeholders for a UPN: the reasons UN1 to UN7 of social care returns, numbers shortened by a spreadsheet, zeros and crosses,
# and words. The pattern works in both Python and DuckDB (RE2); values are compared in upper case without blanks.
PLACEHOLDER = (
    r"UN[0-9]{1,2}|[A-Z]?[0-9]+([.,][0-9]+)?E[+]?[0-9]+|0+([.]0+)?|[A-Z]?0{11}[0-9A-Z]?|[X?*.#-]+|9{9,}|"
    r"NOUPN|NONE|NULL|NA|N/A|NAN|UNKNOWN|NOTKNOWN|UNALLOCATED|PENDING|TBC|TBA|MISSING|NOTAPPLICABLE|#[A-Z/0-9]+[!?]?"
)
# A check letter, digits, and perhaps the letter of a temporary UPN. One of another length is kept and told: it stays one child's.
FORM = r"[A-Z][0-9]+[A-Z]?"
WRAPPED = (
    "['\"=\u00a0\u200b\ufeff]"  # what spreadsheets write so that a number stays text, and characters without width
)
MARKS = re.compile(WRAPPED)
UNLINKED = "unlinked:"
IS_PSEUDONYM = re.compile(rf"({UNLINKED})?(p[0-9a-f]{{20}})")
GENERATIONS = b"onroll-pseudonym-keys"  # the first line of a file with several keys
IS_PLACEHOLDER, HAS_FORM = re.compile(PLACEHOLDER), re.compile(FORM)


def clean_upn(value: str | None) -> str | None:
    """Return a UPN in upper case without blanks, or None for a placeholder and for what has not the form of a UPN, such as a name.

    The check letter and the number of digits may be wrong.

    Examples
    --------
    >>> clean_upn(" b8012 00005001"), clean_upn("UN1"), clean_upn("8.01E+11"), clean_upn("801200005001")
    ('B801200005001', None, None, None)
    """
    upn = "".join(MARKS.sub("", value or "").split()).upper()
    return upn if HAS_FORM.fullmatch(upn) and not IS_PLACEHOLDER.fullmatch(upn) else None


def clean_upn_sql(column: str) -> str:
    """Return the SQL (DuckDB) of ``clean_upn``."""
    bare = f"regexp_replace({column}, {literal(WRAPPED)}, '', 'g')"
    upn = rf"nullif(upper(regexp_replace({bare}, '\s', '', 'g')), '')"
    is_upn = f"regexp_full_match({upn}, {literal(FORM)}) AND NOT regexp_full_match({upn}, {literal(PLACEHOLDER)})"
    return f"CASE WHEN {is_upn} THEN {upn} END"


def check_letter(rest: str) -> str | None:
    """Return the check letter of the twelve characters that follow it, or None if they cannot belong to a UPN.

    The sum of each digit times its position (2 to 13), modulo 23, indexes an alphabet without I, O and S. A temporary UPN
    ends in a letter, which counts as its index in the same alphabet.

    Examples
    --------
    >>> check_letter("801200005001")
    'B'
    """
    if len(rest) != 12 or not (rest[:11].isascii() and rest[:11].isdigit()):
        return None
    last = rest[11]
    if not (last.isascii() and last.isdigit()) and last not in LETTERS:
        return None
    digits = [*map(int, rest[:11]), int(last) if last.isdigit() else LETTERS.index(last)]
    return LETTERS[sum(map(mul, digits, range(2, 14))) % 23]


def upn_with_check_letter(rest: str) -> str:
    """Return the UPN of the twelve characters that follow its check letter."""
    letter = check_letter(rest)
    if letter is None:
        raise ValueError("these are not the twelve characters of a UPN")
    return letter + rest


def is_valid_upn(upn: str) -> bool:
    """Return whether a UPN has a valid form and check letter.

    Examples
    --------
    >>> is_valid_upn("B801200005001"), is_valid_upn("A801200005001")
    (True, False)
    """
    return len(upn) == 13 and check_letter(upn[1:]) == upn[0]


@lru_cache(maxsize=8)
def generations(key: bytes) -> tuple[bytes, ...]:
    """Return the keys in a key, oldest first: one, or after a rotation one a line below ``GENERATIONS``.

    Examples
    --------
    >>> generations(b"one"), generations(joined((b"one", b"two")))
    ((b'one',), (b'one', b'two'))
    """
    first, *rest = key.splitlines() or [b""]
    if first.strip() != GENERATIONS:
        return (key,)
    keys = tuple(line.strip() for line in rest if line.strip())
    if not keys:
        do = "Restore the file from its backup: without its keys no child is found again."
        raise Faults(Fault("the file of pseudonym keys holds no key", "ONROLL_PSEUDONYM_KEY_FILE", do))
    return keys


def joined(keys: Sequence[bytes]) -> bytes:
    """Return keys, oldest first, as the one key that ``generations`` takes apart."""
    return keys[0] if len(keys) == 1 else b"\n".join([GENERATIONS, *keys])


def pseudonym(identifier: str, key: bytes | None) -> str:
    """Return the keyed pseudonym (HMAC-SHA256, 20 hexadecimal characters) of an identifier.

    After a rotation, the pseudonym under the older keys is hashed with the newest. So stored pseudonyms can be re-keyed although
    the identifiers are not kept, and the older keys alone give none of the pseudonyms in use.

    Raises
    ------
    Faults
        Without a key: a plain hash could be reversed by trying every UPN.
    """
    if not key:
        do = "Set ONROLL_PSEUDONYM_KEY, or point ONROLL_PSEUDONYM_KEY_FILE to a file with the key, and keep it safe."
        raise Faults(Fault("there is no key for pseudonyms", "ONROLL_PSEUDONYM_KEY", do))
    for one in generations(key):
        identifier = "p" + hmac.digest(one, identifier.encode(), "sha256").hex()[:20]
    return identifier


def key_id(key: bytes) -> str:
    """Return the name of a key, which does not reveal it; histories record whose pseudonyms they hold."""
    return "k" + pseudonym("onroll key id", key)[1:17]


def rekeyed(value: str, keys: Sequence[bytes]) -> str:
    """Return a stored pseudonym under further keys; any other value, such as an authority's own key, stays the same.

    Examples
    --------
    >>> rekeyed(pseudonym("B801200005001", b"one"), [b"two"]) == pseudonym("B801200005001", joined((b"one", b"two")))
    True
    >>> rekeyed("P0000001", [b"two"])
    'P0000001'
    """
    match = IS_PSEUDONYM.fullmatch(value)
    if match is None or not keys:
        return value
    return (match[1] or "") + pseudonym(match[2], joined(keys))

"""UPN check letters, placeholders for a UPN, and the keyed pseudonyms that replace identifiers outside the linkage store."""

from __future__ import annotations

import hmac
import re
from operator import mul

from histories.errors import Fault, Faults
from histories.io.sql import literal

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


def pseudonym(identifier: str, key: bytes | None) -> str:
    """Return the keyed pseudonym (HMAC-SHA256, 20 hexadecimal characters) of an identifier.

    Raises
    ------
    Faults
        Without a key: a plain hash could be reversed by trying every UPN.
    """
    if not key:
        do = "Set ONROLL_PSEUDONYM_KEY, or point ONROLL_PSEUDONYM_KEY_FILE to a file with the key, and keep it safe."
        raise Faults(Fault("there is no key for pseudonyms", "ONROLL_PSEUDONYM_KEY", do))
    return "p" + hmac.digest(key, identifier.encode(), "sha256").hex()[:20]

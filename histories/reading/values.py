"""Parse values, the same way for files on DuckDB and Spark and for the rows of a request.

Surrounding blanks are removed, empty text is null, a whole number with a decimal point (``123456.0``) is that number, and
codes match in any case. Timestamps are converted to dates in Europe/London.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache

from histories.calendar import london_day, london_today
from histories.codes import code_set, extended_codes
from histories.tables import Column

BLANKS = " \t\r\n\u00a0\ufeff"
WHOLE = re.compile(r"([+-]?[0-9]+)\.0+")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(Z| ?UTC|[+-][0-9]{2}(?::?[0-9]{2})?)?",
    re.IGNORECASE,
)
UTC = re.compile(r" ?(?:Z|UTC)$", re.IGNORECASE)
TRUE, FALSE = frozenset({"true", "t", "yes", "y", "1"}), frozenset({"false", "f", "no", "n", "0"})
FIRST_DAY = date(1900, 1, 1)


def last_day(today: date | None = None) -> date:
    """Return the latest plausible date: the end of next year."""
    return date((today or london_today()).year + 1, 12, 31)


@cache
def codes_of(name: str) -> dict[str, str]:
    """Return the codes of a set by their upper-case text, including extended codes, which map to their base code."""
    return {code.upper(): code for code in code_set(name)} | extended_codes(name)


def text_of(value: str) -> str | None:
    """Return the text without blanks and trailing ``.0``; None if it is empty.

    Examples
    --------
    >>> text_of(" 100001.0 "), text_of("  "), text_of("4.5")
    ('100001', None, '4.5')
    """
    text = value.strip(BLANKS)
    if text.endswith("0") and (whole := WHOLE.fullmatch(text)):
        return whole[1]
    return text or None


def code_of(column: Column, value: str) -> str | None:
    """Return the code for a text; None if the set has no such code.

    Examples
    --------
    >>> from histories.tables import TABLES
    >>> code_of(TABLES["attendance"].columns["code"], "o")
    'O'
    """
    assert column.codes  # nosec B101 # tells mypy; only called for columns with codes
    return codes_of(column.codes).get(value.upper())


def day_in(value: str) -> date | None:
    """Parse a date, or a timestamp as a date in Europe/London; None for any other text.

    Examples
    --------
    >>> day_in("2024-06-30T23:30:00Z")
    datetime.date(2024, 7, 1)
    """
    try:
        if DAY.fullmatch(value):
            return date.fromisoformat(value)
        if match := MOMENT.fullmatch(value):
            moment = datetime.fromisoformat(UTC.sub("Z", value))
            return london_day(moment) if match[2] else moment.date()
    except ValueError:
        return None
    return None


def flag_of(value: str) -> bool | None:
    """Parse yes or no; None for any other text."""
    lower = value.lower()
    if lower in TRUE:
        return True
    return False if lower in FALSE else None


# The same in SQL for DuckDB and Spark. [.] avoids a backslash, which the two escape differently.
MATCHES = {"duckdb": "regexp_matches", "spark": "regexp_like"}
DAY_SQL = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
TIME_SQL = "[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
ZONE_SQL = "([Zz]| ?[Uu][Tt][Cc]|[+-][0-9]{2}(:?[0-9]{2})?)"
WHOLE_SQL = "^[+-]?[0-9]+[.]0+$"


def stripped_sql(text: str, engine: str) -> str:
    """Return SQL that strips blanks from a text; null if nothing remains."""
    if engine == "spark":
        return f"nullif(regexp_replace({text}, '^[ \\t\\r\\n\\u00a0\\ufeff]+|[ \\t\\r\\n\\u00a0\\ufeff]+$', ''), '')"
    return f"nullif(trim({text}, '{BLANKS}'), '')"


def text_sql(text: str, engine: str) -> str:
    """Return the SQL of ``text_of``."""
    bare = stripped_sql(text, engine)
    return (
        f"CASE WHEN {MATCHES[engine]}({bare}, '{WHOLE_SQL}') THEN regexp_replace({bare}, '[.]0+$', '') ELSE {bare} END"
    )


def unclean_sql(text: str, engine: str) -> str:
    """Return a cheap SQL condition that is true for every text that ``text_sql`` would change (and few others)."""
    place = {"duckdb": "ord", "spark": "ascii"}[engine]
    ends = " OR ".join(f"{place}({end}) IN (9, 10, 13, 32, 160, 65279)" for end in (text, f"right({text}, 1)"))
    return f"({text} = '' OR {text} LIKE '%.%0' OR {ends})"


def day_sql(text: str, engine: str) -> str:
    """Return the SQL of ``day_in``."""
    bare, matches = stripped_sql(text, engine), MATCHES[engine]
    moment = f"{DAY_SQL[:-1]}{TIME_SQL}"
    utc = f"regexp_replace({bare}, ' ?([Zz]|[Uu][Tt][Cc])$', 'Z')"
    if engine == "spark":  # its session runs in Europe/London
        zoned = f"TRY_CAST(TRY_CAST({utc} AS TIMESTAMP) AS DATE)"
    else:
        zoned = f"CAST(TRY_CAST({utc} AS TIMESTAMPTZ) AT TIME ZONE 'Europe/London' AS DATE)"
    return (
        f"CASE WHEN {matches}({bare}, '{DAY_SQL}') THEN TRY_CAST({bare} AS DATE) "
        f"WHEN {matches}({bare}, '{moment}$') THEN CAST(TRY_CAST({bare} AS TIMESTAMP) AS DATE) "
        f"WHEN {matches}({bare}, '{moment}{ZONE_SQL}$') THEN {zoned} END"
    )


def number_sql(text: str, engine: str) -> str:
    """Return SQL that parses a whole number; null for any other text."""
    bare = text_sql(text, engine)
    return f"CASE WHEN {MATCHES[engine]}({bare}, '^[+-]?[0-9]+$') THEN TRY_CAST({bare} AS BIGINT) END"


def flag_sql(text: str, engine: str) -> str:
    """Return the SQL of ``flag_of``."""
    lower = f"lower({text_sql(text, engine)})"
    yes, no = (", ".join(f"'{word}'" for word in sorted(words)) for words in (TRUE, FALSE))
    return f"CASE WHEN {lower} IN ({yes}) THEN true WHEN {lower} IN ({no}) THEN false END"

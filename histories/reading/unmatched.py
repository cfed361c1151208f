"""Rows whose pupil, school or area is missing from its own table: what a key that lost its leading zeros makes of a whole table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

# Foreign keys: the table and column that each column refers to.
LINKS = {"pupil_id": ("pupils", "pupil_id"), "urn": ("schools", "urn"), "lsoa": ("areas", "lsoa")}
# Services know children who are on no roll here, too young or of another area: H005 counts them, and no verb repeats it.
OF_SERVICES = ("social_care", "cme", "interventions")


def warnings_of_unmatched(first_row: Callable[[str], Sequence[int]], keys: Mapping[tuple[str, str], str]) -> list[str]:
    """Warn of the rows of files that have no match, and say so where a key would match without its leading zeros.

    Parameters
    ----------
    first_row : callable
        Returns the first row of a query, of DuckDB or Spark.
    keys : mapping
        By table and column the SQL of a table with each key (``key``) and its number of rows (``times``).
    """
    warnings = []
    for (table, column), sql in keys.items():
        other = LINKS[column]
        if other[0] == table or other not in keys:
            continue
        rows, unmatched, shortened = first_row(
            f"""WITH known AS (SELECT DISTINCT key FROM ({keys[other]}) WHERE key IS NOT NULL),
            short AS (SELECT DISTINCT trim(LEADING '0' FROM key) AS key FROM known),
            given AS (SELECT key, sum(times) AS times FROM ({sql}) WHERE key IS NOT NULL GROUP BY 1)
            SELECT CAST(coalesce(sum(times), 0) AS BIGINT),
                CAST(coalesce(sum(times) FILTER (WHERE k.key IS NULL), 0) AS BIGINT),
                CAST(coalesce(sum(times) FILTER (WHERE k.key IS NULL AND s.key IS NOT NULL), 0) AS BIGINT)
            FROM given g LEFT JOIN known k ON k.key = g.key LEFT JOIN short s ON s.key = trim(LEADING '0' FROM g.key)"""
        )
        lost = shortened or unmatched == rows
        if unmatched and (lost or table not in OF_SERVICES):
            why = "; check the keys in both files, which may have lost leading zeros" if lost else ""
            warnings.append(
                f"{table}, column {column}: {unmatched:,} of {rows:,} rows have no match in {other[0]}{why}"
            )
    return warnings

"""Combine statements with the same key into rows: events, spells with an end, and tables with one row per key."""

from __future__ import annotations

from collections.abc import Iterable

from histories.codes import YIELDING
from histories.io.sql import literals
from histories.tables import TABLES, Table

LATEST = ("pupils", "admissions")  # one row per key, with the last stated value of every column
# Of marks: whether one gives way to that of another sender, and whether it says where the child was; see ``histories.codes.YIELDING``.
_SILENT = f"code IN {literals(YIELDING)}"
_ORDER_OF_MARKS = (
    f"{_SILENT} AND min(sender) OVER (PARTITION BY {{keys}}) <> max(sender) OVER (PARTITION BY {{keys}})",
    f"NOT {_SILENT}",
)


def rows_of(name: str) -> str:
    """Return the query that derives the rows of a table from ``s_<table>``."""
    table = TABLES[name]
    if table.always_known or name in LATEST:
        return latest(table)
    return episodes(table) if table.end else events(table)


def _last(column: str, order: str = "rank") -> str:
    """Return the SQL of a column's last non-empty value; of equal ranks the largest value is chosen, not an arbitrary one."""
    return f"struct_extract(max({{'r': {order}, 'v': \"{column}\"}}) FILTER (\"{column}\" IS NOT NULL), 'v')"


def latest(table: type[Table]) -> str:
    """Return the query of one row per key, in which later returns fill or replace values."""
    order = "number" if table.always_known else "rank"
    keys = ", ".join(f'"{k}"' for k in table.key)
    rest = ", ".join(f'{_last(c, order)} AS "{c}"' for c in table.columns if c not in table.key)
    return f"SELECT {keys}{', ' if rest else ''}{rest} FROM s_{table.table} WHERE is_current GROUP BY {keys} ORDER BY {keys}"


def _recorded_sql(table: type[Table]) -> str:
    """Return the SQL of the day a row was recorded; null if it counts as known on its own date."""
    happened = table.known_from[-1]
    by_return = f"CASE WHEN clock = 'return' AND stated_on IS NOT NULL THEN greatest(stated_on, \"{happened}\") END"
    return f"coalesce(recorded_on, {by_return})" if "recorded_on" in table.columns else by_return


def _with_replaced(table: type[Table], same: Iterable[str]) -> str:
    """Return the current statements and those that a correction changed, which were known until it came.

    Parameters
    ----------
    same : iterable of str
        Columns in which the correction agrees with what it changed. A row that it withdraws is not carried: no table can say
        "no longer known".
    """
    # Marks come in extracts, which nothing replaces; sessions are sums over the schools of a child.
    if table.table in ("attendance", "termly_attendance"):
        return f"s_{table.table} WHERE is_current"
    agrees = " AND ".join(f'c."{name}" IS NOT DISTINCT FROM s."{name}"' for name in same)
    later = "c.is_current AND c.stated_on > s.stated_on"
    return f"s_{table.table} s WHERE is_current OR EXISTS (FROM s_{table.table} c WHERE {later} AND {agrees})"


def events(table: type[Table]) -> str:
    """Return the query of one row per change of a key's values, recorded when it was stated; an undated first row stays undated."""
    keys = ", ".join(f'"{k}"' for k in table.key)
    yields, says = _ORDER_OF_MARKS if table.table == "attendance" else ("false", "true")
    yields = yields.format(keys=keys)
    content = [c for c in table.columns if c not in (*table.key, "recorded_on")]
    struct = "{" + ", ".join(f"'{c}': \"{c}\"" for c in content) + "}" if content else "{'x': 1}"
    happened = table.known_from[-1]
    listed = ", ".join(f'"{c}"' for c in table.columns if c != "recorded_on")
    return f"""
        WITH given AS (SELECT *, {_recorded_sql(table)} AS recorded, {struct} AS content, {yields} AS yields, {says} AS says FROM {_with_replaced(table, table.key)}),
        counted AS (SELECT *, row_number() OVER (PARTITION BY {keys}, recorded IS NULL ORDER BY yields DESC, rank, says, content) AS turn FROM given),
        dated AS (SELECT * REPLACE (coalesce(recorded, CASE WHEN turn > 1 THEN greatest(return_date, "{happened}") END) AS recorded) FROM counted),
        single AS (SELECT * FROM dated QUALIFY row_number() OVER (PARTITION BY {keys}, recorded ORDER BY yields, rank DESC, says DESC, content DESC) = 1)
        SELECT {listed}, recorded AS recorded_on FROM single
        WINDOW w AS (PARTITION BY {keys} ORDER BY coalesce(recorded, "{happened}"), rank)
        QUALIFY coalesce(content IS DISTINCT FROM lag(content) OVER w OR row_number() OVER w = 1, true)"""


def episodes(table: type[Table]) -> str:
    """Return the query of one row per spell, closed by the last stated end; without a recording column a later end is a correction."""
    end, keys = str(table.end), ", ".join(f'"{k}"' for k in table.key)
    extra = (
        ", category IS NOT DISTINCT FROM 'section 47' AS apart" if table.table == "social_care" else ", false AS apart"
    )
    attributes = [
        c for c in table.columns if c not in (*table.key, *table.end_columns, "recorded_on", "end_recorded_on")
    ]
    at_end = [c for c in table.end_columns if c != end]
    ends = "{'r': rank, 'e': \"" + end + '"' + "".join(f", '{c}': \"{c}\"" for c in at_end) + "}"
    end_recorded_sql = "coalesce(end_recorded_on, recorded)" if "end_recorded_on" in table.columns else "recorded"
    summed = f"""
        WITH given AS (SELECT *{extra}, {_recorded_sql(table)} AS recorded FROM {_with_replaced(table, (*table.key, *attributes))}),
        closed AS (SELECT *, max({ends}) FILTER ("{end}" IS NOT NULL AND is_current) OVER (PARTITION BY {keys}, apart) AS closing FROM given),
        spells AS (
            SELECT {keys}, {"".join(f'{_last(c)} AS "{c}", ' for c in attributes)}any_value(closing) AS closing, bool_and(number = 0) AS untouched,
                CASE WHEN bool_and(recorded IS NOT NULL) THEN min(recorded) END AS first_recorded, struct_extract(min({ends}), 'e') AS first_end,
                CASE WHEN any_value(closing) IS NULL THEN min(recorded) FILTER (is_current) END AS open_recorded,
                CASE WHEN bool_and({end_recorded_sql} IS NOT NULL) FILTER ("{end}" = closing.e) THEN min({end_recorded_sql}) FILTER ("{end}" = closing.e) END AS end_recorded
            FROM closed GROUP BY {keys}, apart
        )"""
    ended = "".join(f', closing."{c}" AS "{c}"' for c in at_end)
    shown = ", ".join([keys, *(f'"{c}"' for c in attributes)])
    columns = ", ".join(f'"{c}"' for c in table.columns)
    untouched = f"UNION ALL BY NAME SELECT {columns} FROM closed SEMI JOIN (SELECT * FROM spells WHERE untouched) USING ({keys})"
    if "recorded_on" not in table.columns:
        return f'{summed} SELECT {shown}, closing.e AS "{end}"{ended} FROM spells WHERE NOT untouched {untouched}'
    if "end_recorded_on" in table.columns:
        end_known = "CASE WHEN end_recorded IS NOT NULL THEN greatest(end_recorded, closing.e, first_recorded) END AS end_recorded_on"
        return f"""{summed}
            SELECT {shown}, closing.e AS "{end}"{ended}, first_recorded AS recorded_on, {end_known} FROM spells WHERE NOT untouched {untouched}"""
    last_recorded = "coalesce(end_recorded, open_recorded)"  # a correction may take an end back
    corrected = f"{last_recorded} > first_recorded AND first_end IS DISTINCT FROM closing.e"
    return f"""{summed}
        SELECT {shown}, CASE WHEN {corrected} THEN first_end ELSE closing.e END AS "{end}", first_recorded AS recorded_on FROM spells WHERE NOT untouched
        UNION ALL BY NAME SELECT {shown}, closing.e AS "{end}", {last_recorded} AS recorded_on FROM spells WHERE NOT untouched AND {corrected}
        {untouched}"""

"""Rules on single values: codes that exist and were valid, keys that lead somewhere, UPNs with their check letter."""

from __future__ import annotations

import narwhals as nw

from histories.codes import attendance_codes, code_set
from histories.opening import Histories, day_number
from histories.rules.rule import Rule
from histories.tables import TABLES


def _unknown_code(table: str, column: str, codes: str):  # type: ignore[no-untyped-def]
    def bad(h: Histories) -> nw.LazyFrame:
        return h.frame(table).filter(~nw.col(column).is_null() & ~nw.col(column).is_in(list(code_set(codes))))

    return bad


def _orphan(table: str, column: str, other: str, key: str):  # type: ignore[no-untyped-def]
    def bad(h: Histories) -> nw.LazyFrame:
        known = h.frame(other).select(nw.col(key).alias(column)).unique()
        return h.frame(table).filter(~nw.col(column).is_null()).join(known, on=column, how="anti")

    return bad


def _not_valid_on_its_date(h: Histories) -> nw.LazyFrame:
    early = [nw.lit(False)]
    for code, c in attendance_codes().items():
        if c.since:
            early.append((nw.col("code") == code) & (nw.col("date") < day_number(c.since)))
        if c.until:
            early.append((nw.col("code") == code) & (nw.col("date") > day_number(c.until)))
    return h.frame("attendance").filter(nw.any_horizontal(*early, ignore_nulls=True))


def _wrong_check_letter(h: Histories) -> nw.LazyFrame:
    from histories.identity import LETTERS

    upn = nw.col("upn")
    form = upn.str.contains(r"^[A-HJ-NP-RT-Z]\d{11}[\dA-HJ-NP-RT-Z]$")
    frame = h.frame("pupils").filter(~upn.is_null()).with_columns(form.alias("form"))
    total = nw.lit(0)
    for place in range(2, 14):
        digit = nw.lit(0)
        for value, letter in enumerate("0123456789" if place < 13 else LETTERS):
            digit = nw.when(upn.str.slice(place - 1, 1) == letter).then(value).otherwise(digit)
        if place == 13:
            for value in range(10):
                digit = nw.when(upn.str.slice(12, 1) == str(value)).then(value).otherwise(digit)
        total = total + digit * place
    wanted = nw.lit("")
    for value, letter in enumerate(LETTERS):
        wanted = nw.when(total % 23 == value).then(nw.lit(letter)).otherwise(wanted)
    return frame.filter(~nw.col("form") | (upn.str.slice(0, 1) != wanted))


_CODED = [
    (table.table, column.name, column.codes)
    for table in TABLES.values()
    for column in table.columns.values()
    if column.codes and not (table.table == "enrolments" and column.name == "leaving_ground")
]
_KEYED = [t.table for t in TABLES.values() if "pupil_id" in t.columns and t.table != "pupils"]

VALUES = [
    *(
        Rule(
            f"H{100 + n}",
            "error",
            table,
            f"{column} holds codes that do not exist",
            f"Correct the codes; docs/histories.md lists those of {column}.",
            _unknown_code(table, column, codes),
        )
        for n, (table, column, codes) in enumerate(_CODED)
    ),
    *(
        Rule(
            f"H{150 + n}",
            # Services know children who are on no roll here; a mark or a spell without its pupil is a broken export.
            "warning" if table in ("social_care", "cme", "interventions") else "error",
            table,
            "rows of pupils who are not in the table pupils",
            "Add the pupils, or remove the rows.",
            _orphan(table, "pupil_id", "pupils", "pupil_id"),
            ("pupils",),
        )
        for n, table in enumerate(_KEYED)
    ),
    Rule(
        "H170",
        "warning",
        "enrolments",
        "schools that are not in the table schools",
        "Add the schools; without them a phase is not known.",
        _orphan("enrolments", "urn", "schools", "urn"),
        ("schools",),
    ),
    Rule(
        "H171",
        "warning",
        "addresses",
        "areas that are not in the table areas",
        "Add the areas; without them deprivation is not known.",
        _orphan("addresses", "lsoa", "areas", "lsoa"),
        ("areas",),
    ),
    Rule(
        "H172",
        "warning",
        "attendance",
        "codes that were not valid on their date",
        "Look at the codes; they are counted all the same.",
        _not_valid_on_its_date,
    ),
    Rule(
        "H173",
        "warning",
        "pupils",
        "UPNs whose form or check letter is wrong",
        "Ask the schools; the rows are kept.",
        _wrong_check_letter,
    ),
]

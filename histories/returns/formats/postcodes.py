"""The postcode directory (ONSPD or NSPL, CSV): it supplies the LSOA of homes imported with a postcode.

Postcodes never reach the histories. Addresses and directory store a keyed pseudonym of the postcode and are joined when the table
``addresses`` is derived, so either may be imported first.

Source of the layout: documentation of the Office for National Statistics (``PCDS``, ``PCD7``, ``PCD8``, ``LSOA21CD``). The
shorter names of older editions are accepted, but have not been tested with a real file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from histories.errors import Fault
from histories.identity import pseudonym
from histories.io.quantities import quantity
from histories.returns.report import Contents, Report, Return

if TYPE_CHECKING:
    from histories.returns.files.staging import Staging
    from histories.returns.pupil_keys import PupilKeys

POSTCODE = ("pcds", "pcd7", "pcd8", "pcd", "pcd2")
LSOA = ("lsoa21cd", "lsoa21", "lsoa11cd", "lsoa11")


def bare_sql(column: str) -> str:
    """Return the SQL of a postcode in upper case without blanks; null if nothing remains."""
    return rf"nullif(upper(regexp_replace({column}, '\s', '', 'g')), '')"


def add_keys(staging: Staging, query: str, key: bytes | None) -> None:
    """Add the postcodes of a query, with their keys, to the staged table ``postcode_key``."""
    staging.sql("CREATE TABLE IF NOT EXISTS postcode_key (onroll_postcode VARCHAR, postcode_key VARCHAR)")
    new = staging.sql(f"""
        SELECT DISTINCT {bare_sql("postcode")} AS bare FROM ({query}) WHERE bare IS NOT NULL AND bare NOT IN (SELECT onroll_postcode FROM postcode_key)""")
    postcodes = [p for (p,) in new]
    keys = [pseudonym(f"postcode:{p}", key) for p in postcodes]
    staging.give("more_postcodes", {"postcode": postcodes, "postcode_key": keys})
    staging.sql("INSERT INTO postcode_key SELECT * FROM more_postcodes")
    staging.sql("DROP TABLE more_postcodes")


def convert(staging: Staging, people: PupilKeys, files: list[Path], report: Report) -> None:
    """State the LSOA of each postcode in England."""
    for n, file in enumerate(files):
        table = f"directory_{n}"
        report.read[file.name] = staging.csv(table, file)
        if table not in staging.columns:
            continue
        have = staging.columns[table]
        postcode, lsoa = (next((c for c in names if c in have), None) for names in (POSTCODE, LSOA))
        for column, names in ((postcode, POSTCODE), (lsoa, LSOA)):
            if column is None:
                do = f"Export the directory with one of the columns {', '.join(names)}."
                staging.faults.append(Fault("a column of the directory is missing", str(file), do))
        if postcode is None or lsoa is None:
            continue
        report.unused.append(f"{file.name}: columns other than {postcode} and {lsoa}")
        english = f"starts_with(\"{lsoa}\", 'E01') AND {bare_sql(chr(34) + postcode + chr(34))} IS NOT NULL"
        other, _ = staging.lines(table, f"({english}) IS NOT TRUE")
        if other:
            report.notes.append(f"{file.name}: {quantity(other)} left out: no postcode, or no LSOA in England")
        add_keys(staging, f'SELECT "{postcode}" AS postcode FROM "{table}" WHERE {english}', people.key)
        stated = staging.add_return(None, [file], clock="row")
        stated.tables["postcode_areas"] = f"""
            SELECT k.postcode_key, max(trim(r."{lsoa}")) AS lsoa FROM "{table}" r JOIN postcode_key k ON k.onroll_postcode = {bare_sql(f'r."{postcode}"')} WHERE {english} GROUP BY 1"""


def recognises(contents: Contents) -> bool:
    """Recognise the format by its headings."""
    return any(contents.has(postcode, lsoa) for postcode in POSTCODE for lsoa in LSOA)


RETURN = Return(
    name="postcodes",
    title="the postcode directory of the Office for National Statistics (ONSPD, NSPL), CSV: it fills the LSOA of homes",
    fills=("no table by itself: `addresses` imported with a postcode get their LSOA",),
    cannot_know=(
        "the LSOA of a home imported without a postcode",
        "areas of 2011 if the file has those of 2021: import deprivation for the same areas",
    ),
    convert=convert,
    recognises=recognises,
)

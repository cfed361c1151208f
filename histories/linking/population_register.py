"""A population register: a list of children who live in the area, kept by a health service, council tax, admissions or housing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from histories.errors import Fault
from histories.identity import clean_upn_sql
from histories.linking.pair_scores import letters_sql, postcode_sql
from histories.returns.files.staging import Staging
from histories.returns.mapping import expression_of

HEADINGS = {
    "forename": ("forename", "forenames", "first_name", "firstname", "given_name", "given_names", "child_forename"),
    "surname": ("surname", "last_name", "lastname", "family_name", "child_surname"),
    "dob": ("dob", "date_of_birth", "dateofbirth", "birth_date", "birthdate", "d.o.b."),
    "reference": (
        "reference",
        "person_id",
        "own_reference",
        "ref",
        "id",
        "account_number",
        "application_id",
        "nhs_number",
    ),
    "upn": ("upn", "unique_pupil_number"),
    "sex": ("sex", "gender"),
    "postcode": ("postcode", "post_code", "home_postcode", "address_postcode"),
    "address": ("address", "home_address", "full_address", *(f"address_{n}" for n in range(1, 8))),
}
REQUIRED = ("forename", "surname", "dob")
DAYS = (
    *("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%Y%m%d"),
    *("%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M"),
)
POSTCODE = "[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}"


def load_register(staging: Staging, file: Path) -> None:
    """Read a register into the tables ``register`` (as written) and ``listed`` (normalised for comparison).

    ``register`` has ``row`` (the header is row 1), ``reference, forename, surname, dob, postcode`` as text. ``listed`` has
    ``row, unique_id, forename, surname, born (date), dob, upn, sex, postcode``. Empty rows are left out.

    Raises
    ------
    Faults
        If the file is damaged, lacks names or dates of birth, or has unreadable dates.
    """
    staging.csv("raw", file, [h for headings in HEADINGS.values() for h in headings], HEADINGS["dob"])
    staging.raise_faults()
    columns = {c: [n for n in staging.columns["raw"] if n in names] for c, names in HEADINGS.items()}
    for column in REQUIRED:
        if not columns[column]:
            do = f"Name it {' or '.join(HEADINGS[column])}; case, blanks and underscores do not matter."
            staging.faults.append(Fault("the column is missing", f"{file}, column {column}", do))
    staging.raise_faults()
    text = {c: _first(names) for c, names in columns.items()}
    born = expression_of("date", text["dob"], DAYS)
    unreadable = f"{text['dob']} IS NOT NULL AND ({born}) IS NULL"
    staging.check(
        "raw", columns["dob"][0], unreadable, "the date cannot be read", "Write it like 2013-05-01 or 01/05/2013."
    )
    staging.raise_faults()
    address = (
        "concat_ws(' ', NULL, " + ", ".join(f'"{c}"' for c in columns["address"]) + ")"
        if columns["address"]
        else "NULL"
    )
    written_there = f"nullif(regexp_extract(upper({address}), '({POSTCODE}) *$', 1), '')"
    filled = ", ".join(f"nullif(trim(\"{c}\"), '')" for c in staging.columns["raw"])
    staging.sql(f"""CREATE TABLE register AS SELECT onroll_line AS row, {text["reference"]} AS reference, {text["forename"]} AS forename,
        {text["surname"]} AS surname, {text["dob"]} AS dob, coalesce({text["postcode"]}, {written_there}) AS postcode,
        {text["upn"]} AS upn, {text["sex"]} AS sex, {born} AS born FROM raw WHERE coalesce({filled}) IS NOT NULL""")
    staging.sql(f"""CREATE TABLE listed AS SELECT row, row::VARCHAR AS unique_id, {letters_sql("forename")} AS forename,
        {letters_sql("surname")} AS surname, born, strftime(born, '%Y-%m-%d') AS dob, {clean_upn_sql("upn")} AS upn,
        CASE WHEN left(upper(sex), 1) IN ('M', 'F') THEN left(upper(sex), 1) END AS sex, {postcode_sql("postcode")} AS postcode FROM register""")


def born_on(staging: Staging) -> list[date]:
    """Return the distinct dates of birth in the register."""
    return [r[0] for r in staging.sql("SELECT DISTINCT born FROM listed WHERE born IS NOT NULL")]


def _first(columns: list[str]) -> str:
    filled = [f"nullif(trim(\"{c}\"), '')" for c in columns]
    return f"coalesce({', '.join([*filled, 'NULL::VARCHAR'])})"

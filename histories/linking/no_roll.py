"""Find children of compulsory school age in a population register who are on no roll as of a day, and how certain that is.

Each row of the register is linked to at most one pupil: by UPN, or by Splink's weights under the rules of ``link``. Uncertain
links are listed as doubtful. A person must review the list; it proves nothing by itself.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from histories.calendar import ONE_DAY, compulsory_school_age
from histories.errors import Fault, Faults
from histories.io.quantities import quantity
from histories.io.spreadsheet import write_csv
from histories.io.sql import literal
from histories.linking.pair_scores import (
    ALIKE,
    AUTOMATIC,
    CLEAR,
    DOUBTFUL,
    letters_sql,
    postcode_sql,
    score_pairs,
)
from histories.linking.population_register import born_on, load_register
from histories.linking.roll_status import newest_record, roll_status
from histories.linking.store import LinkageStore
from histories.reading.histories import Histories
from histories.returns.files.staging import Staging

SURENESS = ("off_roll", "no_link", "doubtful")
LISTED = (
    *("row", "reference", "forename", "surname", "date_of_birth", "postcode", "sureness", "probability", "why"),
    *("pupil_id", "pupil_on_roll", "off_roll_since", "destination", "starts_on"),
)
# Why a link is doubtful, by the number in the query.
DOUBTS = (
    "the UPN belongs to a pupil with another name or date of birth",
    "another row of the register is linked to this pupil",
    "the forename differs",
    "a second pupil is nearly as likely",
    "too little agrees",
)
DIED = "deceased"


@dataclass(frozen=True, kw_only=True)
class NoRoll:
    """The outcome as counts and row numbers of the register; names are in the file only.

    Attributes
    ----------
    as_of, newest_record : date
        The as-of date, and the day of the newest record in the histories.
    counts : dict
        Rows of the register by outcome.
    rows : dict
        The row numbers of each of ``SURENESS``; the header is row 1.
    """

    as_of: date
    newest_record: date
    counts: dict[str, int]
    rows: dict[str, list[int]]
    warnings: list[str] = field(default_factory=list)


def find_no_roll(
    histories: Histories, place: Path, register: Path, out: Path, as_of: date | None = None, memory: str | None = None
) -> NoRoll:
    """Write the children of school age in a register who are on no roll as of a day to a file readable only by its owner.

    Parameters
    ----------
    place : Path
        The histories folder; the linkage store lies beside it.
    register : Path
        See ``load_register``.
    out : Path
        The CSV file to write.
    as_of : date, optional
        By default the day after the newest record, so that every record counts.

    Raises
    ------
    Faults
        If there is no linkage store, the register is damaged, or no pupil is on a roll as of the day.
    """
    store = LinkageStore(place)
    if not store.people.is_file():
        do = (
            "Import a return that carries names (school-census) into the folder first; "
            "'onroll link HISTORIES --people FILE' then finds the pupils of records without a UPN."
        )
        raise Faults(Fault("there are no names of pupils to compare with", str(store.people), do))
    newest = newest_record(histories)
    as_of = as_of or newest + ONE_DAY
    status = roll_status(histories, as_of)
    if not status["on_roll"].any():
        do = f"Choose another day with --as-of; the newest record is from {newest}."
        raise Faults(Fault(f"no pupil was known to be on a roll as of {as_of}", str(place), do))
    with tempfile.TemporaryDirectory(prefix="onroll-") as scratch:
        staging = Staging(Path(scratch), memory)
        staging.sql("SET threads = 2")  # a fixed number, for the same result each time
        load_register(staging, register)
        staging.connection.register("status_given", status.to_arrow())
        staging.sql("CREATE TABLE status AS SELECT * FROM status_given")
        _load_pupils(staging, store)
        _keep_school_age(staging, as_of)
        _link(staging)
        no_roll = _summary(staging, as_of, newest)
        write_csv(out, LISTED, _listed(staging))
        staging.connection.close()
    return no_roll


def _load_pupils(staging: Staging, store: LinkageStore) -> None:
    staging.sql(f"""CREATE TABLE pupils AS SELECT pupil_id, pupil_id AS unique_id, {letters_sql("forename")} AS forename,
        {letters_sql("surname")} AS surname, strftime(try_cast(dob AS DATE), '%Y-%m-%d') AS dob, upn, sex,
        {postcode_sql("postcode")} AS postcode FROM read_parquet({literal(store.people)})""")


def _keep_school_age(staging: Staging, as_of: date) -> None:
    """Create the table ``persons`` from the rows of children of compulsory school age on the day."""
    days = [day for day in born_on(staging) if _is_between(as_of, compulsory_school_age(day))]
    staging.give("school_days_of_birth", {"dob": [d.isoformat() for d in days]})
    staging.sql("CREATE TABLE persons AS SELECT * FROM listed WHERE dob IN (FROM school_days_of_birth)")


def _is_between(day: date, limits: tuple[date, date]) -> bool:
    return limits[0] <= day <= limits[1]


def _link(staging: Staging) -> None:
    """Create the table ``linked``: the pupil of each person, the probability, whether the link is certain, and the reason for doubt.

    If several rows match one pupil, the likeliest is certain, and so are rows with the same details. If the best pupil of a row
    has another forename and is already linked to a row with that forename, the row gets the next pupil: this keeps twins apart.
    """
    staging.sql("""CREATE TABLE by_upn AS SELECT p.unique_id AS person_id, c.pupil_id,
            coalesce(p.dob = c.dob AND (p.forename = c.forename OR p.surname = c.surname
                OR jaro_winkler_similarity(p.forename, c.forename) >= 0.88), false) AS agrees
        FROM persons p JOIN pupils c USING (upn)""")
    score_pairs(staging.connection, "persons", "pupils")
    staging.sql(f"""CREATE TABLE sure AS WITH
        ranked AS (SELECT *, lead(weight, 1, -99) OVER best AS second, row_number() OVER best AS place
            FROM pairs WINDOW best AS (PARTITION BY person_id ORDER BY weight DESC, pupil_id)),
        claims AS (
            SELECT person_id, pupil_id, 999.0 AS weight, 1.0 AS probability FROM by_upn WHERE agrees
            UNION ALL SELECT person_id, pupil_id, weight, probability FROM ranked WHERE place = 1 AND probability >= {AUTOMATIC}
                AND alike >= {ALIKE} AND weight - second >= {CLEAR} AND person_id NOT IN (SELECT person_id FROM by_upn)),
        named AS (SELECT c.*, p.row, concat_ws('|', p.forename, p.surname, p.dob, p.postcode) AS says
            FROM claims c JOIN persons p ON p.unique_id = c.person_id),
        first AS (SELECT *, first_value(says) OVER (PARTITION BY pupil_id ORDER BY weight DESC, row) AS best FROM named)
        SELECT person_id, pupil_id, probability FROM first WHERE says = best""")
    staging.sql(f"""CREATE TABLE linked AS WITH
        rest AS (SELECT x.*, x.pupil_id IN (SELECT pupil_id FROM sure) AS claimed FROM pairs x
            WHERE x.person_id NOT IN (SELECT person_id FROM sure) AND x.person_id NOT IN (SELECT person_id FROM by_upn)),
        ranked AS (SELECT *, lead(weight, 1, -99) OVER best AS second, row_number() OVER best AS place
            FROM rest WHERE NOT (claimed AND alike < {ALIKE}) WINDOW best AS (PARTITION BY person_id ORDER BY weight DESC, pupil_id))
        SELECT person_id, pupil_id, probability, true AS sure, NULL AS doubt FROM sure
        UNION ALL SELECT b.person_id, b.pupil_id, x.probability, false, 0 FROM by_upn b
            LEFT JOIN pairs x USING (person_id, pupil_id) WHERE b.person_id NOT IN (SELECT person_id FROM sure)
        UNION ALL SELECT person_id, pupil_id, probability, false,
            CASE WHEN claimed THEN 1 WHEN alike < {ALIKE} THEN 2 WHEN weight - second < {CLEAR} THEN 3 ELSE 4 END
            FROM ranked WHERE place = 1""")
    staging.sql(f"""CREATE TABLE outcome AS SELECT p.row, CASE
            WHEN l.sure AND s.on_roll THEN 'on_roll' WHEN l.sure AND s.destination = {literal(DIED)} THEN 'died'
            WHEN l.sure THEN 'off_roll' WHEN l.doubt = 0 OR l.probability >= {DOUBTFUL} THEN 'doubtful' ELSE 'no_link' END AS sureness,
            l.probability, l.doubt, l.pupil_id, s.* EXCLUDE (pupil_id)
        FROM persons p LEFT JOIN linked l ON l.person_id = p.unique_id LEFT JOIN status s ON s.pupil_id = l.pupil_id""")


def _summary(staging: Staging, as_of: date, newest: date) -> NoRoll:
    rows: dict[str, list[int]] = {s: [] for s in (*SURENESS, "on_roll", "died")}
    for sureness, row in staging.sql("SELECT sureness, row FROM outcome ORDER BY row"):
        rows[sureness].append(row)
    whole, school_age, undated = (
        staging.sql(f"SELECT count(*) FROM {source}")[0][0]
        for source in ("listed", "persons", "listed WHERE born IS NULL")
    )
    warnings = []
    if undated:
        lines = ", ".join(
            str(r[0]) for r in staging.sql("SELECT row FROM listed WHERE born IS NULL ORDER BY 1 LIMIT 10")
        )
        warnings.append(f"{quantity(undated)} of the register left out: no date of birth (rows {lines})")
    nameless = staging.sql(
        "SELECT count(*) FROM status WHERE on_roll AND pupil_id NOT IN (SELECT pupil_id FROM pupils)"
    )[0][0]
    if nameless:
        warnings.append(
            f"{quantity(nameless, 'pupil')} on a roll without a name in the linkage store: the register's rows of them are listed as no_link; "
            "import returns that carry names (school-census)"
        )
    if (as_of - newest).days > 31:
        warnings.append(f"the newest record is from {newest}: who has joined or left since is not known as of {as_of}")
    counts = {"rows": whole, "without_date_of_birth": undated, "other_ages": whole - undated - school_age}
    counts |= {"school_age": school_age, **{s: len(rows[s]) for s in ("on_roll", *SURENESS, "died")}}
    return NoRoll(
        as_of=as_of, newest_record=newest, counts=counts, rows={s: rows[s] for s in SURENESS}, warnings=warnings
    )


def _listed(staging: Staging) -> list[tuple]:
    """Return the rows of the file: first those certainly off roll, then those without a link, then the doubtful; least likely first."""
    order = " ".join(f"WHEN {literal(s)} THEN {n}" for n, s in enumerate(SURENESS))
    rows = staging.sql(f"""SELECT r.row, r.reference, r.forename, r.surname, strftime(r.born, '%Y-%m-%d'), r.postcode, o.sureness,
            round(o.probability, 3), o.doubt, CASE WHEN o.sureness <> 'no_link' THEN o.pupil_id END AS pupil,
            CASE WHEN pupil IS NOT NULL THEN CASE WHEN o.on_roll THEN 'yes' ELSE 'no' END END,
            CASE WHEN pupil IS NOT NULL THEN o.off_since END, CASE WHEN pupil IS NOT NULL THEN o.destination END,
            CASE WHEN pupil IS NOT NULL THEN o.starts_on END
        FROM outcome o JOIN register r USING (row) WHERE o.sureness NOT IN ('on_roll', 'died')
        ORDER BY CASE o.sureness {order} END, coalesce(o.probability, 0), r.row""")
    doubt = LISTED.index("why")
    return [
        (*r[:doubt], DOUBTS[r[doubt]] if r[doubt] is not None and r[6] == "doubtful" else None, *r[doubt + 1 :])
        for r in rows
    ]

"""Link the persons of another list to pupils: by exact UPN first, then by Splink's weights. A missed link is better than a wrong one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.atomic_write import new_file
from histories.io.sql import literal
from histories.linking.pair_scores import ALIKE, AUTOMATIC, CLEAR, DOUBTFUL, letters_sql, postcode_sql, score_pairs
from histories.linking.store import PEOPLE, REVIEW, Link, LinkageStore
from histories.returns.files.staging import Staging

MODEL = "1"
COLUMNS = {
    "person_id": True,
    "forename": True,
    "surname": True,
    "dob": True,
    "upn": False,
    "sex": False,
    "postcode": False,
}


def link(histories: Path, persons: Path) -> dict[str, int]:
    """Link the persons of a CSV file to the pupils of a linkage store.

    Parameters
    ----------
    histories : Path
        The histories folder; the store lies beside it.
    persons : Path
        CSV with ``person_id, forename, surname, dob`` and, where known, ``upn, sex, postcode``. Dates are ISO.

    Returns
    -------
    dict
        Number of persons linked by UPN, automatically and by review, awaiting review, and not linked.

    Raises
    ------
    Faults
        If the store or the file is missing or damaged.
    """
    store = LinkageStore(histories)
    if not store.people.is_file():
        do = "Import a return that carries names (school-census) into the folder first."
        raise Faults(Fault("there are no names of pupils to link to", str(store.people), do))
    answers = {(r["person_id"], r["pupil_id"]): r["same"] for r in store.review_rows() if r["same"]}
    with tempfile.TemporaryDirectory(prefix="onroll-") as scratch:
        staging = Staging(Path(scratch))
        staging.sql("SET threads = 2")  # a fixed number, for the same result each time
        _load(staging, store.people, persons)
        listed = {r[0] for r in staging.sql("SELECT person_id FROM persons")}
        links = [
            Link(person_id=p, pupil_id=c, probability=1.0, how="upn", model=MODEL)
            for p, c in staging.sql(
                "SELECT p.person_id, c.pupil_id FROM persons p JOIN pupils c ON p.upn = c.upn ORDER BY ALL"
            )
        ]
        links += [
            Link(person_id=p, pupil_id=c, probability=1.0, how="answered", model=MODEL)
            for (p, c), same in sorted(answers.items())
            if same == "yes" and p in listed
        ]
        review: list[dict[str, str]] = []
        done, taken = {k.person_id for k in links}, {k.pupil_id for k in links}
        for person, pupil, probability, sure, *shown in _best(staging, done, taken):
            if (person, pupil) in answers:
                continue
            if sure:
                links.append(
                    Link(person_id=person, pupil_id=pupil, probability=probability, how="automatic", model=MODEL)
                )
            else:
                row = (person, pupil, f"{probability:.3f}", *shown, "")
                review.append(dict(zip(REVIEW, row, strict=True)))
        staging.connection.close()
    store.save(listed, links, review)
    count = {how: sum(k.how == how for k in links) for how in ("upn", "automatic", "answered")}
    open_ = len(listed) - len({k.person_id for k in links}) - len(review)
    return {**count, "to_answer": len(review), "not_linked": open_, "persons": len(listed)}


def _load(staging: Staging, people: Path, persons: Path) -> None:
    """Normalise both lists: upper case without accents and punctuation, dates and postcodes in one format."""
    staging.csv("raw", persons, COLUMNS, ("dob",))
    staging.raise_faults()
    if staging.need("raw", [c for c, needed in COLUMNS.items() if needed]):
        do = "Give every row its own person_id, and write dob like 2013-05-01."
        staging.check("raw", "person_id", "person_id IS NULL", "the person_id is missing", do)
        twice = "person_id IN (SELECT person_id FROM raw GROUP BY 1 HAVING count(*) > 1)"
        staging.check("raw", "person_id", twice, "the person_id occurs more than once", do)
        staging.check(
            "raw",
            "dob",
            "dob IS NOT NULL AND try_cast(dob AS DATE) IS NULL",
            "the value is not a date like 2013-05-01",
            do,
        )
    staging.raise_faults()
    # Keep the key of the file, and normalised values without meaningless differences in spelling.
    for table, source, key, given in (
        ("persons", "raw", "person_id", set(staging.columns["raw"])),
        ("pupils", f"read_parquet({literal(people)})", "pupil_id", set(PEOPLE)),
    ):
        columns = {c: c if c in given else "NULL::VARCHAR" for c in COLUMNS}
        staging.sql(f"""CREATE TABLE {table} AS SELECT {key}, {key} AS unique_id, {letters_sql("forename")} AS forename, {letters_sql("surname")} AS surname,
            strftime(try_cast(dob AS DATE), '%Y-%m-%d') AS dob, {columns["upn"]} AS upn, {columns["sex"]} AS sex,
            {postcode_sql("postcode") if "postcode" in given else "NULL::VARCHAR"} AS postcode FROM {source}""")


def _shown(table: str) -> str:
    """Return the SQL of the text that a reviewer sees of a record."""
    return f"concat_ws(' ', {table}.forename, {table}.surname, {table}.dob, {table}.sex, {table}.postcode)"


def _best(staging: Staging, done: set[str], taken: set[str]) -> list[tuple]:
    """Return the best pupil of each person not linked yet, if at least doubtful, and whether the link is certain."""
    staging.give("done", {"person_id": sorted(done)})
    staging.give("taken", {"pupil_id": sorted(taken)})
    connection = staging.connection
    connection.execute("CREATE VIEW open_persons AS FROM persons WHERE person_id NOT IN (FROM done)")
    pairs = score_pairs(connection, "open_persons", "pupils")
    return connection.execute(f"""
        WITH scored AS (SELECT * FROM {pairs} WHERE pupil_id NOT IN (FROM taken)),
        ranked AS (SELECT *, lead(weight, 1, -99) OVER (PARTITION BY person_id ORDER BY weight DESC, pupil_id) AS second,
            row_number() OVER (PARTITION BY person_id ORDER BY weight DESC, pupil_id) AS place FROM scored),
        best AS (SELECT *, row_number() OVER (PARTITION BY pupil_id ORDER BY weight DESC, person_id) AS claim FROM ranked WHERE place = 1 AND probability >= {DOUBTFUL})
        SELECT b.person_id, b.pupil_id, b.probability,
            b.probability >= {AUTOMATIC} AND b.alike >= {ALIKE} AND b.weight - b.second >= {CLEAR} AND b.claim = 1 AS sure, {_shown("p")}, {_shown("c")}
        FROM best b JOIN persons p USING (person_id) JOIN pupils c ON c.pupil_id = b.pupil_id ORDER BY 1""").fetchall()


def write_people(connection: Any, query: str, store: LinkageStore) -> int:
    """Add the names in a return to the store; the newest value of each column wins.

    Returns
    -------
    int
        Number of children in the store.
    """
    old = (
        f"SELECT *, 0 AS turn FROM read_parquet({literal(store.people)}) UNION ALL BY NAME "
        if store.people.is_file()
        else ""
    )
    rest = ", ".join(f"arg_max({c}, turn) FILTER ({c} IS NOT NULL) AS {c}" for c in PEOPLE[1:])
    with new_file(store.people) as beside:
        connection.execute(
            f"COPY (SELECT pupil_id, {rest} FROM ({old} SELECT *, 1 AS turn FROM ({query})) GROUP BY 1 ORDER BY 1) TO {literal(beside)} (FORMAT parquet)"
        )
    return int(connection.execute(f"SELECT count(*) FROM read_parquet({literal(store.people)})").fetchall()[0][0])

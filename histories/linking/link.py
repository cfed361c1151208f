"""Linking persons of another list to pupils: an exact UPN first, then Splink's weights under rules that rather miss than mix up.

Method: Fellegi and Sunter's weights (Splink 5 on DuckDB). How often fields agree by chance is estimated from the lists; how often
they agree for one and the same child is set from the error rates below, so that small lists need no training.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.atomic_write import new_file
from histories.io.sql import literal
from histories.linking.store import PEOPLE, REVIEW, Link, LinkageStore
from histories.returns.staging import Staging

MODEL = "1"
AUTOMATIC, DOUBTFUL = 0.99, 0.90
CLEAR = 4.0  # bits by which the best pupil has to lead the second; twins differ in little
ALIKE = 2  # level of the comparison of forenames from which on they are alike (Jaro-Winkler 0.88)
EXPECTED = 0.9  # share of persons who are on the list of pupils
SAMPLED = 5e6  # pairs from which chance agreement is estimated
COLUMNS = {
    "person_id": True,
    "forename": True,
    "surname": True,
    "dob": True,
    "upn": False,
    "sex": False,
    "postcode": False,
}
# Agreement of one and the same child, level by level: typing errors, changed names, moves (assumptions; see the tests).
SAME = {
    "forename": [0.86, 0.07, 0.02, 0.02, 0.03],
    "surname": [0.85, 0.06, 0.02, 0.01, 0.06],
    "dob": [0.970, 0.015, 0.005, 0.005, 0.003, 0.002],
    "sex": [0.995, 0.005],
    "postcode": [0.72, 0.04, 0.06, 0.08, 0.10],
}


def link(histories: Path, persons: Path) -> dict[str, int]:
    """Link the persons of a CSV file to the pupils of a linkage store.

    Parameters
    ----------
    histories : Path
        The histories folder beside which the store lies.
    persons : Path
        CSV with ``person_id, forename, surname, dob`` and, where known, ``upn, sex, postcode``. Dates are ISO.

    Returns
    -------
    dict
        How many persons were linked by UPN, automatically and by answers, how many are to be answered, and how many not linked.

    Raises
    ------
    Faults
        When the store or the file is missing or damaged.
    """
    store = LinkageStore(histories)
    if not store.people.is_file():
        do = "Import a return that carries names (school-census) into the folder first."
        raise Faults(Fault("there are no names of pupils to link to", str(store.people), do))
    answers = {(r["person_id"], r["pupil_id"]): r["same"] for r in store.asked() if r["same"]}
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
                asked = (person, pupil, f"{probability:.3f}", *shown, "")
                review.append(dict(zip(REVIEW, asked, strict=True)))
        staging.connection.close()
    store.save(listed, links, review)
    count = {how: sum(k.how == how for k in links) for how in ("upn", "automatic", "answered")}
    open_ = len(listed) - len({k.person_id for k in links}) - len(review)
    return {**count, "to_answer": len(review), "not_linked": open_, "persons": len(listed)}


def _load(staging: Staging, people: Path, persons: Path) -> None:
    """Bring both lists into one form: upper case without accents and marks, dates and postcodes alike."""
    staging.csv("raw", persons)
    staging.raise_faults()
    if staging.need("raw", [c for c, needed in COLUMNS.items() if needed]):
        do = "Write person_id in every row, once, and dob like 2013-05-01."
        staging.check("raw", "person_id", "person_id IS NULL", "there is no person_id", do)
        twice = "person_id IN (SELECT person_id FROM raw GROUP BY 1 HAVING count(*) > 1)"
        staging.check("raw", "person_id", twice, "the person_id is there twice", do)
        staging.check(
            "raw",
            "dob",
            "dob IS NOT NULL AND try_cast(dob AS DATE) IS NULL",
            "the value is not a date like 2013-05-01",
            do,
        )
    staging.raise_faults()
    # What stays: the file's own key, and forms in which spelling that means nothing is gone.
    code = "nullif(upper(replace(postcode, ' ', '')), '')"
    spaced = (
        f"CASE WHEN length({code}) > 4 THEN left({code}, length({code}) - 3) || ' ' || right({code}, 3) ELSE {code} END"
    )
    for table, source, key, given in (
        ("persons", "raw", "person_id", set(staging.columns["raw"])),
        ("pupils", f"read_parquet({literal(people)})", "pupil_id", set(PEOPLE)),
    ):
        own = {c: c if c in given else "NULL::VARCHAR" for c in COLUMNS}
        staging.sql(f"""CREATE TABLE {table} AS SELECT {key}, {key} AS unique_id, {_letters("forename")} AS forename, {_letters("surname")} AS surname,
            strftime(try_cast(dob AS DATE), '%Y-%m-%d') AS dob, {own["upn"]} AS upn, {own["sex"]} AS sex,
            {spaced if "postcode" in given else "NULL::VARCHAR"} AS postcode FROM {source}""")


def _letters(column: str) -> str:
    return f"nullif(regexp_replace(upper(strip_accents({column})), '[^A-Z]', '', 'g'), '')"


def _shown(table: str) -> str:
    """Return what a person sees of a record who decides on a pair."""
    return f"concat_ws(' ', {table}.forename, {table}.surname, {table}.dob, {table}.sex, {table}.postcode)"


def _best(staging: Staging, done: set[str], taken: set[str]) -> list[tuple]:
    """Return the best pupil of each person who is not linked yet, from the doubtful on, with whether it is sure."""
    staging.give("done", {"person_id": sorted(done)})
    staging.give("taken", {"pupil_id": sorted(taken)})
    connection = staging.connection
    connection.execute("CREATE VIEW open_persons AS FROM persons WHERE person_id NOT IN (FROM done)")
    n, pupils = (connection.execute(f"SELECT count(*) FROM {t}").fetchall()[0][0] for t in ("open_persons", "pupils"))
    if not n or not pupils:
        return []
    pairs = _predict(connection, pupils)
    return connection.execute(f"""
        WITH scored AS (SELECT * FROM {pairs} WHERE pupil_id NOT IN (FROM taken)),
        ranked AS (SELECT *, lead(weight, 1, -99) OVER (PARTITION BY person_id ORDER BY weight DESC, pupil_id) AS second,
            row_number() OVER (PARTITION BY person_id ORDER BY weight DESC, pupil_id) AS place FROM scored),
        best AS (SELECT *, row_number() OVER (PARTITION BY pupil_id ORDER BY weight DESC, person_id) AS claim FROM ranked WHERE place = 1 AND probability >= {DOUBTFUL})
        SELECT b.person_id, b.pupil_id, b.probability,
            b.probability >= {AUTOMATIC} AND b.alike >= {ALIKE} AND b.weight - b.second >= {CLEAR} AND b.claim = 1 AS sure, {_shown("p")}, {_shown("c")}
        FROM best b JOIN persons p USING (person_id) JOIN pupils c ON c.pupil_id = b.pupil_id ORDER BY 1""").fetchall()


def _predict(connection: Any, pupils: int) -> str:
    """Score pairs with Splink; return the name of a table of ``person_id, pupil_id, weight, probability, alike``."""
    # It warns of levels that small lists cannot train, which keep its defaults.
    logging.disable(logging.WARNING)
    try:
        return _scored(connection, pupils)
    finally:
        logging.disable(logging.NOTSET)


def _scored(connection: Any, pupils: int) -> str:
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    api = DuckDBAPI(connection)
    names = {
        c: cl.NameComparison(c).configure(term_frequency_adjustments=True, m_probabilities=SAME[c])
        for c in ("forename", "surname")
    }
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[
            *names.values(),
            cl.DateOfBirthComparison("dob", input_is_string=True).configure(m_probabilities=SAME["dob"]),
            cl.ExactMatch("sex").configure(m_probabilities=SAME["sex"]),
            cl.PostcodeComparison("postcode").configure(m_probabilities=SAME["postcode"]),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("dob", "substr(surname,1,1)"),
            block_on("forename", "surname"),
            block_on("postcode"),
            block_on("dob", "forename"),
            block_on("surname", "substr(dob,1,7)"),
        ],
        probability_two_random_records_match=min(EXPECTED / pupils, 0.5),
        retain_intermediate_calculation_columns=False,
    )
    compared = "unique_id, forename, surname, dob, sex, postcode"
    connection.execute(
        f"CREATE VIEW left_list AS SELECT {compared} FROM open_persons; CREATE VIEW right_list AS SELECT {compared} FROM pupils"
    )
    given = [
        api.register("left_list", dataset_display_name="persons"),
        api.register("right_list", dataset_display_name="pupils"),
    ]
    linker = Linker(given, settings)
    linker.training.estimate_u_using_random_sampling(max_pairs=SAMPLED, seed=1)
    found = linker.inference.predict(threshold_match_probability=DOUBTFUL / 10)
    left = "source_dataset_l = 'persons'"
    connection.execute(f"""CREATE OR REPLACE TABLE pairs AS SELECT CASE WHEN {left} THEN unique_id_l ELSE unique_id_r END AS person_id,
        CASE WHEN {left} THEN unique_id_r ELSE unique_id_l END AS pupil_id, match_weight AS weight, match_probability AS probability, gamma_forename AS alike
        FROM {found.physical_name}""")
    return "pairs"


def write_people(connection: Any, query: str, store: LinkageStore) -> int:
    """Join the names that a return carries to the store; the newest stands.

    Returns
    -------
    int
        How many children the store knows.
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

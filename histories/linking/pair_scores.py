"""The probability that a person of another list and a pupil are the same child, and the thresholds for a link.

Method: Fellegi-Sunter weights (Splink 5 on DuckDB). Chance agreement of fields is estimated from the lists; agreement for the same
child comes from the error rates below, so that small lists need no training.
"""

from __future__ import annotations

import logging
from typing import Any

AUTOMATIC, DOUBTFUL = 0.99, 0.90
CLEAR = 4.0  # bits by which the best pupil must lead the second: twins differ in little
ALIKE = 2  # comparison level from which forenames count as alike (Jaro-Winkler 0.88)
EXPECTED = 0.9  # share of persons who are on the list of pupils
SAMPLED = 5e6  # pairs from which chance agreement is estimated
# Agreement for the same child by comparison level: typing errors, changed names, moves (assumptions; see the tests).
SAME = {
    "forename": [0.86, 0.07, 0.02, 0.02, 0.03],
    "surname": [0.85, 0.06, 0.02, 0.01, 0.06],
    "dob": [0.970, 0.015, 0.005, 0.005, 0.003, 0.002],
    "sex": [0.995, 0.005],
    "postcode": [0.72, 0.04, 0.06, 0.08, 0.10],
}
COMPARED = "unique_id, forename, surname, dob, sex, postcode"


def letters_sql(column: str) -> str:
    """Return the SQL of a name in upper case without accents and punctuation; null if no letter remains."""
    return f"nullif(regexp_replace(upper(strip_accents({column})), '[^A-Z]', '', 'g'), '')"


def postcode_sql(column: str) -> str:
    """Return the SQL of a postcode in upper case with one blank before its last three characters."""
    code = f"nullif(upper(replace({column}, ' ', '')), '')"
    spaced = f"left({code}, length({code}) - 3) || ' ' || right({code}, 3)"
    return f"CASE WHEN length({code}) > 4 THEN {spaced} ELSE {code} END"


def score_pairs(connection: Any, persons: str, pupils: str) -> str:
    """Score pairs of a person and a pupil with Splink.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    persons, pupils : str
        Tables with the columns ``COMPARED``, dates as text.

    Returns
    -------
    str
        The name of a table ``person_id, pupil_id, weight, probability, alike`` of pairs that may be the same child; it is empty
        if either list is.
    """
    counts = [connection.execute(f"SELECT count(*) FROM {t}").fetchall()[0][0] for t in (persons, pupils)]
    connection.execute(
        "CREATE OR REPLACE TABLE pairs (person_id VARCHAR, pupil_id VARCHAR, weight DOUBLE, probability DOUBLE, alike INTEGER)"
    )
    if all(counts):
        connection.execute(f"CREATE VIEW left_list AS SELECT {COMPARED} FROM {persons}")
        connection.execute(f"CREATE VIEW right_list AS SELECT {COMPARED} FROM {pupils}")
        # Splink warns of levels that small lists cannot train, which keep its defaults.
        logging.disable(logging.WARNING)
        try:
            _predict(connection, counts[1])
        finally:
            logging.disable(logging.NOTSET)
    return "pairs"


def _predict(connection: Any, pupils: int) -> None:
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
    lists = [
        api.register("left_list", dataset_display_name="persons"),
        api.register("right_list", dataset_display_name="pupils"),
    ]
    linker = Linker(lists, settings)
    linker.training.estimate_u_using_random_sampling(max_pairs=SAMPLED, seed=1)
    predictions = linker.inference.predict(threshold_match_probability=DOUBTFUL / 10)
    left = "source_dataset_l = 'persons'"
    connection.execute(f"""INSERT INTO pairs SELECT CASE WHEN {left} THEN unique_id_l ELSE unique_id_r END,
        CASE WHEN {left} THEN unique_id_r ELSE unique_id_l END, match_weight, match_probability, gamma_forename
        FROM {predictions.physical_name}""")

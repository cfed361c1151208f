"""Every example of every feature on every engine; all share one folder, each with separate children and schools."""

import math
from collections import defaultdict

import pytest

from features.catalogue import catalogue
from features.matrix import matrix
from features.specs import SPECS, specs_of
from features.specs.spec import edges_needed
from histories.reading.histories import Histories
from tests.support.engines import open_on

BLANK = "blank"  # a child without records in any optional table


def together():
    tables = defaultdict(list)
    for n, spec in enumerate(SPECS):
        for table, table_rows in spec.histories(f"{n}-").items():
            tables[table] += table_rows
    tables["pupils"].append({"pupil_id": BLANK, "date_of_birth": "2014-05-01", "authority": "blank"})
    tables["enrolments"].append({"pupil_id": BLANK, "urn": "blank", "entry_date": "2018-09-04"})
    return tables


@pytest.fixture(scope="module", params=["duckdb", "polars", "plain", "spark"])
def values(request, tmp_path_factory):
    """Return the value of each child, day and feature."""
    if request.param == "spark":
        request.getfixturevalue("spark")
    histories = open_on(request.param, together(), tmp_path_factory.mktemp("specs"))
    days = sorted({d for s in SPECS for d in s.days})
    return {(r["as_of"], r["pupil_id"]): r for r in matrix(histories, days).to_pylist()}


@pytest.mark.parametrize("number", range(len(SPECS)), ids=[" ".join(s.features)[:60] for s in SPECS])
def test_features_have_the_values_of_the_example(values, number):
    wrong = []
    for day, pupil, feature, expected in SPECS[number].expected():
        assert (day, f"{number}-{pupil}") in values, f"{pupil} is not in the cohort of {day}"
        value = values[day, f"{number}-{pupil}"][feature]
        same = value is None if expected is None else value is not None and math.isclose(value, expected, rel_tol=1e-12)
        wrong += [] if same else [f"{feature} of {pupil} on {day}: {value}, expected {expected}"]
    assert not wrong, "\n".join([SPECS[number].says, *wrong])


@pytest.mark.parametrize("feature", catalogue().features, ids=lambda f: f.name)
def test_every_feature_has_examples_on_every_edge_of_time(feature):
    assert specs_of(feature.name), "no example: add one in features/specs/"
    for table, needed in edges_needed(feature).items():
        shown = set().union(*(s.edges.get(table, set()) for s in specs_of(feature.name)))
        assert needed <= shown, f"{table}: no example of {', '.join(sorted(needed - shown))}"


@pytest.mark.parametrize("feature", catalogue().features, ids=lambda f: f.name)
def test_without_records_a_feature_is_missing_only_if_declared(values, feature):
    blank_values = {r[feature.name] for (_, pupil), r in values.items() if pupil == BLANK}
    assert (None in blank_values) == bool(feature.missing), (
        f"{blank_values}: say in the declaration when it is missing, or give a value"
    )


def test_without_one_of_its_tables_a_feature_is_missing():
    whole = Histories.from_rows(together())
    for table in sorted({s for f in catalogue().features for s in f.sources} - {"pupils", "enrolments"}):
        without = {t: rows for t, rows in together().items() if t != table}
        features = matrix(Histories.from_rows(without), [max(SPECS[0].days)])
        given = {f.name for f in catalogue().features if features[f.name].null_count < features.num_rows}
        needing = {f.name for f in catalogue().features if table in f.sources}
        assert needing.isdisjoint(given), f"{table}: {needing & given}"
    assert whole.present >= {s for f in catalogue().features for s in f.sources}

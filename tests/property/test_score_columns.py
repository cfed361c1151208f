"""Scores made as columns are those made one by one, word for word and bit for bit, also in the file of scores."""

import dataclasses
import json
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue import SHIPPED
from features.matrix import tallied
from features.sentences import Sentence
from histories.reading.histories import Histories
from serving.scoring.parquet import SCHEMA, rows_of, table_of, write_scores
from tests.support.odd_children import DAY
from tests.support.odd_world import odd_world
from training import risk_model
from training.explanation import score_columns
from training.explanation.reason_columns import KINDS, reason_columns
from training.explanation.reasons import reasons
from training.explanation.score_columns import ScoreColumns
from training.explanation.true_sentences import TrueSentences
from training.risk_model import RiskModel

D = date(2025, 1, 13)
DECLARED = SHIPPED.declarations()
WORDING = {f.name: f.sentences for f in SHIPPED.features}


def one_by_one(rows, contributions, catalogue, themes, wording):
    """Return each child's reasons by kind, as the page shows them."""
    made = (reasons(v, c, catalogue, themes, wording) for v, c in zip(rows, contributions, strict=True))
    return [dict(zip(KINDS, of_child, strict=True)) for of_child in made]


def together(rows, contributions, catalogue, themes, wording):
    names = dict.fromkeys(name for row in rows for name in row)
    values = {n: np.array([np.nan if (v := row.get(n)) is None else v for row in rows]) for n in names}
    sentences = TrueSentences([f["name"] for f in catalogue], wording)
    columns = reason_columns(values, contributions, catalogue, themes, sentences)
    return [columns.of(k) for k in range(len(rows))]


@pytest.mark.parametrize("seed", range(4))
def test_reasons_of_odd_children_are_the_same_however_their_features_contribute(seed):
    random = np.random.Generator(np.random.PCG64(seed))
    _, histories = odd_world(500, 1)
    frame = tallied(histories, [DAY])
    rows = [
        {
            k: float(v) if isinstance(v, int | float) and v == v else None
            for k, v in row.items()
            if not isinstance(v, str | date)
        }
        for row in frame.iter_rows(named=True)
    ]
    # Also ties, features that move nothing, and themes in which nothing is left.
    contributions = np.round(random.normal(scale=0.2, size=(len(rows), len(DECLARED))), 1 + seed)
    contributions[random.random(contributions.shape) < 0.4] = 0.0
    given = (rows, contributions, DECLARED, SHIPPED.themes, WORDING)
    expected = one_by_one(*given)
    assert together(*given) == expected
    assert sum(len(of) for child in expected for of in child.values()) > 10 * len(rows)


NAMES = ("a", "b", "c")
NUMBERS = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.0, 0.5, -1.0]), st.floats(-3, 3))
TEXTS = ("plain", "{a:.0f} time(s)", "{b:portion} and {c:.2f}", "{a:ago}", "{unknown}", "{a:nonsense}", "{}")
SENTENCES = st.builds(
    Sentence,
    text=st.sampled_from(TEXTS),
    tone=st.sampled_from(["strain", "strength", "fact"]),
    at_least=st.sampled_from([None, 0.0, 1.0]),
    below=st.sampled_from([None, 1.0, 2.0]),
    when=st.lists(
        st.tuples(
            st.sampled_from([*NAMES, "unknown"]),
            st.sampled_from(["<", ">", "=", "!="]),
            st.sampled_from([0.0, 1.0, "b", "unknown"]),
        ),
        max_size=2,
    ).map(tuple),
    leads=st.booleans(),
)


@settings(max_examples=150)
@given(
    wording=st.fixed_dictionaries({n: st.lists(SENTENCES, max_size=4).map(tuple) for n in NAMES}),
    rows=st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, NUMBERS)), min_size=1, max_size=4),
    roles=st.lists(st.sampled_from(["reason", "context", "never_shown"]), min_size=3, max_size=3),
    themes=st.lists(st.sampled_from(["x", "y"]), min_size=3, max_size=3),
    data=st.data(),
)
def test_reasons_are_the_same_whatever_sentences_a_feature_has(wording, rows, roles, themes, data):
    catalogue = [{"name": n, "role": r, "theme": t} for n, r, t in zip(NAMES, roles, themes, strict=True)]
    part = st.sampled_from([0.0, 0.1, -0.1, 0.01, 0.3])
    contributions = np.array([[data.draw(part) for _ in NAMES] for _ in rows])
    given = (rows, contributions, catalogue, {"x": "Theme X"}, wording)
    assert together(*given) == one_by_one(*given)


@pytest.fixture
def both(bundle, small_histories, monkeypatch):
    """The same list, as columns in parts of 60 children and as single scores, evidence for some."""
    model, histories = RiskModel.load(bundle), Histories.open(small_histories)
    monkeypatch.setattr(risk_model, "EVIDENCE_RANKS", 130)
    monkeypatch.setattr(score_columns, "ROWS", 60)
    monkeypatch.setattr("serving.scoring.parquet.ROWS", 60)
    made = []
    for few in (0, 10**6):
        monkeypatch.setattr(risk_model, "FEW", few)
        made.append(model.score(histories, D))
    assert isinstance(made[0], ScoreColumns)
    assert isinstance(made[1], list)
    return made


def test_a_list_of_columns_is_the_list_of_single_scores(both):
    columns, single = both
    texts = [[json.dumps(s.to_dict()) for s in scores] for scores in both]
    assert texts[0] == texts[1]
    assert len(columns) == len(single) > 200
    assert (columns[-1], columns[3:9:2]) == (single[-1], single[3:9:2])
    with pytest.raises(IndexError):
        columns[len(single)]
    assert any(r.evidence for s in columns for r in s.reasons)
    assert list(columns.leading_themes(2)) == [[r.theme for r in s.reasons[:2]] for s in single]
    fields = [f.name for f in dataclasses.fields(single[0]) if f.name not in KINDS]
    for name in fields:
        assert columns.column(name) == [getattr(s, name) for s in single]


def test_the_file_of_columns_is_that_of_single_scores(both, tmp_path):
    columns, single = both
    expected = pa.Table.from_pylist(rows_of(single), schema=SCHEMA)
    assert table_of(columns).combine_chunks() == expected
    assert table_of(single) == expected
    for scores in both:
        write_scores(scores, tmp_path / "scores.parquet")
        assert pa.parquet.read_table(tmp_path / "scores.parquet") == expected

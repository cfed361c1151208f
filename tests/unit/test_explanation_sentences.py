"""Sentences say what is recorded, say so when nothing is, and never claim a cause."""

import math

import pytest

from histories.faults import Faults
from training.bundle import Declaration
from training.explanation.sentences import Value, check_sentences, sentence

NAN = math.nan
ABSENCE = Declaration(
    "absence",
    "attendance",
    "missed {missed:.0f} of the last {possible:.0f} sessions ({absence:.0%})[, up from {before:.0%}]",
    "Missed only {absence:.0%}!",
    missing="no marks since the start of term",
)


@pytest.mark.parametrize(
    ("raises", "values", "said"),
    [
        (True, (0.28, 14, 50, 0.06), "Missed 14 of the last 50 sessions (28%), up from 6%."),
        (True, (0.28, 14, 50, NAN), "Missed 14 of the last 50 sessions (28%)."),
        (True, (0.28, NAN, 50, NAN), "Missed (not known) of the last 50 sessions (28%)."),
        (False, (0.02, 1, 50, 0.06), "Missed only 2%!"),
        (False, (-0.0001, 1, 50, 0.06), "Missed only 0%!"),
        (True, (NAN, 1, 50, 0.06), "No marks since the start of term."),
        (False, (NAN, NAN, NAN, NAN), "No marks since the start of term."),
    ],
)
def test_sentence(raises, values, said):
    names = ("absence", "missed", "possible", "before")
    assert sentence(ABSENCE, raises, dict(zip(names, values, strict=True))) == said


@pytest.mark.parametrize(
    ("value", "spec", "said"),
    [(3.0, "", "3"), (2.5, "", "2.5"), (-0.2, ".0f", "0"), (-1.2, ".0f", "-1"), (NAN, ".0f", "(not known)")],
)
def test_a_value_is_written_as_people_write_it(value, spec, said):
    assert format(Value(value), spec) == said


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("Missed {gone:.0f}", "uses gone"),
        ("Missed {absence.__class__}", "uses absence.__class__"),
        ("Missed {absence:.0q}", "not a template"),
        ("Missed {absence", "not a template"),
        ("Missed {}", "uses"),
        ("At risk because of {absence}", "claims a cause"),
        ("Absence led to this", "claims a cause"),
    ],
)
def test_a_template_that_cannot_be_filled_or_claims_a_cause_is_refused_by_name(template, said):
    wrong = Declaration("absence", "attendance", "Missed {absence:.0%}", template)
    with pytest.raises(Faults, match=said) as caught:
        check_sentences([wrong], ["absence"], "manifest.json")
    assert caught.value.faults[0].where == "manifest.json, catalogue, absence, lowers"

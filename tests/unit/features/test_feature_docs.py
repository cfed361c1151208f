"""The page, the list and the explanation of features come from one place."""

import dataclasses
import json

import pytest

from features.catalogue import SHIPPED, catalogue
from features.examples import FILE, _children, computed_sentences, example_of_side
from features.feature_docs import PAGE, explained, listed, page
from features.sentences import fact, true_sentences
from serving.cli.main import main


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(["features", *arguments])
    return left.value.code, capsys.readouterr()


def test_the_page_is_current_and_not_too_long():
    assert PAGE.read_text(encoding="utf-8") == page(), "run 'make docs' and commit it"
    assert page().count("\n") < 3000


def test_the_stored_example_sentences_are_current():
    assert FILE.read_text(encoding="utf-8") == computed_sentences(), "run 'make docs' and commit it"


def test_the_stored_example_sentences_are_true_of_an_example_unless_none_is():
    for feature in SHIPPED.features:
        of_examples = _children(feature.name)
        for raises in (True, False):
            side = [s for s in feature.sentences if s.may_appear(raises)]
            true = {text for child in of_examples for _, text in true_sentences(feature.name, side, child)}
            assert not true or example_of_side(feature, raises=raises) in true


def test_every_feature_is_explained_with_what_it_needs_and_an_example():
    for f in catalogue().features:
        data, text = explained(f.name)
        assert data["missing_without"] == list(f.sources)
        assert data["examples"], f.name
        assert all(e["text"] in text for e in data["examples"])
        assert example_of_side(f, raises=True) in text


def test_the_verb_explains_one_feature_and_lists_all(capsys):
    code, out = run(capsys, "--explain", "suspensions_90d")
    assert (code, out.err) == (0, "")
    assert "must give\n  as_of      | suspensions_90d\n  2025-01-14 | 3\n" in out.out
    assert "Suspended 3 times in the last 90 days" in out.out
    code, out = run(capsys, "--explain", "suspensions_90d", "--json")
    assert json.loads(out.out)["name"] == "suspensions_90d"
    code, out = run(capsys, "--list")
    assert (code, len(out.out.splitlines())) == (0, len(catalogue().features))


def test_no_template_is_shown_to_a_reader():
    shown = [page(), listed(), *(explained(f.name)[1] for f in catalogue().features)]
    assert [text for text in shown if "{" in text or "(s)" in text or "…" in text] == []


def test_a_user_feature_without_an_example_leaves_its_values_open():
    feature = dataclasses.replace(
        catalogue().by_name["sen_plan"], name="own_plan", says=(fact("Plans: {own_plan:.0f}"),)
    )
    assert example_of_side(feature, raises=True) == "Plans: …"


def test_an_unknown_feature_is_a_usage_error_that_names_similar_ones(capsys):
    code, out = run(capsys, "--explain", "suspension_90d")
    assert (code, out.out) == (2, "")
    assert "Did you mean suspensions_90d" in out.err

"""The page, the list and the explanation of features say the same from one place."""

import json

import pytest

from features.catalogue import catalogue
from features.feature_docs import PAGE, explained, page
from serving.cli.main import main


def said(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(["features", *arguments])
    return left.value.code, capsys.readouterr()


def test_the_page_is_current_and_can_be_read():
    assert PAGE.read_text(encoding="utf-8") == page(), "run 'make docs' and commit it"
    assert page().count("\n") < 3000


def test_every_feature_is_explained_with_what_it_needs_and_an_example():
    for f in catalogue().features:
        data, text = explained(f.name)
        assert data["missing_without"] == list(f.sources)
        assert data["examples"], f.name
        assert all(e["text"] in text for e in data["examples"])
        assert f.raises in text


def test_the_verb_explains_one_and_lists_all(capsys):
    code, out = said(capsys, "--explain", "suspensions_90d")
    assert (code, out.err) == (0, "")
    assert "has to give\n  as_of      | suspensions_90d\n  2025-01-14 | 3\n" in out.out
    assert "Suspended {suspensions_90d:.0f} time(s) in the last 90 days" in out.out
    code, out = said(capsys, "--explain", "suspensions_90d", "--json")
    assert json.loads(out.out)["name"] == "suspensions_90d"
    code, out = said(capsys, "--list")
    assert (code, len(out.out.splitlines())) == (0, len(catalogue().features))


def test_a_feature_that_is_not_there_is_wrong_usage_and_near_ones_are_named(capsys):
    code, out = said(capsys, "--explain", "suspension_90d")
    assert (code, out.out) == (2, "")
    assert "Did you mean suspensions_90d" in out.err

"""The models' page: drift from list to list, and the gates' latest verdicts."""

import json
import re
from types import SimpleNamespace

import pytest

from serving.pages.model_figures import (
    GROUP_FIGURES,
    SHARE,
    all_figures,
    groups,
    lists,
    plain_name,
    reliability,
    two_digits,
)
from serving.pages.views import model
from tests.support.browsing import holds
from training.evaluation.fairness_report import FIGURES
from training.evaluation.fairness_table import figure_text
from training.explanation.importance import importance
from training.measures.intervals import Interval

TESTED = {
    "reliability": [
        {"told": 0.01, "seen": 0.02, "snapshots": 1003.0},
        {"told": 0.05, "seen": 0.01, "snapshots": 300.0},
        {"told": 0.2, "seen": 0.25, "snapshots": 100.0},
    ],
    "at_capacity": {
        "top_25_a_list": {"precision": 0.08, "recall": 0.077},
        "top_8_a_list": {"precision": 0.126, "recall": 0.026},
        "top_1.0%": {"precision": 0.1, "recall": 0.04},
    },
    "intervals": {"top_8_a_list.precision": [0.0, 0.2086], "top_25_a_list.precision": [None, None]},
}
CARD = {
    "sections": [
        {
            "fields": [
                {
                    "key": "groups",
                    "value": {
                        "headers": ["group", "value", "children", "listing rate", "recall"],
                        "rows": [
                            ["Sex", "F", "1,230", "3.2% (2.1% to 4.4%)", "20.0% (10.0% to 31.0%)"],
                            ["Sex", "M", "1,300", "3.0% (2.0% to 4.0%)", "[c]"],
                        ],
                    },
                }
            ]
        }
    ]
}

GATE = {
    "code": "G001",
    "title": "better than <the champion>",
    "passed": False,
    "measured": "lead -0.0737",
    "limit": "at least 0",
}


def test_each_list_shows_its_mean_risk(site, visit):
    page = visit("analyst").get("/model").text
    assert "28 April 2025" in page
    assert "21 April 2025" in page
    newest = [s.risk for s in site.scores]
    assert two_digits(sum(newest) / len(newest)) in page
    assert f">{5 * round(len(newest) / 5)}<" in page, "rounded, so that a list does not give away who came or left"


def test_another_authority_has_no_list_there(visit):
    assert visit("stranger").get("/model").status_code == 403


def test_the_gates_are_shown_as_last_evaluated(visit, monkeypatch):
    client = visit("analyst")
    assert "The gates were not asked yet" in client.get("/model").text
    line = {"action": "refused", "version": 3, "by": "ann", "why": "autumn", "gates": [GATE]}
    monkeypatch.setattr(model, "readable", lambda file: [{**line, "version": 2}, line, {"action": "judged"}])
    page = client.get("/model").text
    assert "Version 3 was refused. ann asked for it: autumn" in page
    assert "G001: better than &lt;the champion&gt;" in page
    assert "lead -0.0737" in page


def test_each_version_leads_to_its_run_in_mlflow(site, visit, monkeypatch):
    version = int(site.scores[0].model_version)
    log = [{"action": "registered", "version": v, "run_id": f"0af{v}"} for v in (version, version + 1)]
    monkeypatch.setattr(model, "readable", lambda file: log)
    links = re.findall(r'href="([^"]*/runs/[^"]*)"', visit("analyst").get("/model").text)
    assert links == [f"http://127.0.0.1:5000/#/runs/0af{version}"]
    assert model._runs("", log) == {}, "where nobody said where MLflow's pages are"


@pytest.fixture
def tested(tmp_path):
    """The pictures of a model that was tested on lists, with a card that compares groups."""
    (tmp_path / "card.json").write_text(json.dumps(CARD))
    manifest = SimpleNamespace(
        candidate="ridge", metrics={"ridge": TESTED}, catalogue=[{"name": "a", "raises": "Was away … time(s)"}]
    )
    return all_figures(SimpleNamespace(manifest=manifest, importance={"a": 0.75, "b_c": 0.25}), tmp_path)


def test_points_lie_where_their_figures_are_and_small_counts_are_merged():
    drawn = reliability(TESTED)
    assert (drawn.lowest, drawn.highest) == (0.01, 1.0)
    assert [p["children"] for p in drawn.points] == [1305, 100], "three of 300 are too few to show"
    last = drawn.points[-1]
    assert (last["told"], last["seen"]) == (0.2, 0.25)
    assert last["x"] == round(100 * (2 + -0.69897), 1)
    assert reliability({"reliability": TESTED["reliability"][:1]}) is None
    assert reliability({}) is None


def test_lists_and_groups_keep_their_order_and_hide_what_the_card_hides(tested, tmp_path):
    assert [f.name for f in tested["lists"]["precision"]] == ["8", "25"]
    assert (tested["lists"]["precision"][0].low, tested["lists"]["precision"][1].low) == (0.0, None)
    assert lists({}) == {}
    assert [f.name for f in tested["groups"]["listing_rate"]] == ["Sex: F", "Sex: M"]
    assert [(f.name, f.value, f.low, f.high) for f in tested["groups"]["recall"]] == [("Sex: F", 0.2, 0.1, 0.31)]
    (tmp_path / "card.json").write_text("{")
    assert groups(tmp_path) == groups(None) == {}


def test_the_cards_own_figures_and_headings_are_read():
    assert set(GROUP_FIGURES.values()) <= set(FIGURES)
    assert all(heading == name.replace("_", " ") for heading, name in GROUP_FIGURES.items())
    text = figure_text("recall", Interval(0.2, 0.1, 0.31), hidden=False)
    assert SHARE.fullmatch(text).groups() == ("20.0", "10.0", "31.0")
    assert not SHARE.fullmatch(figure_text("recall", None, hidden=True))


def test_a_figure_has_a_plain_name(tested):
    assert [f.name for f in tested["important"]] == ["Was away … times", "b_c"]
    assert plain_name({"name": "in_year_6", "raises": ""}) == "in year 6"


BOOSTER = """tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=binary sigmoid:1
feature_names=a b
tree_sizes=1 1

Tree=0
num_leaves=3
num_cat=0
split_feature=0 1
split_gain=3 1
threshold=0.5 0.5
decision_type=2 2
left_child=1 -2
right_child=-1 -3
leaf_value=0.1 0.2 0.3
leaf_weight=1 1 1
leaf_count=1 1 1
internal_value=0 0
internal_weight=3 2
internal_count=3 2
is_linear=0
shrinkage=1

Tree=1
num_leaves=1
num_cat=0
split_feature=
split_gain=
threshold=
decision_type=
left_child=
right_child=
leaf_value=0
leaf_weight=
leaf_count=3
internal_value=
internal_weight=
internal_count=
is_linear=0
shrinkage=1

end of trees
"""


@pytest.mark.parametrize(
    ("parts", "shares"),
    [
        ({"booster": 1.0}, {"a": 0.75, "b": 0.25}),
        ({"ridge": 1.0}, {"b": 0.8, "a": 0.2}),
        ({"ridge": 0.5, "booster": 0.5}, {"b": 0.525, "a": 0.475}),
        ({"ridge": 0.75, "booster": 0.25}, {"b": 0.6625, "a": 0.3375}),
    ],
)
def test_a_models_shares_sum_to_one_and_the_largest_comes_first(parts, shares):
    ridge = {"slope": [-1.0, 0.5], "low": [0.0, 0.0], "high": [1.0, 8.0], "intercept": 0.0, "strength": 0.1}
    ridge |= {name: [0.0, 0.0] for name in ("centre", "missing", "mean")}
    found = importance(BOOSTER, SimpleNamespace(parts=parts, features=["a", "b"], ridge=ridge))
    assert list(found) == list(shares)
    assert found == pytest.approx(shares)
    stumps = BOOSTER.replace("split_gain=3 1", "split_gain=0 0")
    assert importance(stumps, SimpleNamespace(parts={"booster": 1.0}, features=["a", "b"], ridge={})) == {}


def test_the_page_has_pictures_with_their_figures_beside_them_and_holds(site, visit, signed_in, monkeypatch, tested):
    plain = visit("analyst").get("/model").text
    assert "What the model rests on" in plain
    assert "Groups were not compared when this version was trained." in plain
    monkeypatch.setattr(model, "all_figures", lambda *given: tested)
    html = visit("analyst").get("/model").text
    for text in ("13% (95% interval 0% to 21%)", "20% (95% interval 10% to 31%)", "75%", "Was away … times"):
        assert text in html, text
    for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        assert "<text" not in svg
    page = signed_in("analyst")
    page.route("**/model", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{site.url}/model")
    assert page.locator("circle").count() == 2
    holds(page)
    page.emulate_media(media="print")
    assert page.locator(".onroll-square").is_visible()

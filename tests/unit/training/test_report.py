"""The extended report: complete, self-contained, readable without pictures, and safe to share."""

import re
from dataclasses import replace

import pytest

from training.evaluation.feature_importance import explained, made_up_score
from training.evaluation.mistakes import profile
from training.evaluation.seen_pupils import seen_and_unseen
from training.papers import files_of
from training.papers.report_capacity import found, lift, net_benefit
from training.papers.report_lists import merged
from training.pipeline import finite


@pytest.fixture(scope="session")
def report(material, trained):
    """The report, with fixed figures for the slowest parts."""
    _, _, result, _ = trained
    name = result.manifest.candidate
    more = {
        "capacity": 25,
        "seen_and_unseen": seen_and_unseen(result.predictions, name, 25),
        "mistakes": profile(result.predictions, name, 25),
        **explained(result, 1),
        "made_up_child": made_up_score(result),
        "weekly": {
            "weeks": ["2025-04-28"] * 6,
            "capacity": 8,
            "went_missing": 43,
            "listed": 21,
            "lead_days": [7.0, 31.0, 62.0],
            "kept": 0.91,
            "new_children": 2.2,
        },
        "themes": {
            "attendance": {"features": 30, "lost": 0.11, "interval": [0.02, 0.2]},
            "moves": {"features": 9, "lost": 0.01, "interval": [None, None]},
        },
        "other_authorities": {
            "801": {"positives": 40, "snapshots": 900, "average_precision": 0.1234, "with_its_own_past": 0.2},
            "802": {"positives": 6, "snapshots": 80, "average_precision": 0.9876, "with_its_own_past": 0.3},
        },
        "learning_curve": [
            {"of": "authorities", "number": n, "positives": 9 * n, "average_precision": 0.1 * n} for n in (1, 2)
        ],
        "proxies": [
            {"group": "sex", "value": "female", "title": "girls", "auc": 0.61, "top": [("absent_rate_90d", 0.3)]}
        ],
    }
    return files_of(replace(material, report={**material.report, **finite(more)}))["report.html"]


def test_the_report_answers_the_questions_asked_of_a_model(report):
    headings = [h.split("<")[0].split(">")[1] for h in report.split("<h2 ")[1:]]
    assert headings == [
        "In short",
        "The question",
        "Training and test data",
        "Candidates compared",
        "What a team finds",
        "Detection and prediction",
        "The summer, before it",
        "Are the risks right?",
        "How early, and how much a list changes",
        "Does it generalise?",
        "Who is listed, by group",
        "Who was missed, and who was wrongly listed",
        "How the model reasons",
        "What drives the scores, and the limits of the model",
    ]
    for words in (
        "schools and areas alone",
        "half of them at least 31 days before",
        "91% of a list stayed the same",
        "Left a state roll",
        "training authorities",
    ):
        assert words in report


def test_the_report_needs_nothing_from_outside_and_can_be_read_without_pictures(report, tags):
    page_tags = tags(report)
    assert ("html", {"lang": "en-GB"}) in page_tags.seen
    assert page_tags.headings == [1] + [2] * 14
    images = [a for t, a in page_tags.seen if t == "img"]
    assert len(images) >= 12
    assert all(re.match(r"data:image/(svg\+xml|png);base64,", a["src"]) and len(a["alt"]) > 30 for a in images)
    tables = report.count("<table>")
    assert tables == report.count("<caption>") >= 10
    assert not {t for t, _ in page_tags.seen} & {"script", "link", "iframe", "object"}
    assert "http" not in re.sub(r'"data:image[^"]+"', "", report)
    ids = [a["id"] for _, a in page_tags.seen if "id" in a]
    assert len(ids) == len(set(ids))


def test_the_report_names_no_pupil_and_hides_a_few(report, trained):
    ids = trained[2].frame["pupil_id"].unique().to_list()
    assert not any(i in report for i in ids)
    assert "0.9876" not in report
    assert "0.988" not in report  # of six children
    assert "0.123" in report


def test_the_report_draws_what_data_scientists_look_for_with_the_figures_beside_it(report):
    for picture, table in (
        ("Beeswarm of the 12 features", "The beeswarm as a table"),
        ("Mean contribution by the value of", "By value: "),
        ("Waterfall of the score of a made-up child", "The made-up child&#39;s score"),
    ):
        assert picture in report
        assert table in report
    assert report.count("Mean contribution by the value of") == report.count("<caption>By value: ") == 5


def test_figures_that_the_tables_hide_are_not_drawn_and_others_are(material):
    assert found(material) is lift(material) is None  # a handful went missing
    assert list(net_benefit(material)) == []
    many = replace(material.manifest, metrics=with_many_outcomes(material))
    shown = replace(material, manifest=many)
    assert found(shown).alt.startswith("Precision and recall")
    assert lift(shown)
    assert len(list(net_benefit(shown))) == 2


def with_many_outcomes(material):
    """Return the figures of a run in which half of each list went missing."""
    name, figures = material.manifest.candidate, material.figures
    at = {k: {**v, "precision": 0.5, "recall": 0.4, "lift": 40.0} for k, v in figures["at_capacity"].items()}
    worth = {"reached": 40.0, "reached_interval": [30.0, 50.0], "reviewed": 100.0}
    worth |= {f"net_benefit_1_in_{n}{of}": v for n in (20, 50) for of, v in (("", 30.0), ("_interval", [9.0, 50.0]))}
    decision = {f"top_{n}_a_list": {"model": worth, "present": worth} for n in (10, 25, 50, 100)}
    decision |= {"lists_a_year": 3.0, "judged_days": 6}
    return {**material.manifest.metrics, name: {**figures, "at_capacity": at, "positives": 900, "decision": decision}}


def test_the_report_escapes_text_from_users(material):
    definition = replace(material.task.definition, title="<script>alert(1)</script>")
    renamed = replace(material, task=replace(material.task, definition=definition))
    assert "<script" not in files_of(renamed)["report.html"]


def test_points_of_calibration_rest_on_more_than_a_few(material):
    points = [
        {"told": 0.01, "seen": 0.002, "snapshots": 500.0},
        {"told": 0.02, "seen": 0.05, "snapshots": 400.0},
        {"told": 0.5, "seen": 0.3, "snapshots": 10.0},
    ]
    (only,) = merged(points)
    assert only["snapshots"] == 910
    assert only["seen"] == 25 / 910
    assert merged([{"told": 0.1, "seen": 0.1, "snapshots": 20.0}]) == []

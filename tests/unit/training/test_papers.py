"""The papers of a run: complete after training with the authority's facts; every missing mandatory field is named."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from features import matrix
from features.catalogue import catalogue
from features.groups.grouping import grouped
from features.outcome.label import label
from histories.errors import Faults
from histories.reading.histories import Histories
from histories.tables import TABLES
from training.fitting.helped import AS_THEY_CAME, LEAVE_OUT, NOBODY, UNTREATED, WORDS
from training.papers import Authority, atrs, dpia, empty_fields, files_of, model_card, report_page, write
from training.papers.forms import ATRS, DPIA, FORMS, MODEL_CARD
from training.papers.model_card import PARTS_ARE_LEARNED, learns_from_parts
from training.papers.rendering import files
from training.papers.used import JUDGED, SHOWN, UNUSED, use_of
from training.task import Task


def papers_of(material):
    return {name: paper.to_dict() for name, paper in write(material).items()}


def test_no_mandatory_field_is_empty_after_a_training(material):
    assert empty_fields(papers_of(material)) == []


def test_the_card_has_the_nine_headings_and_the_record_its_tiers():
    titles = [s.title for s in MODEL_CARD.sections]
    assert titles == [
        "Model details",
        "Intended use",
        "Factors",
        "Metrics",
        "Evaluation data",
        "Training data",
        "Quantitative analyses",
        "Ethical considerations",
        "Caveats and recommendations",
    ]
    tiers = {s.title.split(":")[0] for s in ATRS.sections}
    assert tiers == {"Metadata", "Tier 1", "Tier 2.1", "Tier 2.2", "Tier 2.3", "Tier 2.4", "Tier 2.5"}


def test_every_field_that_is_taken_away_is_named(material):
    papers = papers_of(material)
    for form in FORMS:
        for section in papers[form.name]["sections"]:
            for field in list(section["fields"]):
                name = f"{form.name}.{section['key']}.{field['key']}"
                for empty in (None, "", "  ", [], ["", " "], {"headers": ["a"], "rows": []}, "not provided: say it"):
                    value, field["value"] = field["value"], empty
                    assert empty_fields(papers) == [name]
                    field["value"] = value
                place = section["fields"].index(field)
                section["fields"].remove(field)
                assert empty_fields(papers) == [name]
                section["fields"].insert(place, field)
        without = {name: paper for name, paper in papers.items() if name != form.name}
        assert empty_fields(without) == [f"{form.name}.{k}" for k in form.keys]
    assert empty_fields({}) == [f"{form.name}.{k}" for form in FORMS for k in form.keys]


def test_every_fact_of_the_authority_is_asked_for(material):
    """Without a fact, its fields are reported as not provided, by name."""
    facts = material.facts.facts
    for key in facts:
        less = replace(material, facts=Authority({k: v for k, v in facts.items() if k != key}))
        papers = papers_of(less)
        missing = empty_fields(papers)
        wanted = [f"{f.name}.{s.key}.{x.key}" for f in FORMS for s in f.sections for x in s.fields if x.fact == key]
        assert missing == wanted != []
        for name, text in files(write(less)).items():
            if name.startswith({"model_card": "card"}.get(wanted[0].split(".")[0], wanted[0].split(".")[0])):
                assert f"set {key}".replace("_", "\\_" if name.endswith(".md") else "_") in text or name.endswith(
                    ".json"
                )


@pytest.mark.parametrize(
    ("taken", "named"),
    [
        (
            {"report": {}},
            {"model_card.factors.evaluated", "model_card.quantitative.groups", "model_card.quantitative.pairs"},
        ),
        (
            {"tables": []},
            {
                "dpia.tables.given",
                "dpia.tables.columns",
                "dpia.minimisation.not_used",
                "dpia.people.special_categories",
                "atrs.model.datasets",
                "atrs.model.input",
                "atrs.operational_data.sources",
            },
        ),
    ],
)
def test_an_input_of_the_run_that_is_taken_away_is_named(material, taken, named):
    assert named <= set(empty_fields(papers_of(replace(material, **taken))))


def test_facts_missing_from_the_manifest_are_named(material):
    bare = replace(material, manifest=replace(material.manifest, catalogue=[], limits=[], leads={}))
    named = {"dpia.features.features", "model_card.caveats.limits", "model_card.quantitative.leads"}
    assert named <= set(empty_fields(papers_of(bare)))


def test_the_annex_says_every_table_column_and_feature(material):
    papers = papers_of(material)["dpia"]["sections"]
    fields = {f"{s['key']}.{f['key']}": f["value"] for s in papers for f in s["fields"]}
    assert {r[0] for r in fields["features.features"]["rows"]} == {f.name for f in catalogue().features}
    uses = {(r[0], r[1]): r[3] for r in fields["tables.columns"]["rows"]}
    assert set(uses) == {(t.name, c) for t in material.tables for c in TABLES[t.name].columns}
    assert uses["pupils", "ethnicity"] == uses["fsm", "start_date"] == JUDGED
    assert DPIA.keys[0] == "purpose.purpose"


def test_columns_reported_as_unused_change_nothing(tmp_path, small_histories):
    """Blank the columns declared as unused or for evaluation only: features and labels (and groups, if unused) stay the same."""
    from datetime import date

    days = [date(2025, 1, 13)]
    whole, other = Histories.open(small_histories), _blanked(small_histories, tmp_path / "unused", {UNUSED, SHOWN})
    judged = _blanked(small_histories, tmp_path / "judged", {UNUSED, SHOWN, JUDGED})
    definition = Task().definition
    for changed in (other, judged):
        assert matrix(changed, days).equals(matrix(whole, days))
        assert label(changed, days, definition).equals(label(whole, days, definition))
    assert grouped(other, days).equals(grouped(whole, days))
    assert not grouped(judged, days).equals(grouped(whole, days))


def _blanked(folder, out, uses):
    out.mkdir()
    for file in folder.glob("*.parquet"):
        frame = pl.read_parquet(file)
        if file.stem in TABLES:
            named = [c for c in frame.columns if c in TABLES[file.stem].columns and use_of(file.stem, c) in uses]
            if set(frame.columns) == set(named):
                continue
            frame = frame.with_columns(pl.lit(None, frame.schema[c]).alias(c) for c in named)
        frame.write_parquet(out / file.name)
    return Histories.open(out)


def with_part_days(material, later=3):
    """The material of a run whose newest training days are known only in part."""
    trained_on = material.manifest.trained_on
    parts, first = trained_on[len(trained_on) - later :], material.splits.origins[0]
    manifest = replace(material.manifest, newest_labelled=trained_on[-1 - later])
    splits = replace(
        material.splits,
        dates=material.splits.dates[: len(trained_on) - later],
        origins=[replace(first, partly=(first.day,)), *material.splits.origins[1:]],
        later=parts,
    )
    return replace(material, manifest=manifest, splits=splits)


@pytest.mark.parametrize(
    ("way", "helped", "said"),
    [(AS_THEY_CAME, 0, False), (AS_THEY_CAME, 3, True), (LEAVE_OUT, 0, True), (NOBODY, 0, True), (UNTREATED, 3, True)],
)
def test_the_card_says_how_outcomes_after_help_were_learnt(material, way, helped, said):
    asked = replace(material, helped=helped, task=replace(material.task, helped=way))
    assert (WORDS[way] in str(model_card.values(asked)["training_data.preprocessing"])) is said


@pytest.mark.parametrize("learned", [True, False])
def test_card_and_report_say_whether_parts_of_windows_were_learned_from(material, learned):
    asked = with_part_days(material) if learned else material
    assert (PARTS_ARE_LEARNED in str(model_card.values(asked)["training_data.preprocessing"])) is learned
    assert (PARTS_ARE_LEARNED in report_page.time(asked).text) is learned
    adopted = replace(asked.manifest, parent={"name": "onroll"})
    assert not learns_from_parts(adopted)


def test_days_known_in_part_are_counted_apart_from_the_others(material):
    asked = with_part_days(material)
    whole, part, n = asked.manifest.whole_days, asked.manifest.part_days, len(asked.manifest.trained_on)
    assert (len(whole), len(part)) == (n - 3, 3)
    rows = model_card.origins(asked)
    assert rows[0][1].endswith("the known part of 1 later day")
    assert rows[-1][1] == f"{n - 3} days, {whole[0]} to {whole[-1]}, and the known part of 3 later days"
    card, annex, record = (values.values(asked) for values in (model_card, dpia, atrs))
    assert f"on {n - 3} days, {whole[0]} to {whole[-1]}" in card["training_data.datasets"]
    assert f"3 later days, {part[0]} to {part[-1]}" in card["training_data.datasets"]
    assert f"at least one of {n - 3} days. Of 3 later days" in annex["people.children"]
    assert f"{n - 3} days, and the known part of 3 later days, " in record["development_data.quantities"]
    assert f"{n - 3} days of histories, and the known part of 3 later days." in report_page.summary(asked).text[0]
    assert "later day" not in str([model_card.values(material), dpia.values(material), atrs.values(material)])


def test_pages_are_complete_with_language_and_ordered_headings_and_load_nothing_from_outside(material, tags):
    for name, text in files_of(material).items():
        if name.endswith(".html"):
            page_tags = tags(text)
            assert ("html", {"lang": "en-GB"}) in page_tags.seen
            assert page_tags.headings[0] == 1
            assert all(b <= a + 1 for a, b in zip(page_tags.headings, page_tags.headings[1:], strict=False))
            assert not {t for t, _ in page_tags.seen} & {"script", "link", "iframe"}
            assert all(a.get("src", "data:").startswith("data:") for _, a in page_tags.seen)
        elif name.endswith(".json"):
            assert json.loads(text)["sections"]


def test_text_of_the_authority_is_escaped_in_every_format(material):
    facts = {**material.facts.facts, "organisation.name": "<script>x</script> | **A** & B\n# C"}
    papers = files_of(replace(material, facts=Authority(facts)))
    for name, text in papers.items():
        if name.endswith(".html"):
            assert "<script" not in text
        if name == "card.md":
            assert "<script" not in text.replace("\\<", "")
            assert "\n# C" not in text
            assert "**A**" not in text


def test_papers_name_no_pupil(material, trained):
    ids = trained[2].frame["pupil_id"].unique().to_list()
    text = "\n".join(files_of(material).values())
    assert not any(i in text for i in ids)


def test_facts_are_checked_all_at_once(tmp_path):
    file = tmp_path / "f.yaml"
    file.write_text(
        "organisation: {name: A, nmae: B}\nuse: [1]\nother: 1\nrisks:\n  - name: a\nimpact_assessments: x\n"
    )
    with pytest.raises(Faults) as refused:
        Authority.load(file)
    where = [f.where.removeprefix(f"{file}, ") for f in refused.value.faults]
    assert sorted(where) == [
        "impact_assessments",
        "organisation.nmae",
        "other",
        "risks, entry 1, description",
        "risks, entry 1, mitigation",
        "use",
    ]
    assert "Did you mean name?" in str(refused.value)
    for text in ("a: [", "- a", "\udcff"):
        file.write_bytes(text.encode(errors="surrogateescape"))
        with pytest.raises(Faults):
            Authority.load(file)
    with pytest.raises(Faults, match="cannot be opened"):
        Authority.load(tmp_path / "nowhere.yaml")
    assert Authority.load(None)["organisation.name"] is None


def test_without_a_third_party_the_rest_does_not_apply(tmp_path):
    file = tmp_path / "f.yaml"
    file.write_text("third_party: {involved: no}\n")
    assert Authority.load(file)["third_party.role"].startswith("not applicable")
    file.write_text("third_party: {involved: A company}\n")
    assert Authority.load(file)["third_party.role"] is None


def test_counts_of_a_few_are_hidden(material):
    few = replace(
        material.manifest,
        metrics={
            **material.manifest.metrics,
            material.manifest.candidate: {**material.figures, "positives": 5, "observed": 5.0, "expected": 4.0},
        },
    )
    papers = papers_of(replace(material, manifest=few, children=np.int64(3)))
    text = json.dumps(papers)
    assert "[c] children" in text
    assert "of which [c] went missing" in text

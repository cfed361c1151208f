"""What MLflow is given of a version: a made-up child as the example of the input, whose records say what its story says, and the card in short."""

from datetime import date

from training.made_up_child import AS_OF, STORY, made_up_features, rows
from training.release import registry
from training.release.mlflow_model import input_example, signature
from training.release.registry import MAX_DESCRIPTION, WHOLE_CARD, description_of
from training.risk_model import RiskModel


def test_the_features_are_those_of_the_story():
    child = made_up_features().iloc[0]
    assert {
        "in_year_moves_all": 1,
        "temporary_home": 1,
        "suspensions_365d": 1,
        "suspended_sessions_365d": 4,
        "absent_rate_14d": 0.8,
        "trailing_absent_sessions": 8,
        "early_help_open": 1,
        "sen_support": 1,
    }.items() <= child.to_dict().items()
    for words in (
        "SEN support",
        "early help",
        "changed school",
        "temporary home",
        "suspended for two days",
        "four of the five days",
    ):
        assert words in STORY


def test_the_register_says_that_the_child_was_suspended():
    marks = [row for row in rows()["attendance"] if row["code"] == "E"]
    (suspension,) = rows()["suspensions"]
    assert len(marks) == suspension["sessions"]
    assert min(row["date"] for row in marks) == suspension["start_date"]


def test_nothing_is_recorded_on_the_day_itself():
    dates = [date.fromisoformat(str(row["date"])) for row in rows()["attendance"]]
    assert max(dates) < AS_OF


def test_the_example_of_the_input_fits_every_model_and_can_be_scored(bundle):
    model = RiskModel.load(bundle)
    example = input_example(model.manifest)
    assert list(example.columns) == [c.name for c in signature(model.manifest).inputs]
    assert example.notna().sum(axis=1).item() > 80
    assert 0 < model.predict(example).risk.item() < 1
    model.manifest.features = ["absent_rate_14d", "a_feature_of_an_older_catalogue"]
    assert list(input_example(model.manifest).columns) == model.manifest.features


def test_the_description_for_mlflow_is_the_card_in_short_and_fits(material, monkeypatch):
    text = description_of(material.manifest, material)
    assert len(text) <= MAX_DESCRIPTION
    assert WHOLE_CARD in text
    assert "### Out-of-scope uses" in text
    material.manifest.limits.extend(["A very long limit. " * 40] * 8)
    try:
        cut = description_of(material.manifest, material)
        assert len(cut) <= MAX_DESCRIPTION
        assert cut.endswith("…")
    finally:
        del material.manifest.limits[-8:]
    assert text.index("### Limits") < text.index("### Calibration")  # what is cut are figures
    monkeypatch.setattr(registry, "card_in_short", lambda material: "x" * 9000)
    assert len(description_of(material.manifest, material)) <= MAX_DESCRIPTION

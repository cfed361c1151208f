"""A bundle is verified file by file before anything of it is believed."""

import dataclasses
import json

import pytest

from histories.faults import Faults
from tests.unit.explained_model import DECLARED, FEATURES, grown, manifest
from training.bundle import Band, Calibrator, Manifest, read_bundle, write_bundle, write_sums
from training.risk_model import RiskModel


@pytest.fixture
def bundle(tmp_path):
    return write_bundle(tmp_path / "v3", grown().model_to_string(), manifest(), "# Card\n")


def test_a_bundle_comes_back_as_it_was_written(bundle, tmp_path):
    again, booster = read_bundle(bundle)
    assert again == manifest()
    assert booster == grown().model_to_string()
    copy = write_bundle(tmp_path / "copy", booster, again, "# Card\n")
    assert all((copy / p.name).read_bytes() == p.read_bytes() for p in bundle.iterdir())


def test_a_folder_with_something_in_it_is_not_written_over(bundle):
    with pytest.raises(Faults, match="is not empty"):
        write_bundle(bundle, "", manifest(), "")


@pytest.mark.parametrize("name", ["booster.txt", "manifest.json", "card.md", "SHA256SUMS"])
def test_a_missing_file_is_named(bundle, name):
    (bundle / name).unlink()
    with pytest.raises(Faults, match=f"{name}: is missing"):
        RiskModel.load(bundle)


@pytest.mark.parametrize("name", ["booster.txt", "manifest.json", "card.md"])
def test_an_altered_file_is_named(bundle, name):
    (bundle / name).write_bytes((bundle / name).read_bytes() + b" ")
    with pytest.raises(Faults, match=f"{name}: was altered"):
        RiskModel.load(bundle)


def test_all_that_is_wrong_is_said_at_once(bundle):
    (bundle / "model.pkl").write_bytes(b"")
    (bundle / "card.md").unlink()
    (bundle / "SHA256SUMS").write_bytes(b"\xff\xfe nonsense")
    with pytest.raises(Faults) as caught:
        RiskModel.load(bundle)
    assert [(f.where.rpartition("/")[2], f.what) for f in caught.value.faults] == [
        ("SHA256SUMS, booster.txt", "has no checksum"),
        ("SHA256SUMS, manifest.json", "has no checksum"),
        ("SHA256SUMS, card.md", "has no checksum"),
        ("card.md", "is missing"),
        ("model.pkl", "does not belong to a bundle"),
    ]


def test_no_folder_is_said(tmp_path):
    with pytest.raises(Faults, match="is not a folder"):
        RiskModel.load(tmp_path / "none")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": None, "drop": True}, "manifest.json, seed: is missing"),
        ({"colour": "red"}, "manifest.json, colour: is not a key"),
        ({"calibrator": [1, 2]}, "shape of a manifest"),
        ({"calibrator": {"a": -1.0, "b": 0.0}}, "calibrator, a: is not above 0"),
        ({"bands": []}, "no band that begins at 0"),
        ({"bands": [{"name": "high", "at_least": 0.5}]}, "no band that begins at 0"),
        ({"features": [*FEATURES, "more"]}, "catalogue, more: has no declaration"),
        ({"features": [*FEATURES, "secret"]}, "names a feature twice"),
        ({"themes": {"attendance": "A", "moves": "M", "pupil": "P"}}, "marks_late: is under a theme"),
    ],
)
def test_a_manifest_that_is_not_one_is_refused_by_its_key(changes, said):
    data = json.loads(manifest().to_json())
    if changes.pop("drop", False):
        data.pop(next(iter(changes)))
    else:
        data |= changes
    with pytest.raises(Faults, match=said):
        Manifest.from_json(json.dumps(data))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null"])
def test_what_is_no_json_object_is_refused(text):
    with pytest.raises(Faults, match="is not"):
        Manifest.from_json(text)


def test_a_manifest_holds_no_number_that_json_has_not():
    with pytest.raises(ValueError, match="JSON"):
        manifest(calibrator=Calibrator(float("nan"), 0.0)).to_json()


def test_trees_of_another_column_order_are_refused(tmp_path):
    swapped = [FEATURES[1], FEATURES[0], *FEATURES[2:]]
    text = grown().model_to_string()
    folder = write_bundle(tmp_path / "v4", text, manifest(features=swapped), "")
    with pytest.raises(Faults, match="in another order"):
        RiskModel.load(folder)


def test_sentences_are_checked_when_the_model_is_loaded(tmp_path):
    wrong = [dataclasses.replace(DECLARED[0], raises="Because of {gone}"), *DECLARED[1:]]
    folder = write_bundle(tmp_path / "v4", grown().model_to_string(), manifest(catalogue=wrong), "")
    with pytest.raises(Faults, match="claims a cause"):
        RiskModel.load(folder)


def test_the_sums_can_be_written_anew(bundle):
    (bundle / "card.md").write_text("# Another card\n")
    write_sums(bundle)
    assert RiskModel.load(bundle).manifest.bands == [Band("high", 0.3), Band("low", 0.0), Band("medium", 0.1)]

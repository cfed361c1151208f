"""A model trained before a feature was added loads and scores the same; a model is refused if a feature it uses has changed."""

import dataclasses
import json
import tarfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import narwhals as nw
import numpy as np
import pytest

from features.catalogue import SHIPPED, install
from features.feature import Feature, Tally, plain
from features.matrix import matrix
from histories.errors import Faults
from histories.reading.histories import Histories
from tests.support.released import release
from training.bundle import read_bundle, write_bundle
from training.catalogue_match import EARLIER, MENDED, changed_features
from training.fitting.candidates import Learning, boosted
from training.risk_model import RiskModel

DAY = date(2025, 1, 13)
MADE_BEFORE = Path(__file__).parents[2] / "fixtures" / "made_before"
NEW_TALLY = {"help_180": Tally(table="interventions", days=180)}
NEW_FEATURE = Feature(
    name="help_180d",
    theme="support",
    expression=plain("help_180"),
    raises="Help in the last 180 days: {help_180d:.0f}",
    lowers="No help in the last 180 days",
    sources=("interventions",),
)


@pytest.fixture(autouse=True)
def shipped_again():
    """The catalogue is global; restore the shipped one for the next test."""
    yield
    install(SHIPPED)


def changed(name, **changes):
    """Install the shipped catalogue with a change to one feature."""
    features = tuple(dataclasses.replace(f, **changes) if f.name == name else f for f in SHIPPED.features)
    install(dataclasses.replace(SHIPPED, features=features))


def with_a_new_feature():
    install(
        dataclasses.replace(
            SHIPPED,
            features=(NEW_FEATURE, *SHIPPED.features),
            tallies={**NEW_TALLY, **SHIPPED.tallies},
            themes={"support": "Support", **SHIPPED.themes},
        )
    )


def scores(folder, histories):
    scored = RiskModel.load(folder).score(Histories.open(histories), DAY)
    return json.dumps([s.to_dict() for s in scored])


RELEASED = "bad65eea43b61103f51260db034180fc3f51f7cdfaae9d978bda17bcbb59ff55"


def as_released():
    """Return a manifest as the released version wrote it: with its own wording and one digest of the whole catalogue."""
    with tarfile.open(MADE_BEFORE / "releases.tar.gz") as packed:
        manifest = json.load(packed.extractfile("onroll/v1/manifest.json"))
    return {"feature_digests": {}, "catalogue_digest": RELEASED, "catalogue": manifest["catalogue"]}


# As this version writes a manifest, and as the released one did.
FORMS = [{}, as_released()]


@pytest.fixture(scope="module")
def earlier_bundle(bundle, small_histories, tmp_path_factory):
    """A model of the released catalogue's features, to which this one has added some."""
    names = [n for n in SHIPPED.names if n in json.loads(EARLIER.read_text())[RELEASED]]
    table = matrix(Histories.open(small_histories), [DAY])
    x = np.column_stack([table[n].to_numpy(zero_copy_only=False) for n in names])
    y = (x[:, names.index("absent_rate_365d")] > 0.07).astype(float)
    settings = {**boosted.DEFAULTS, "rounds": 20, "min_data_in_leaf": 5}
    booster = boosted.train(Learning(x=x, y=y, weight=np.ones(len(y)), names=names, seed=1), settings)
    manifest = read_bundle(bundle)[1]
    declared = [d for d in manifest.catalogue if d["name"] in names]
    manifest = dataclasses.replace(manifest, features=names, catalogue=declared)
    folder = tmp_path_factory.mktemp("earlier")
    write_bundle(folder, booster.model_to_string(num_iteration=-1), manifest, {"card.md": "# card\n"})
    assert 100 < len(names) < len(SHIPPED.names)
    return folder


@pytest.fixture(params=FORMS, ids=["feature digests", "catalogue digest"])
def folder(request, tmp_path, earlier_bundle):
    return release(tmp_path, earlier_bundle, 1, **request.param)


def test_the_released_catalogue_is_among_the_earlier_ones():
    # Never change this file: newer manifests carry the digests of their features.
    earlier = json.loads(EARLIER.read_text())
    assert {len(digest) for features in earlier.values() for digest in features.values()} == {64}
    assert len(earlier[RELEASED]) == 108


def test_a_feature_added_later_changes_no_score(folder, small_histories):
    before = scores(folder, small_histories)
    with_a_new_feature()
    assert scores(folder, small_histories) == before


def test_other_wording_is_no_other_feature(folder):
    changed("sen_plan", raises="Reworded", lowers="Reworded", missing="reworded", unit="reworded")
    RiskModel.load(folder)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda: changed("sen_plan", expression=lambda: nw.lit(1.0)), ["sen_plan"]),
        (lambda: changed("sen_plan", sources=("sen", "cme")), ["sen_plan"]),
        (
            lambda: install(
                dataclasses.replace(
                    SHIPPED,
                    tallies={
                        **SHIPPED.tallies,
                        "suspensions_90": dataclasses.replace(SHIPPED.tallies["suspensions_90"], days=91),
                    },
                )
            ),
            ["suspensions_90d"],
        ),
        (
            lambda: install(dataclasses.replace(SHIPPED, features=SHIPPED.features[1:])),
            [SHIPPED.features[0].name],
        ),
    ],
    ids=["expression", "sources", "tally", "removed"],
)
def test_a_changed_feature_refuses_the_model_and_is_named(folder, change, names):
    change()
    with pytest.raises(Faults, match="made with another catalogue") as raised:
        RiskModel.load(folder)
    named = raised.value.faults[0].what.split(": ")[1].removesuffix(" changed or missing")
    assert named.split(", ") == names


def test_a_changed_feature_that_the_model_does_not_use_is_no_matter(tmp_path, bundle):
    trimmed = tmp_path / "trimmed"
    trimmed.mkdir()
    booster, manifest = read_bundle(bundle)
    features = [f for f in SHIPPED.names if f != "sen_plan"]
    header = "feature_names=" + " ".join(SHIPPED.names)
    assert header in booster
    booster = booster.replace(header, "feature_names=" + " ".join(features))
    write_bundle(trimmed, booster, replace(manifest, features=features), {"card.md": "# card\n"})
    folder = release(tmp_path, trimmed, 1)
    changed("sen_plan", expression=lambda: nw.lit(1.0))
    RiskModel.load(folder)


def test_an_unknown_catalogue_refuses_the_model(tmp_path, bundle):
    folder = release(tmp_path, bundle, 1, feature_digests={}, catalogue_digest="0" * 64)
    with pytest.raises(Faults, match=f"absent_rate_14d.* and {len(SHIPPED.names) - 5} more"):
        RiskModel.load(folder)


@pytest.mark.parametrize("at", [0, 1])
def test_a_mended_feature_of_an_earlier_model_is_no_other_feature(at):
    declared = {"features": ["offer_not_answered"], "declarations": [], "catalogue_digest": "0" * 64}
    assert changed_features(**declared, feature_digests={"offer_not_answered": MENDED["offer_not_answered"][at]}) == []
    assert changed_features(**declared, feature_digests={"offer_not_answered": "0" * 64}) == ["offer_not_answered"]

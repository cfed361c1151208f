"""A feature's digest covers what it is computed from, and nothing else changes it."""

import dataclasses

import narwhals as nw

from features.catalogue import SHIPPED

DIGESTS = SHIPPED.feature_digests(SHIPPED.names)


def changed(catalogue, declarations=None):
    """Return the features whose digest differs from the shipped catalogue's."""
    declarations = declarations or {}
    return {n for n, digest in DIGESTS.items() if catalogue.feature_digest(n, declarations.get(n)) != digest}


def with_feature(name, **changes):
    features = tuple(dataclasses.replace(f, **changes) if f.name == name else f for f in SHIPPED.features)
    return dataclasses.replace(SHIPPED, features=features)


def test_every_feature_has_its_own_digest():
    assert len(set(DIGESTS.values())) == len(SHIPPED.features)


def test_a_tally_changes_the_digests_of_the_features_that_use_it():
    other = dataclasses.replace(SHIPPED.tallies["suspensions_365"], days=366)
    catalogue = dataclasses.replace(SHIPPED, tallies={**SHIPPED.tallies, "suspensions_365": other})
    moved = changed(catalogue)
    suspensions = {n for n in DIGESTS if "suspen" in n or "exclu" in n}
    assert {"suspensions_365d", "school_suspensions_365d"} <= moved <= suspensions
    assert catalogue.digest != SHIPPED.digest


def test_an_expression_changes_the_digest_of_its_feature_alone():
    assert changed(with_feature("sen_plan", expression=lambda: nw.lit(1.0))) == {"sen_plan"}


def test_the_sources_change_a_digest_and_an_earlier_wording_does_not():
    declared = {d["name"]: d for d in SHIPPED.declarations()}
    assert changed(with_feature("sen_plan", raises="Reworded"), declared) == set()
    assert changed(with_feature("sen_plan", sources=("sen", "cme")), declared) == {"sen_plan"}

"""A feature's digest covers what it is computed from, and nothing else changes it."""

import dataclasses

import narwhals as nw
import pytest

from features.catalogue import SHIPPED
from features.counting import tallies
from features.counting.tallies import parts
from features.feature import Tally

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


# The figures of the newest sessions by the constants that they read.
READ_BY = {
    "BREAK": {"since_break_sessions", "since_break_unexplained"},
    "SUMMER": {"since_summer_sessions", "since_summer_unexplained"},
    "BITS": {"possible_bits", "unexplained_bits"},
    "EXCUSED": {"last_not_possible_days"},
}
OF_NEWEST = {"newest_sessions", "newest_unexplained", *READ_BY["BREAK"], *READ_BY["SUMMER"]}
OF_60_DAYS = {*OF_NEWEST, *READ_BY["BITS"], "possible_7", "possible_10", "marked"}
READ_BY |= {"NEWEST_SESSIONS": OF_NEWEST, "RECENT": OF_60_DAYS}


@pytest.mark.parametrize("constant", READ_BY)
def test_a_constant_changes_the_digests_of_the_figures_that_read_it(constant, monkeypatch):
    def digests(days):  # other tallies each time, since the passes are cached
        return parts({"cases": Tally(table="cme", days=days)})[0].columns

    before = digests(1)
    monkeypatch.setattr(tallies, constant, ("other",))
    after = digests(2 + list(READ_BY).index(constant))
    assert {figure for figure in before if before[figure] != after[figure]} == READ_BY[constant]

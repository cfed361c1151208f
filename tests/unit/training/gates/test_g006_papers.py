"""An empty field, a missing section or a missing paper fails the gate."""

import pytest

from tests.support.gates import LIMITS, assert_fails, assert_needs_every_input, changed, put, verdict


def empty_field(parts):
    put(parts["papers"]["model_card"]["sections"][0]["fields"][1], " ", "value")


def missing_section(parts):
    parts["papers"]["dpia"]["sections"].pop(4)


def missing_paper(parts):
    parts["papers"].pop("atrs")


@pytest.mark.parametrize("spoil", [empty_field, missing_section, missing_paper])
def test_gate_fails_for_each_reason(good, spoil):
    assert_fails("G006", good, spoil)


def test_gate_needs_every_input(good):
    assert_needs_every_input("G006", good)


def no_contact(parts):
    fields = parts["papers"]["model_card"]["sections"][0]["fields"]
    next(f for f in fields if f["key"] == "contact")["value"] = None


def test_facts_of_the_authority_are_required_where_the_limits_say_so(good):
    parts = changed(good, no_contact)
    assert "1 optional fields are" in verdict("G006", parts).measured
    assert not verdict("G006", parts, {**LIMITS, "G006": {"facts": True, "report": False}}).passed

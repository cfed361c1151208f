"""Since when a child page says that a child is off roll and nobody looks for the child."""

from datetime import date

import pytest

from histories.codes import code_set
from serving.pages.pupil_page import is_nowhere, waits_since

TODAY, LEFT, OF_AGE = date(2027, 2, 1), date(2026, 5, 15), date(2026, 12, 31)
LATE = {"kind": "case_not_opened", "started_on": OF_AGE, "due_on": date(2027, 1, 18)}


@pytest.mark.parametrize(
    ("left_on", "deadlines", "since"),
    [
        (LEFT, [LATE], LEFT),  # a leaver of Reception, for whom the duty begins with school age
        (None, [LATE], OF_AGE),  # where the child's own leaving is not kept
        (LEFT, [LATE | {"due_on": TODAY}], None),
        (LEFT, [LATE | {"kind": "destination"}], None),
        (LEFT, [], None),
    ],
)
def test_a_child_is_off_roll_since_leaving_and_not_since_the_duty_began(left_on, deadlines, since):
    assert waits_since({"left_on": left_on}, deadlines, TODAY) == since


@pytest.mark.parametrize("left_to", [None, *code_set("destination")])
def test_that_no_duty_runs_is_no_comfort_where_nobody_knows_where_a_child_is(left_to):
    place = {"left_on": LEFT, "left_to": left_to, "nc_year": 8}
    assert is_nowhere(place) == (left_to in (None, "unknown", "missing_education"))
    assert not is_nowhere(place | {"left_on": None})
    assert not is_nowhere(place | {"nc_year": 12})

"""Since when a child page says that a child is off roll and nobody looks for the child."""

from datetime import date

import pytest

from serving.pages.pupil_page import waits_since

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

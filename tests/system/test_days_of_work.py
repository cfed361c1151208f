"""What was done counts on the day it was done, not on the day it was written down."""

import pytest

from serving.store import Caller
from serving.store.cases import cases, enquiries
from serving.store.cases.done import done_since
from serving.store.cases.team_work import weeks
from tests.support.acting import ref
from tests.support.days import from_today
from tests.support.scores import score
from tests.support.stores import do

LEAD = Caller("l", "lead", "801")

# In days from today, so that the clock is asked when a test runs.
TODAY, FRIDAY, LAST_WEEK = 0, -3, -7
OF_A_DAY = ("contact", "action", "enquiry")  # what says on which day it was done
WORK = {
    "contact": (cases.contact, "spoke_well"),
    "action": (cases.act, "visit"),
    "enquiry": (
        lambda change, case, version, on, result: enquiries.enquire(
            change, case, version, on=on, source="neighbour", asked_by="authority", result=result
        ),
        "nothing",
    ),
    "snoozed": (lambda change, case, version, days: cases.snooze(change, case, version, from_today(days)), 9),
    "dismissed": (cases.dismiss, "moved"),
}


@pytest.mark.parametrize(
    ("kind", "day", "counts_today"),
    [
        *((kind, FRIDAY, False) for kind in OF_A_DAY),
        *((kind, TODAY, True) for kind in OF_A_DAY),
        ("snoozed", FRIDAY, True),  # a decision of now, whatever day it names
        ("dismissed", FRIDAY, True),
    ],
)
def test_what_was_done_before_a_list_is_not_done_since(store, kind, day, counts_today):
    today, last_week = from_today(TODAY), from_today(LAST_WEEK)
    for listed in (last_week, today):
        store.save([score("a", 1, day=listed.isoformat())])
    work, what = WORK[kind]
    on = [from_today(day)] if kind in OF_A_DAY else []
    do(store, work, do(store, cases.open_case, ref(store, "a")), 1, *on, what)
    with store.view(LEAD) as view:
        view.record("test")
        assert done_since(view, today, ["no_answer"]) == ({"a"} if counts_today else set())
        assert done_since(view, last_week, ["no_answer"]) == {"a"}
        of_weeks = [(w["contacted"], w["acted"]) for w in weeks(view, 1, ["no_answer"])]
    one = (int(kind == "contact"), int(kind == "action"))
    assert of_weeks == ([one, (0, 0)] if counts_today else [(0, 0), one])

"""Lists of which waiting brings no outcome are said to be overdue, and what is missing is named: no day that has passed is promised as the next."""

from datetime import timedelta

import pytest

from features.outcome.definition import Definition
from histories.reading.histories import Histories
from serving.monitoring.judge import Terms, judge
from serving.monitoring.overdue import overdue_warnings
from serving.monitoring.shareable import shareable
from serving.monitoring.text import text_of
from tests.support.monitored import DAY, END, HORIZON, reader, stored_list, tables
from tests.support.reported import report
from tests.support.rolls_that_go_on import going_on

RISKS = [0.5] * 10 + [0.01] * 90
KNOWN = DAY + timedelta(days=HORIZON + 60)
OPEN = END - timedelta(days=28)


def judged(rolls_end):
    """Judge a list whose day has come and an open one; rolls are recorded weekly until a day, suspensions until ``END``."""
    weekly = [rolls_end - timedelta(weeks=n) for n in range(30)]
    opened = Histories.from_rows(going_on(tables(gone=(0,), rolls_end=rolls_end), *weekly, urn="1"))
    lists = [stored_list(RISKS), stored_list(RISKS, day=OPEN)]
    return judge(opened, lists, reader(dict.fromkeys(lists, RISKS)), Terms(capacity=10))


@pytest.mark.parametrize(("rolls_end", "overdue"), [(KNOWN, False), (KNOWN - timedelta(days=1), True)])
def test_a_list_beyond_the_end_of_the_rolls_is_overdue_and_one_whose_window_is_open_is_not(rolls_end, overdue):
    judgement = judged(rolls_end)
    assert [r.overdue for r in judgement.lists] == [overdue, False]
    assert [r.to_dict()["outcomes_overdue"] for r in judgement.lists] == [overdue, False]
    said = text_of(report(judgement=judgement))
    next_known = OPEN + timedelta(days=HORIZON + 60)
    assert f"the next outcomes are known once the histories reach {next_known}" in said
    assert ("the outcomes of 1 are overdue" in said) is overdue
    for authority in ("801", None):
        shown = shareable(report(judgement=judgement), authority)
        assert (shown["overdue"], shown["waiting"]) == (int(overdue), [str(next_known)])
    named = [
        f"outcomes are overdue (1 list, authority 801): the rolls go on until {rolls_end} only. Import what came since."
    ]
    assert [w for w in judgement.warnings if "overdue" in w] == (named if overdue else [])


def test_where_no_register_ever_came_that_is_said():
    opened = Histories.from_rows(going_on(tables(), urn="1"))
    (said,) = overdue_warnings(opened, Definition.load("cme_register"), [stored_list(RISKS)] * 2)
    assert said.startswith(
        "outcomes are overdue (2 lists, authority 801): cme_register counts cases only, and the histories hold none."
    )


def test_one_list_is_told_in_the_singular():
    x = stored_list(RISKS)
    judgement = judge(Histories.from_rows(tables(gone=(0,))), [x], reader({x: RISKS}), Terms(capacity=10))
    said = text_of(report(judgement=judgement))
    assert "1 list is stored; the outcomes of 1 are known" in said
    assert f"1 list of {DAY}" in said

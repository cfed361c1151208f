"""Children who left every roll: the last end of any spell, where it led to, and nobody who is on a roll."""

from datetime import date

import pytest

from histories.codes import code_set
from histories.reading.histories import Histories
from serving.casework.leavers import NO_LONGER_TAUGHT, find_leavers, of_school_age
from serving.casework.rolls import newest_spells

DAY = date(2025, 1, 13)
SPELL = {"pupil_id": "p", "urn": "1", "entry_date": "2020-09-02"}
LEFT = {**SPELL, "leaving_date": "2024-03-08", "leaving_recorded_on": "2024-03-11"}


def found(*spells, born="2013-05-01"):
    rows = {"pupils": [{"pupil_id": "p", "date_of_birth": born, "authority": "801"}], "enrolments": list(spells)}
    histories = Histories.from_rows(rows)
    return find_leavers(newest_spells(histories, DAY))


@pytest.mark.parametrize("destination", [*code_set("destination"), None])
def test_every_destination_is_kept_however_long_ago(destination):
    for leaving in ("2022-03-08", "2024-12-20"):
        end = {"leaving_date": leaving, "leaving_recorded_on": leaving, "destination": destination}
        (child,) = left = found(LEFT | end)
        assert (str(child.left_on), child.left_to) == (leaving, destination or "unknown")
        assert (child.authority, child.urn, child.nc_year) == ("801", "1", 7)
        assert of_school_age(left) == (set() if destination in NO_LONGER_TAUGHT else {"p"})


def test_the_last_end_counts_and_not_that_of_the_spell_that_began_last():
    part_time = {"pupil_id": "p", "urn": "2", "entry_date": "2022-09-02", "leaving_date": "2023-07-20"}
    (child,) = found(LEFT | {"destination": "abroad"}, part_time | {"destination": "state_school"})
    assert (str(child.left_on), child.left_to) == ("2024-03-08", "abroad")


@pytest.mark.parametrize(
    "spells",
    [
        [SPELL],
        [LEFT, SPELL | {"urn": "2", "entry_date": "2024-09-03"}],
        [LEFT | {"leaving_recorded_on": "2025-01-13"}],
        [LEFT | {"leaving_date": "2025-02-14"}],
        [],
    ],
    ids=["on a roll", "on a roll again", "not known yet", "leaves later", "never on a roll"],
)
def test_who_is_on_a_roll_or_never_was_has_not_left(spells):
    assert found(*spells) == []


@pytest.mark.parametrize(("born", "aged"), [("2009-09-01", True), ("2009-08-31", True), ("2008-08-31", False)])
def test_who_is_over_school_age_need_not_be_taught(born, aged):
    assert bool(of_school_age(found(LEFT | {"destination": "home_education"}, born=born))) is aged

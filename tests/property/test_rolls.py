"""Scores, duties and the status on rolls speak of one school of a child, whatever its registrations."""

from datetime import date, timedelta

import polars as pl
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from features.outcome.cohort import cohort
from histories.linking.roll_status import roll_status
from histories.reading.histories import Histories
from serving.casework.leavers import find_leavers
from serving.casework.rolls import newest_spells

DAY = date(2025, 3, 10)
SPELL = st.fixed_dictionaries(
    {
        "urn": st.sampled_from(["1", "2", "3"]),
        "entry": st.integers(1, 12),
        "left": st.none() | st.integers(-3, 11),
        "status": st.sampled_from(["C", "M", "S", None]),
        "destination": st.sampled_from(["abroad", "unknown", "state_school"]),
    }
)
CHILDREN = st.lists(st.lists(SPELL, min_size=1, max_size=4, unique_by=lambda s: (s["urn"], s["entry"])), min_size=8)


def told(pupil, spell):
    left = spell["left"] if spell["left"] is None or spell["left"] < spell["entry"] else spell["entry"] - 1
    day = None if left is None else str(DAY - timedelta(weeks=left))
    return {
        "pupil_id": pupil,
        "urn": spell["urn"],
        "entry_date": str(DAY - timedelta(weeks=spell["entry"])),
        "leaving_date": day,
        "leaving_recorded_on": day and min(day, str(DAY - timedelta(days=1))),
        "destination": spell["destination"] if day else None,
        "status": spell["status"],
    }


def best(spells):
    """Return the school and the leaving of the spell that is the child's own, the plain way."""
    current = [s for s in spells if s["leaving_date"] is None or s["leaving_date"] >= str(DAY)]
    of = current or [s for s in spells if s["leaving_date"] == max(s["leaving_date"] for s in spells)]
    return max(of, key=lambda s: (s["status"] != "S", s["entry_date"], s["urn"])), bool(current)


@settings(
    max_examples=12, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)  # shrinking so many spells takes minutes
@given(children=CHILDREN)
def test_one_school_of_each_child_main_before_subsidiary_and_the_latest_left(children):
    spells = {f"p{n}": [told(f"p{n}", s) for s in of_child] for n, of_child in enumerate(children)}
    pupils = [{"pupil_id": p, "date_of_birth": "2013-05-01", "authority": "801"} for p in spells]
    histories = Histories.from_rows({"pupils": pupils, "enrolments": [s for of in spells.values() for s in of]})
    found = newest_spells(histories, DAY)
    newest = {r["pupil_id"]: r for r in found.iter_rows(named=True)}
    gone = {c.pupil_id: (c.urn, str(c.left_on), c.left_to) for c in find_leavers(found)}
    scored = dict(pl.from_arrow(cohort(histories, [DAY])).select("pupil_id", "urn").iter_rows())
    status = {r["pupil_id"]: r for r in roll_status(histories, DAY).iter_rows(named=True)}
    for pupil, of_child in spells.items():
        spell, on_roll = best(of_child)
        assert (newest[pupil]["urn"], newest[pupil]["on_roll"]) == (spell["urn"], on_roll)
        left = None if on_roll else (spell["urn"], spell["leaving_date"], spell["destination"])
        assert gone.get(pupil) == left
        assert scored.get(pupil) == (spell["urn"] if on_roll else None)
        off = (None, None) if on_roll else (spell["destination"], spell["leaving_date"])
        since = status[pupil]["off_since"]
        assert (status[pupil]["destination"], since and str(since)) == off
        assert status[pupil]["on_roll"] == on_roll

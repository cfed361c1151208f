"""Every query that reads rows about children carries the caller's scope, or says here why it need not."""

import ast

import pytest

from tests.house import scopes
from tests.house.code import Module, modules

STORE = [m for m in modules().values() if m.path.startswith("serving/") and "/migrations/" not in m.path]
# Files whose functions only commands call, on this machine and for all authorities.
OF_COMMANDS = (
    "store/audit/audit_log.py",
    "store/records/",
    "store/trials/trials.py",
    "store/audit/kept_text.py",
)
SCORING, COMMAND = "stores what was scored, for all authorities", "called by a command, for all authorities"
CHECKED, PARTS = "the case or doubt was found within the scope before", "a part of a query that carries the scope"
UNSCOPED = {
    "store/cases/cases.py:case": CHECKED,
    "store/cases/casework.py:with_cases": SCORING,
    "store/cases/doubts.py:answer": CHECKED,
    "store/cases/duties.py:running": SCORING,
    "store/cases/duties.py:_not_done": SCORING,
    "store/cases/duties.py:stop_looked_for": "stops what a case makes needless, of which the caller learns nothing",
    "store/cases/family.py:replace_rows": SCORING,
    "store/cases/family.py:unlisted_with_case": PARTS,
    "store/cases/hand_over.py:across_schools": "cases of the caller's own authority; the schools are compared below",
    "store/cases/last_school.py:of_records": SCORING,
    "store/cases/no_roll.py:replace": SCORING,
    "store/cases/not_in_school.py:_move_duty": CHECKED,
    "store/cases/not_in_school.py:_begun_in": "its conditions are the caller's, who hands the scope in",
    "store/cases/team_work.py:oldest_untouched": PARTS,
    "store/people/details.py:_known": COMMAND,
    "store/people/details.py:count_by_key": COMMAND,
    "store/people/details.py:must_fit": "asks which keys were used, at the start",
    "store/scores/chosen.py:_in_year": PARTS,
    "store/scores/chosen.py:shown": PARTS,
    "store/scores/kept_numbers.py:texts": "the scores were found within the scope before",
    "store/scores/standing.py:must_be_of_one_model": SCORING,
    "store/scores/stored_scores.py:save": SCORING,
    "store/scores/tops.py:set_aside": PARTS,
    "store/scores/week_list.py:_count": "its conditions are the list's, which carry the scope",
    "store/scores/week_list.py:_every": "its conditions are the list's, which carry the scope",
    "store/scores/week_list.py:count": "its conditions are the list's, which carry the scope",
    "store/trials/checks.py:drawn": COMMAND,
    "store/trials/checks.py:findings": COMMAND,
    "store/trials/checks.py:looked_at": COMMAND,
    "store/trials/duties.py:due": COMMAND,
    "store/trials/duties.py:ran": COMMAND,
    "store/unit_of_work.py:pupils_by_reference": "gives references of pupils whom the caller named",
}


def test_every_query_about_children_carries_a_scope():
    """Before, a list showed the records that another authority had about a child who had moved there."""
    found = {f"{m.path.removeprefix('serving/')}:{name}" for m in STORE for name, _ in scopes.unscoped(m)}
    found = {name for name in found if not name.startswith(OF_COMMANDS)}
    assert found - UNSCOPED.keys() == set()
    assert UNSCOPED.keys() - found == set(), "these are no exceptions any more"


BY_PUPILS = """
def rows(view, pupils):
    query = sa.select(StoredHistory.pupil_id, StoredHistory.body)
    {more}
    return view.connection.execute(query.where(StoredHistory.pupil_id.in_(pupils))).all()
"""


@pytest.mark.parametrize(
    ("more", "is_scoped"),
    [
        ("pass", False),
        ("query = query.where(*view.caller.children(Pupil))", True),
        ("of_scope = view.caller.children(Pupil)\n    query = query.where(*of_scope)", True),
        ("pupils = view.connection.scalars(sa.select(Pupil.pupil_id).where(*view.caller.children(Pupil)))", False),
    ],
)
def test_a_query_is_scoped_by_its_own_conditions(more, is_scoped):
    module = Module("of/a/test.py")
    module.__dict__["tree"] = ast.parse(BY_PUPILS.format(more=more))
    assert [name for name, _ in scopes.unscoped(module)] == ([] if is_scoped else ["rows"])

"""Guards of the threat model: what the files of others bring, and what is written into files."""

import json

from tests.support import stand_ins
from tests.support.guard import Guard

OF_FILES = (
    Guard(
        "tests/attacks/test_sessions.py::test_no_key_is_said_to_be_closed_while_it_works",
        "serving.store.sign_in.staff:_works",
        stand_ins.no,
    ),
    Guard(
        "tests/attacks/test_doubts.py::test_a_name_is_not_found_by_halving_a_list_of_names",
        "serving.store.cases.doubts:try_release",
        stand_ins.yes,
    ),
    Guard(
        "tests/attacks/test_doubts.py::test_whom_a_lead_reads_of_is_in_the_audit",
        "serving.store.cases.doubts:IDENTITIES",
        (),
    ),
    Guard(
        "tests/attacks/test_moved_children.py::test_a_duty_of_the_childs_new_place_is_not_shown_to_the_old_one",
        "serving.store.scores.week_list:duties_in_scope",
        stand_ins.true,
    ),
    Guard(
        "tests/attacks/test_scope.py::test_nobody_sees_more_than_their_schools_and_their_authority",
        "serving.store.caller:Caller.scope",
        stand_ins.no_conditions,
    ),
    Guard(
        "tests/attacks/test_crafted_model.py::test_no_number_of_a_model_points_outside_its_tree",
        "training.explanation.trees:check_trees",
        stand_ins.nothing,
    ),
    Guard(
        "tests/attacks/test_lost_withdrawal.py::test_the_lists_of_a_withdrawn_version_stay_hidden_while_another_serves",
        "serving.store.store:lost_by_log",
        stand_ins.none,
    ),
    Guard(
        "tests/attacks/test_lost_withdrawal.py::test_a_folder_of_the_withdrawn_version_does_not_serve",
        "serving.store.audit.model_log:must_not_be_withdrawn",
        stand_ins.nothing,
    ),
    Guard(
        "tests/attacks/test_junk_entries.py::test_nobody_acts_on_a_row_without_its_code_wherever_it_stands",
        "serving.store.ledger.believed:carries_its_code",
        stand_ins.yes,
    ),
    Guard(
        "tests/attacks/test_junk_entries.py::test_a_row_that_is_no_entry_is_named_and_stops_nothing",
        "serving.store.audit.unanchored:details_of",
        json.loads,
    ),
    Guard(
        "tests/attacks/test_junk_entries.py::test_a_watch_goes_on_whatever_happens_and_says_so_once",
        "serving.telemetry.metrics:audit_is_whole",
        stand_ins.nothing,
    ),
    Guard(
        "tests/attacks/test_crafted_workbook.py::test_a_crafted_workbook_is_refused",
        "histories.io.workbook_parts:_Scan.feed",
        stand_ins.nothing,
    ),
)

"""Guards of the threat model: what the files of others bring, what is written into files, and whose children are shown."""

import json
import re

from h11._receivebuffer import ReceiveBuffer

from tests.support import stand_ins
from tests.support import stand_ins_of_files as of_files
from tests.support.guard import Guard

NO_TEXT = re.compile("(?!)")

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
    Guard(
        "tests/system/test_linking.py::test_a_record_that_begins_a_formula_is_asked_and_answered_as_what_it_is",
        "histories.io.spreadsheet:as_text",
        stand_ins.itself,
    ),
    Guard(
        "tests/attacks/test_kept_text.py::test_no_command_keeps_words_that_name_a_child",
        "serving.store.audit.kept_text:_shapes",
        of_files.no_kinds,
    ),
    Guard(
        "tests/attacks/test_blocks_and_exports.py::test_a_command_of_a_service_takes_no_counts_that_the_service_could_write",
        "features.counting.block_cache:SERVICE",
        "NOBODY_SETS_THIS",
    ),
    Guard(
        "tests/attacks/test_blocks_and_exports.py::test_an_export_holds_the_listed_files_and_nothing_else",
        "serving.scoring.exporting:copy_bundle",
        of_files.whole_folder,
    ),
    Guard(
        "tests/attacks/test_blocks_and_exports.py::test_a_list_of_files_names_only_files_beside_it",
        "training.bundle:PLAIN",
        of_files.ANY_TEXT,
    ),
    Guard(
        "tests/system/test_anchors.py::test_a_line_that_is_no_anchor_is_named",
        "serving.store.ledger.anchor_places:_end",
        of_files.any_end,
    ),
    Guard(
        "tests/attacks/test_unseen_characters.py::test_no_page_shows_characters_that_are_not_seen",
        "histories.io.html:UNSEEN",
        NO_TEXT,
    ),
    Guard(
        "tests/attacks/test_moved_children.py::test_a_hand_over_is_in_the_audit_of_both_authorities",
        "serving.store.unit_of_work:View.record_for",
        stand_ins.nothing,
    ),
    Guard(
        "tests/attacks/test_moved_children.py::test_the_old_list_says_nothing_of_the_childs_new_place",
        "serving.store.caller:Caller.children",
        stand_ins.no_conditions,
    ),
    Guard(
        "tests/attacks/test_ids_of_others.py::test_no_form_changes_or_tells_anything_of_another_authority",
        "serving.store.caller:Caller.children",
        stand_ins.no_conditions,
    ),
    Guard(
        "tests/pages/test_matrix.py::test_no_page_shows_a_child_of_whom_its_entries_say_nothing",
        "serving.store.unit_of_work",
        stand_ins.pupils_unrecorded,
    ),
    Guard(
        "tests/attacks/test_odd_lines.py::test_an_odd_line_of_a_chunked_body_ends_the_connection",
        "serving.http.connections:SIZE",
        of_files.ANY_LINE,
    ),
    Guard(
        "tests/attacks/test_odd_lines.py::test_a_head_that_can_be_read_in_two_ways_ends_the_connection",
        "serving.http.connections:StrictLines.maybe_extract_lines",
        ReceiveBuffer.maybe_extract_lines,
    ),
)

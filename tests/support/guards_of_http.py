"""Guards of the threat model: what clients send and do not read, and who waits for whom."""

from contextlib import nullcontext

from h11._receivebuffer import ReceiveBuffer
from uvicorn.protocols.http.h11_impl import H11Protocol

from tests.support import stand_ins
from tests.support import stand_ins_of_http as of_http
from tests.support.guard import Guard

OF_HTTP = (
    Guard(
        "tests/unit/serving/test_guard.py::test_a_body_without_a_length_is_cut_off_at_the_limit",
        "serving.http.bodies:Bodies.received",
        of_http.uncounted,
    ),
    Guard(
        "tests/attacks/test_slow_requests.py::test_seventy_half_bodies_leave_other_calls_answered",
        "serving.http.guard",
        of_http.arriving_is_work,
    ),
    Guard(
        "tests/attacks/test_slow_requests.py::test_one_address_holds_few_half_heads",
        "serving.http.crowd:Crowd._oldest",
        stand_ins.nothing,
    ),
    Guard(
        "tests/attacks/test_unread_answers.py::test_clients_that_read_nothing_leave_other_calls_answered",
        "serving.http.exchange",
        of_http.unread_is_work,
    ),
    Guard(
        "tests/attacks/test_unread_answers.py::test_a_client_that_reads_nothing_is_cut_off",
        "serving.http.connections:LimitedProtocol._check_reading",
        stand_ins.nothing,
    ),
    Guard(
        "tests/attacks/test_unread_answers.py::test_few_answers_wait_for_their_clients",
        "serving.http.connections:LimitedProtocol._make_room",
        stand_ins.nothing,
    ),
    Guard(
        "tests/attacks/test_unread_answers.py::test_a_network_of_ipv6_is_one_address",
        "serving.http.connections:network_of",
        stand_ins.itself,
    ),
    Guard(
        "tests/attacks/test_unread_answers.py::test_bodies_of_a_network_of_ipv6_share_the_limits_of_one_address",
        "serving.http.exchange:network_of",
        stand_ins.itself,
    ),
    Guard(
        "tests/attacks/test_slow_requests.py::test_who_sends_much_is_refused_and_not_who_sends_then",
        "serving.http.bodies:largest_of_heaviest",
        stand_ins.nothing,
    ),
    Guard(
        "tests/attacks/test_slow_requests.py::test_one_caller_leaves_room_for_others",
        "serving.http.bodies:Body.holder",
        of_http.nobodys,
    ),
    Guard(
        "tests/attacks/test_provider_answers.py::test_those_who_wait_for_a_silent_provider_are_few_and_are_no_work",
        "serving.pages.views.provider_sign_in:waiting_for_others",
        nullcontext,
    ),
    Guard(
        "tests/attacks/test_provider_answers.py::test_those_who_wait_for_a_silent_provider_are_few_and_are_no_work",
        "serving.access.places:WaitingRoom.seat",
        of_http.every_seat,
    ),
    Guard(
        "tests/attacks/test_slow_requests.py::test_no_line_of_a_chunked_body_ends_with_a_bare_line_feed",
        "serving.http.connections:BARE_LF",
        of_http.NO_LINE,
    ),
    Guard(
        "tests/attacks/test_slow_requests.py::test_a_body_in_very_many_chunks_is_refused",
        "serving.http.connections:StrictLines.maybe_extract_next_line",
        ReceiveBuffer.maybe_extract_next_line,
    ),
    Guard(
        "tests/attacks/test_slow_requests.py::test_a_line_that_ends_with_a_bare_line_feed_is_refused",
        "serving.http.connections:BARE_LF",
        of_http.NO_LINE,
    ),
    Guard(
        "tests/attacks/test_slow_requests.py::test_an_ambiguous_length_ends_the_connection",
        "serving.http.guard:CLOSE",
        {},
    ),
    Guard(
        "tests/attacks/test_slow_requests.py::test_what_is_not_http_after_an_answer_ends_the_connection_and_fails_nowhere",
        "serving.http.connections:LimitedProtocol.send_400_response",
        H11Protocol.send_400_response,
    ),
    Guard(
        "tests/attacks/test_slow_requests.py::test_a_path_with_a_line_feed_is_no_route",
        "serving.access.permission:Permission.fits",
        of_http.prefix_is_enough,
    ),
    Guard(
        "tests/attacks/test_silent_provider.py::test_api_keys_do_not_wait_for_the_provider",
        "serving.access.fetched:COOLDOWN",
        -1.0,
    ),
    Guard(
        "tests/attacks/test_many_rows.py::test_an_archive_that_grows_too_large_is_refused_while_reading",
        "serving.http.bodies:Body.count",
        stand_ins.yes,
    ),
    Guard(
        "tests/attacks/test_arrow_streams.py::test_what_would_grow_is_refused",
        "serving.http.arrow_stream:_size",
        stand_ins.no,
    ),
    Guard(
        "tests/attacks/test_many_rows.py::test_one_child_is_scored_while_another_caller_scores_many",
        "serving.http.turns:Turns.turn",
        of_http.no_turn,
    ),
    Guard(
        "tests/attacks/test_slow_requests.py::test_bodies_together_hold_a_bounded_memory",
        "serving.http.bodies:Bodies.received",
        of_http.uncounted,
    ),
)

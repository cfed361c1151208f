"""A guard of the threat model, and the rows that have none to take out."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Guard:
    """A guard: the test of its row in docs/threat-model.md, where it is (``module:attribute``), and what stands in its place."""

    test: str
    place: str
    instead: Any  # a value, or for a module alone a function that is given the module


# Rows whose guard is not an attribute of this process: another process, a file, or a database's own work.
NOT_TAKEN_OUT = {
    "tests/attacks/test_database_roles.py::test_a_connection_is_refused": "a file of the deployment",
    "tests/unit/serving/test_deployment.py::test_a_service_has_a_root_that_cannot_be_written_and_no_privilege": "a file of the deployment",
    "tests/system/test_kill.py::test_a_killed_writer_leaves_both_files_or_neither": "the database's transactions",
    "tests/system/test_service.py::test_no_value_of_a_child_reaches_logs_metrics_or_errors": "the service is another process",
    "tests/system/test_fuzz.py::test_slow_bodies_and_heads_hold_up_no_other_call": "the service is another process",
    "tests/system/test_fuzz.py::test_strange_requests_are_answered_and_forgotten": "the service is another process",
    "tests/system/test_edge.py::test_a_broken_version_is_refused_and_the_previous_one_stays": "the service is another process",
    "tests/system/test_edge.py::test_the_frameworks_own_routes_are_not_there": "the service is another process",
}

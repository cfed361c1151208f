"""Guards of the threat model, each taken out in turn: its named test must fail without it.

Run ``make prove-threats``. Each guard is taken out by replacing one attribute, in a process of its own, in which this module is a
plugin of pytest.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
VARIABLE = "ONROLL_GUARD_TAKEN_OUT"


@dataclass(frozen=True)
class Guard:
    """A guard: the test of its row in docs/threat-model.md, where it is (``module:attribute``), and what stands in its place."""

    test: str
    place: str
    instead: Any  # a value, or for a module alone a function that is given the module


def nothing(*_: Any, **__: Any) -> None:
    """Check nothing."""


def yes(*_: Any, **__: Any) -> bool:
    """Allow everything."""
    return True


def no_conditions(*_: Any, **__: Any) -> list[Any]:
    """Limit nothing."""
    return []


def every_key(connection: Any, key: str) -> Any:
    """Return the caller of a key, whether it has ended or not."""
    from serving.store.caller import Caller
    from serving.store.sign_in.api_keys import BY_DIGEST, _digest

    row = connection.execute(BY_DIGEST, {"digest": _digest(key)}).one_or_none()
    return row and Caller(row.key_id, row.role, row.authority)


def children_for_all(caller: Any, table: Any) -> list[Any]:
    """Give children to every role."""
    return caller.scope(table)


def cases_go_with_the_child(cases: Any) -> None:
    """Let a case belong to the authority of its child."""
    from serving.store.tables import Pupil

    cases.PLACE.authority = Pupil.authority


def claims_unchecked(tokens: Any, token: str) -> Any:
    """Check the signature of a token only."""
    return tokens._decoded(token)


GUARDS = (
    Guard(
        "tests/unit/serving/test_api.py::test_keys_are_refused_when_wrong_revoked_expired_or_of_the_wrong_role",
        "serving.store.sign_in.api_keys:caller",
        every_key,
    ),
    Guard(
        "tests/unit/serving/test_access.py::test_another_authoritys_pupil_is_as_if_not_there",
        "serving.store.caller:Caller.scope",
        no_conditions,
    ),
    Guard(
        "tests/system/test_store.py::test_an_analyst_counts_children_and_sees_none",
        "serving.store.caller:Caller.children",
        children_for_all,
    ),
    Guard(
        "tests/attacks/test_claims.py::test_claims_that_no_provider_makes_are_refused",
        "serving.access.tokens:Tokens._claims",
        claims_unchecked,
    ),
    Guard(
        "tests/attacks/test_development_users.py::test_a_request_through_a_proxy_is_refused_on_every_route",
        "serving.access.middleware:refuse_forwarded",
        nothing,
    ),
    Guard(
        "tests/attacks/test_sessions.py::test_a_role_or_group_that_is_taken_away_is_gone_at_the_next_request",
        "serving.access.current:CurrentAccess.still_valid",
        yes,
    ),
    Guard(
        "tests/attacks/test_doubts.py::test_no_page_shows_an_analyst_what_a_worker_wrote",
        "serving.store.cases.doubts:IDENTITIES",
        ("worker", "lead", "analyst", "administrator"),
    ),
    Guard(
        "tests/attacks/test_moved_children.py::test_the_new_authority_does_not_read_the_old_ones_case",
        "serving.store.cases.cases",
        cases_go_with_the_child,
    ),
    Guard(
        "tests/attacks/test_exchanged_model.py::test_a_withdrawal_that_is_cut_from_the_log_brings_no_stored_score_back",
        "serving.store.audit.model_log:_check_log",
        nothing,
    ),
    Guard(
        "tests/system/test_cut_audit.py::test_a_trigger_replaced_by_a_no_op_is_detected",
        "serving.store.audit.audit_log:missing_triggers",
        no_conditions,
    ),
    Guard(
        "tests/unit/serving/test_access.py::test_a_caller_over_the_rate_limit_is_told_when_to_retry",
        "serving.access.rate_limit:Buckets.wait",
        nothing,
    ),
    Guard(
        "tests/unit/serving/test_api.py::test_counts_name_no_child_and_hide_small_numbers",
        "serving.access.disclosed_counts:partition",
        no_conditions,
    ),
)


def take_out(guard: Guard) -> None:
    """Take a guard out of this process."""
    module, _, attribute = guard.place.partition(":")
    where: Any = import_module(module)
    if not attribute:
        guard.instead(where)
        return
    *path, name = attribute.split(".")
    for part in path:
        where = getattr(where, part)
    if not hasattr(where, name):
        raise AttributeError(f"{guard.place} is not there any more")
    setattr(where, name, guard.instead)


def pytest_configure() -> None:
    """Take out the guard that the environment names."""
    if VARIABLE in os.environ:
        take_out(GUARDS[int(os.environ[VARIABLE])])


def fails_without(number: int) -> bool:
    """Return whether the test of a guard fails once the guard is taken out; an error while it is collected is no failure."""
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-p", "tests.support.guards", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, GUARDS[number].test],
        cwd=ROOT,
        env={**os.environ, VARIABLE: str(number)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 1 and "FAILURES" in done.stdout


def main(chosen: Sequence[int] = (), report: Callable[[str], None] = print) -> int:
    """Take out each guard in turn, or the chosen ones; return 1 if a test does not notice."""
    unnoticed, numbers = 0, chosen or range(len(GUARDS))
    for number in numbers:
        guard = GUARDS[number]
        noticed = fails_without(number)
        unnoticed += not noticed
        report(f"{'fails' if noticed else 'PASSES'} without {guard.place}: {guard.test}")
    report(f"{len(numbers) - unnoticed} of {len(numbers)} tests fail without their guard")
    return int(unnoticed > 0)


if __name__ == "__main__":
    sys.exit(main([int(n) for n in sys.argv[1:]]))

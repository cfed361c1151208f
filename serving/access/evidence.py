"""Evidence of a refused request: in the audit, in the metrics, and for the log."""

from __future__ import annotations

from starlette.requests import Request

from serving.access.authenticators import CredentialRefused, RightsRefused
from serving.http.addresses import ADDRESS
from serving.http.problems import Problem
from serving.store import Caller
from serving.store.ledger.refusals import Refusals
from serving.telemetry import metrics
from serving.telemetry.failed_sign_ins import FailedSignIns

FAILURES = FailedSignIns()  # of this process, as the metrics are


def note_refusal(
    refusals: Refusals, request: Request, refused: Problem, route: str, caller: Caller | None = None
) -> None:
    """Record a refused request in the audit and the metrics, with its caller where credentials tell."""
    reason = None
    if isinstance(refused, CredentialRefused | RightsRefused):
        caller = caller or refused.caller
    if isinstance(refused, CredentialRefused):
        reason = refused.reason
        FAILURES.failed(ADDRESS.get())
    if refused.status == 401:
        metrics.sign_in_failed(reason or "none")
    refusals.refused(caller, refused.status, route, reason)
    request.state.refused, request.state.refusal_recorded = caller, True

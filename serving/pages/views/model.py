"""The data scientist's page: champion and challenger, how they differ, drift, and records that staff doubt."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import Request
from starlette.responses import Response

from serving.pages.context import Context, PageContext
from serving.pages.forms import Form, save_and_redirect, version_of
from serving.pages.model_figures import all_figures, two_digits
from serving.pages.page import Endpoint, Page
from serving.scoring.shadow import differences
from serving.store.cases import doubts
from serving.store.scores import week_list
from serving.store.scores.drift import drift
from serving.store.unit_of_work import Change
from training.release.promotion_log import readable
from training.release.resolve import MOVES

FIGURES = ("average_precision", "auc", "base_rate", "brier", "calibration_slope", "calibration_intercept")
MAX_MOVES = 20  # newest moves of an alias to show


def model(request: Request, context: Context) -> Response:
    """Show the page."""
    return _show(context, request)


def answer(fault_id: str, request: Request, fields: Form, context: Context) -> Response:
    """Answer a doubt about a record."""
    version = version_of(fields)

    def apply(change: Change) -> None:
        doubts.answer(change, fault_id, version, fields.get("text", ""))

    again = partial(_show_again, context, request, "model.say", fault_id)
    return save_and_redirect(context.store, request, apply, "/model?done=answered", again)


def release(fault_id: str, request: Request, fields: Form, context: Context) -> Response:
    """Let the analyst read a text about a doubt."""
    version, text, no_name = version_of(fields), fields.get("text", ""), "no_name" in fields

    def apply(change: Change) -> None:
        doubts.release(change, fault_id, version, text, context.cipher, no_name=no_name)

    def again(status: int, wrong: list[str]) -> Response:
        if wrong:
            with context.store.change(request.state.caller) as change:
                doubts.note_refused(change, fault_id, said_no_name=no_name)
        return shown_again("model.say_release", status, wrong)

    def shown_again(message: str, status: int, wrong: list[str]) -> Response:
        refused, field = {fault_id: (text, no_name)}, f"release-{fault_id}"
        return _show_again(context, request, message, field, status=status, wrong=wrong, refused=refused)

    with context.store.change(request.state.caller) as change:
        may_try = doubts.try_release(change, fault_id)
    if not may_try:
        return shown_again("model.too_many_texts", 422, ["text"])
    return save_and_redirect(context.store, request, apply, "/model?done=released", again)


def _show_again(
    context: PageContext, request: Request, message: str, field: str, status: int, wrong: list[str], **more: Any
) -> Response:
    words = context.renderer.words
    text, where = (words(message), field) if wrong else (words("model.conflict"), "faults")
    return _show(context, request, status, errors=[{"text": text, "href": f"#{where}"}], **more)


def _show(context: PageContext, request: Request, status: int = 200, **more: Any) -> Response:
    caller = request.state.caller
    live = {"champion": context.champion.model(), "challenger": context.challenger.model()}
    manifests = {alias: model.manifest for alias, model in live.items() if model}
    folders = {"champion": context.champion.folder, "challenger": context.challenger.folder}
    pictures = {alias: all_figures(model, folders[alias]) for alias, model in live.items() if model}
    champion = manifests.get("champion")
    base_rate = champion.metrics.get(champion.candidate, {}).get("base_rate") if champion else None
    with context.store.view(caller) as view:
        doubted, drifted = doubts.faults(view), drift(view, base_rate)
        names = week_list.school_names(view)
    # This page says why a log is refused, so no line of it may stop the page.
    log = readable(context.champion.releases / context.champion.name.partition("@")[0] / MOVES)
    done = request.query_params.get("done", "")
    banner = context.renderer.words(f"model.{done}") if done in ("answered", "released") else None
    return context.renderer.page(
        request,
        "model",
        status,
        manifests=manifests,
        figures=FIGURES,
        pictures=pictures,
        two_digits=two_digits,
        refusals=[live.refused for live in (context.champion, context.challenger) if live.refused],
        shadow=differences(context.store) if caller.authority is None else None,
        moves=[e for e in log if e.get("alias")][::-1][:MAX_MOVES],
        gates=_newest_gates(log),
        drifted=drifted,
        doubted=doubted,
        names=names,
        reasons=context.settings.doubts,
        runs=_runs(context.settings.experiments, log),
        banner=banner,
        **{"refused": {}, **more},
    )


def _runs(experiments: str, log: list[dict[str, Any]]) -> dict[str, str]:
    """Return the address of each version's run in MLflow's pages; empty when no address is set. MLflow finds a run by its id alone."""
    pages = experiments.rstrip("/")
    return {str(e["version"]): f"{pages}/#/runs/{e['run_id']}" for e in log if pages and e.get("run_id")}


def _newest_gates(log: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the newest line of the log with verdicts of the gates."""
    return next((e for e in reversed(log) if e.get("gates")), None)


PAGE = Page(
    name="model",
    route="/model",
    roles=("lead", "analyst", "administrator"),
    sees="models and doubted records of the caller's scope, without children; the shadow for callers of no one authority",
    handler=model,
    menu=6,
    home_of=("analyst",),
    endpoints=(
        Endpoint(
            method="POST",
            route="/faults/{fault_id}",
            handler=answer,
            roles=("analyst", "administrator"),
            sees="an answer to a doubt of the caller's scope",
        ),
        Endpoint(
            method="POST",
            route="/faults/{fault_id}/release",
            handler=release,
            roles=("lead", "administrator"),
            sees="what an analyst may read of a doubt of the caller's scope",
        ),
    ),
)

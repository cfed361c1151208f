"""The data scientist's page: which model serves and which waits, how they differ, what drifted, and which records are doubted."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from serving.pages.context import PageContext
from serving.pages.forms import Form, done, version_of
from serving.scoring.live_model import LiveModel
from serving.scoring.shadow import differences
from serving.store.cases import cases
from serving.store.scores.drift import drift
from serving.store.unit_of_work import Change
from training.release.resolve import logged

FIGURES = ("average_precision", "auc", "base_rate", "brier", "calibration_slope", "calibration_intercept")
NEWEST = 20  # moves of an alias that are shown


def routes(desk: PageContext, rival: LiveModel) -> APIRouter:
    """Return the routes of the model's page.

    Parameters
    ----------
    desk : PageContext
    rival : LiveModel
        Holds the challenger.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/model")
    def model(request: Request) -> Response:
        return _show(desk, rival, request)

    @router.post("/faults/{fault_id}")
    def answer(fault_id: str, request: Request, fields: Form) -> Response:
        w, version = desk.pages.words, version_of(fields)

        def again(status: int, wrong: list[str]) -> Response:
            if not wrong:
                return _show(desk, rival, request, status, errors=[{"text": w("model.conflict"), "href": "#faults"}])
            said = [{"text": w("model.say"), "href": f"#{fault_id}"}]
            return _show(desk, rival, request, status, errors=said, wrong=fault_id)

        def answered(change: Change) -> None:
            cases.answer(change, fault_id, version, fields.get("text", ""))

        return done(desk.store, request, answered, "/model?done=answered", again)

    return router


def _show(
    desk: PageContext, rival: LiveModel, request: Request, status: int = 200, wrong: str = "", **more: Any
) -> Response:
    caller = request.state.caller
    served = {name: held.model() for name, held in (("champion", desk.holder), ("challenger", rival))}
    manifests = {name: m.manifest for name, m in served.items() if m}
    champion = manifests.get("champion")
    learned = champion.metrics.get(champion.candidate, {}).get("base_rate") if champion else None
    with desk.store.view(caller) as view:
        doubted, drifted = cases.faults(view), drift(view, learned)
    log = logged(desk.holder.releases, desk.holder.name.partition("@")[0])
    banner = desk.pages.words("model.answered") if request.query_params.get("done") else None
    return desk.pages.page(
        request,
        "model",
        status,
        manifests=manifests,
        figures=FIGURES,
        refused=desk.holder.refused,
        shadow=differences(desk.store) if caller.authority is None else None,
        moves=[e for e in log if e.get("alias")][::-1][:NEWEST],
        asked=_asked(log),
        drifted=drifted,
        doubted=doubted,
        wrong=wrong,
        runs=_runs(desk.settings.experiments, log),
        banner=banner,
        **more,
    )


def _runs(experiments: str, log: list[dict[str, Any]]) -> dict[str, str]:
    """Return the address of each version's run in MLflow's pages, which find a run by its id alone; empty when they have no address."""
    pages = experiments.rstrip("/")
    return {str(e["version"]): f"{pages}/#/runs/{e['run_id']}" for e in log if pages and e.get("run_id")}


def _asked(log: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the newest line of the log that holds what the gates said."""
    return next((e for e in reversed(log) if e.get("gates")), None)

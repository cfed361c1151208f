"""The JSON interface; plain functions do the work, and BentoML mounts this application."""

from __future__ import annotations

import threading
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, Response

from histories.faults import Fault, Faults
from histories.opening import Histories
from histories.settings import Settings
from serving import metrics, problems
from serving.access import EVERYONE, IDENTITIES, allowed
from serving.holder import ModelHolder
from serving.problems import Problem
from serving.schemas import (
    MOST_PUPILS,
    MOST_ROWS,
    ModelName,
    ProblemAnswer,
    ScoreRequest,
    ScoresAnswer,
    ScoresRequest,
    WorklistRequest,
)
from serving.store import Caller, Store
from training.bundle import Manifest
from training.risk_model import RiskModel

RESPONSES: dict[int | str, dict[str, Any]] = {
    code: {
        "model": ProblemAnswer,
        "description": problems.TITLES[code],
        "content": {"application/problem+json": {}},
    }
    for code in (400, 401, 403, 413, 415, 422, 503)
}
Seer = Annotated[Caller, Depends(allowed(*IDENTITIES))]
Anyone = Annotated[Caller, Depends(allowed(*EVERYONE))]
# One request at a time computes features: each uses all the processors it needs, and memory stays bounded.
_one_at_a_time = threading.Lock()


def make_app(settings: Settings) -> FastAPI:
    """Return the application for some settings."""
    app = FastAPI(title="onroll", version="1", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json")
    app.state.store = Store(settings.database_url)
    app.state.holder = ModelHolder(settings.model, settings.releases)
    problems.install(app)
    app.add_api_route("/openapi.json", lambda: app.openapi(), include_in_schema=False)
    _routes(app)
    return app


def _model(request: Request) -> RiskModel:
    model = request.app.state.holder.model()
    if model is None:
        raise Problem(503, "No model has been trained and released yet, or it cannot be loaded.")
    return model


def _named(m: Manifest) -> ModelName:
    return ModelName(name=m.name, version=m.version, definition=m.definition, horizon_days=m.horizon_days)


def _routes(app: FastAPI) -> None:
    @app.post("/api/v1/score", response_model=ScoresAnswer, responses=RESPONSES)
    def score(body: ScoreRequest, request: Request, caller: Seer) -> dict[str, Any]:
        """Build features from the rows sent, score and explain."""
        return score_rows(_model(request), body.histories, body.as_of, caller)

    @app.post("/api/v1/scores", response_model=ScoresAnswer, responses=RESPONSES)
    def scores(body: ScoresRequest, request: Request, caller: Seer) -> dict[str, Any]:
        """Return stored scores of some pupils; a pupil whom the caller may not see is not there."""
        return _stored(request.app.state.store.scores(caller, body.pupil_ids, body.as_of))

    @app.post("/api/v1/worklist", response_model=ScoresAnswer, responses=RESPONSES)
    def worklist(body: WorklistRequest, request: Request, caller: Seer) -> dict[str, Any]:
        """Return the ranked list that the caller may see."""
        return _stored(
            request.app.state.store.worklist(caller, body.as_of, body.limit, body.urn, body.year_group, body.band)
        )

    @app.get("/api/v1/model", responses=RESPONSES)
    def model(request: Request, caller: Anyone) -> dict[str, Any]:
        """Return the card of the model that serves."""
        m = _model(request).manifest
        return {
            **_named(m).model_dump(), "trained_on": m.trained_on, "until": m.until, "base_rate": m.base_rate, "metrics": m.metrics,
            "limits": m.limits, "bands": m.bands, "data_digest": m.data_digest, "catalogue_digest": m.catalogue_digest,
        }  # fmt: skip

    @app.get("/livez", include_in_schema=False)
    def livez() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    def readyz(request: Request) -> dict[str, str]:
        return {"status": "ready", "model_version": _model(request).manifest.version}

    @app.get("/metrics", include_in_schema=False)
    def metrics_page() -> Response:
        text, kind = metrics.page()
        return Response(text, media_type=kind)

    @app.api_route("/{anything:path}", methods=["GET", "POST", "PUT", "DELETE", "PATCH"], include_in_schema=False)
    def nothing_here(anything: str) -> None:
        raise Problem(404, "See /api/v1/openapi.json for what there is.")


def score_rows(
    model: RiskModel, tables: dict[str, list[dict[str, Any]]], as_of: date, caller: Caller
) -> dict[str, Any]:
    """Score the rows of a request; only pupils in the caller's scope are answered.

    Raises
    ------
    Faults
        With the place of everything that is wrong in the rows.
    """
    rows = sum(len(t) for t in tables.values())
    if rows > MOST_ROWS or len(tables.get("pupils", [])) > MOST_PUPILS:
        do = f"Send at most {MOST_PUPILS} pupils and {MOST_ROWS} rows in a request."
        raise Problem(413, do)
    if not date(1990, 1, 1) <= as_of <= date(2100, 1, 1):
        raise Faults(Fault("the day is out of range", "as_of", "Send a day from 1990 to 2100."))
    histories = Histories.from_rows(tables)
    with _one_at_a_time:
        found = model.score(histories, as_of)
    mine = [s for s in found if caller.authority in (None, s.authority) and (not caller.urns or s.urn in caller.urns)]
    return {"model": _named(model.manifest), "scores": [s.to_dict() for s in mine]}


def _stored(found: list[dict[str, Any]]) -> dict[str, Any]:
    if not found:
        return {"model": None, "scores": []}
    first = found[0]
    named = ModelName(
        name=first["model"],
        version=first["model_version"],
        definition=first["definition"],
        horizon_days=first["horizon_days"],
    )
    return {"model": named, "scores": found}

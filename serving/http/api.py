"""The JSON interface; plain functions do the work, and BentoML mounts this application."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from datetime import date, timedelta
from typing import Annotated, Any

import anyio
from fastapi import Depends, FastAPI, Request, Response

from features.posted import open_rows
from histories.settings import Settings
from serving.access.configuration import Configuration
from serving.access.disclosed_counts import disclosed
from serving.access.middleware import AccessMiddleware, ways_in
from serving.access.proxy import TrustedProxy
from serving.access.rate_limit import Buckets
from serving.access.sessions import Sessions
from serving.access.tokens import Tokens
from serving.http import problems
from serving.http.openapi import BODY, describe, documented
from serving.http.paging import ListChanged, Place
from serving.http.problems import Problem
from serving.http.schemas import (
    MAX_PUPILS,
    MAX_ROWS,
    CountsAnswer,
    CountsRequest,
    ModelCard,
    ModelName,
    ScoreRequest,
    ScoresAnswer,
    ScoresRequest,
    WorklistAnswer,
    WorklistRequest,
)
from serving.pages.router import mount
from serving.pages.settings import PageSettings
from serving.scoring.live_model import LiveModel
from serving.scoring.shadow import Shadow
from serving.store import Caller, Store
from serving.store.audit.model_log import copy_moves
from serving.telemetry import metrics
from training.bundle import Manifest
from training.risk_model import RiskModel


async def _caller(request: Request) -> Caller:
    """Return the caller whom the door has let in; async only so that no thread is taken for it."""
    return request.state.caller


Seer = Annotated[Caller, Depends(_caller)]
# One request at a time computes features: each uses all the processors it needs, and memory stays bounded.
_one_at_a_time = threading.Lock()
_waiting = threading.BoundedSemaphore(8)  # requests that may wait for it; the threads stay free for stored scores
PATIENCE = 30  # seconds that a request waits for its turn


def make_app(settings: Settings, host: str | None = None, workers: int = 1) -> FastAPI:
    """Return the application for some settings.

    Parameters
    ----------
    settings : Settings
    host : str, optional
        The address that the service listens on; development users are refused when it is not this machine's own.
    workers : int
        Processes that share the limits.

    Raises
    ------
    Faults
        When the file of access is wrong or the database cannot be opened.
    """
    configuration = Configuration.load(settings.access)
    store = Store.of(settings, problems.REQUEST_ID.get)
    holder = LiveModel(settings.model, settings.releases, taken=lambda: copy_moves(store, settings.releases))
    rival = LiveModel(f"{settings.model.partition('@')[0]}@challenger", settings.releases, needed=False)
    shadow = Shadow(rival, store, settings.shadow)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # A worker takes connections only when this is done: one that starts beside others must not answer without a model.
        await anyio.to_thread.run_sync(holder.model)
        holder.watch()
        shadow.watch()
        yield
        holder.stop()
        shadow.stop()
        store.refusals.flush()

    app = FastAPI(
        title="onroll",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
    )
    app.state.store, app.state.holder, app.state.shadow = store, holder, shadow
    problems.install(app)
    limits, ways = configuration.limits, ways_in(configuration, store, host)
    pages = PageSettings.load(settings.pages)
    carried = [way for way in ways if isinstance(way, (Tokens, TrustedProxy))]
    app.add_middleware(
        AccessMiddleware,
        ways=ways,
        sessions=Sessions(store, timedelta(minutes=pages.idle_minutes), carried),
        buckets=Buckets(limits.per_second / workers, max(1, limits.burst // workers)),
        refusals=store.refusals,
    )
    app.add_api_route("/openapi.json", lambda: app.openapi(), include_in_schema=False)
    _routes(app)
    mount(app, store, configuration, ways, pages, champion=holder, challenger=rival)
    describe(app)
    return app


def _model(request: Request) -> RiskModel:
    model = request.app.state.holder.model()
    if model is None:
        raise Problem(503, "No model has been trained and released yet, or it cannot be loaded.")
    return model


def _named(m: Manifest) -> ModelName:
    return ModelName(name=m.name, version=m.version, definition=m.definition, horizon_days=m.horizon_days)


def _routes(app: FastAPI) -> None:
    @app.post("/api/v1/score", response_model=ScoresAnswer, **documented(*BODY))
    def score(body: ScoreRequest, request: Request, caller: Seer) -> Response:
        """Build features from the rows sent, score and explain."""
        scored = score_rows(_model(request), body.histories, body.as_of, caller, request.app.state.shadow)
        with request.app.state.store.view(caller) as view:
            pupils = [s["pupil_id"] for s in scored["scores"]]
            view.record("rows.scored", pupils=pupils, as_of=body.as_of, model_version=scored["model"]["version"])
        return Response(json.dumps(scored, ensure_ascii=False, allow_nan=False), media_type="application/json")

    @app.post("/api/v1/scores", response_model=ScoresAnswer, **documented(*BODY, 404))
    def scores(body: ScoresRequest, request: Request, caller: Seer) -> Response:
        """Return stored scores of some pupils; a pupil whom the caller may not see is not there.

        Whoever asks for one pupil is told by 404; in a list of several the pupil is missing.
        """
        found = request.app.state.store.scores(caller, body.pupil_ids, body.as_of)
        if not found and len(body.pupil_ids) == 1:
            raise Problem(404, "There is no score of this pupil that the caller may see.")
        return _stored(found)

    @app.post("/api/v1/worklist", response_model=WorklistAnswer, **documented(*BODY, 409))
    def worklist(body: WorklistRequest, request: Request, caller: Seer) -> Response:
        """Return a page of the ranked list that the caller may see; `next` leads to the page after it."""
        try:
            after = Place.of(body.after) if body.after else None
            found = request.app.state.store.worklist(
                caller,
                body.as_of,
                body.limit,
                urn=body.urn,
                year_group=body.year_group,
                band=body.band,
                after=after,
            )
        except ListChanged:
            raise Problem(
                409, "There is no such page: another model has scored the pupils since. Begin again."
            ) from None
        # A full page may be the last one; to look further would be to see, and to record, a pupil who is not shown.
        last = json.loads(found[-1]) if len(found) == body.limit else None
        place = last and Place(
            date.fromisoformat(last["as_of"]), last["model_version"], last["rank"], last["authority"]
        )
        return _stored(found, next=place.word() if place else None)

    @app.post("/api/v1/counts", response_model=CountsAnswer, **documented(*BODY))
    def counts(body: CountsRequest, request: Request, caller: Seer) -> dict[str, Any]:
        """Count the pupils of the newest list, without identities: small counts are hidden and others rounded to 5."""
        return disclosed(request.app.state.store.counts(caller, body.as_of, body.by), body.by)

    @app.get("/api/v1/model", response_model=ModelCard, **documented())
    def model(request: Request) -> dict[str, Any]:
        """Return the card of the model that serves."""
        m = _model(request).manifest
        return {
            **_named(m).model_dump(),
            "trained_on": m.trained_on,
            "until": m.until,
            "candidate": m.candidate,
            "base_rate": m.base_rate,
            "metrics": m.metrics,
            "limits": m.limits,
            "bands": m.bands,
            "data_digest": m.data_digest,
            "catalogue_digest": m.catalogue_digest,
        }

    @app.get("/livez", include_in_schema=False)
    def livez() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    def readyz(request: Request) -> dict[str, Any]:
        m, refused = _model(request).manifest, request.app.state.holder.refused
        serving = {"status": "ready", "model": m.name, "model_version": m.version}
        return {**serving, "refused": asdict(refused)} if refused else serving

    @app.get("/metrics", include_in_schema=False)
    def metrics_page() -> Response:
        text, kind = metrics.page()
        return Response(text, media_type=kind)


def score_rows(
    model: RiskModel, tables: dict[str, list[dict[str, Any]]], as_of: date, caller: Caller, shadow: Shadow
) -> dict[str, Any]:
    """Score the rows of a request, and return the answer ready for JSON; only pupils in the caller's scope are in it.

    Raises
    ------
    Faults
        With the place of everything that is wrong in the rows.
    """
    rows = sum(len(t) for t in tables.values())
    if rows > MAX_ROWS or len(tables.get("pupils", [])) > MAX_PUPILS:
        do = f"Send at most {MAX_PUPILS} pupils and {MAX_ROWS} rows in a request."
        raise Problem(413, do)
    histories = open_rows(tables)
    with _turn():
        found = model.score(histories, as_of)
    shadow.offer(histories, as_of, found)
    mine = [s for s in found if caller.authority in (None, s.authority) and (not caller.urns or s.urn in caller.urns)]
    return {"model": _named(model.manifest).model_dump(), "scores": [s.to_dict() for s in mine]}


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for the turn to compute features, but neither long nor in a crowd."""
    busy = Problem(503, "Other requests are being scored; try again.", headers={"Retry-After": "5"})
    if not _waiting.acquire(blocking=False):
        raise busy
    try:
        if not _one_at_a_time.acquire(timeout=PATIENCE):
            raise busy
        try:
            yield
        finally:
            _one_at_a_time.release()
    finally:
        _waiting.release()


def _stored(found: list[str], **more: str | None) -> Response:
    """Return scores as they were stored: they were checked when they were made, and are shown as they were then."""
    first = json.loads(found[0]) if found else None
    named = first and {
        "name": first["model"],
        "version": first["model_version"],
        "definition": first["definition"],
        "horizon_days": first["horizon_days"],
    }
    rest = json.dumps({"model": named, **more}, ensure_ascii=False)
    return Response(f'{rest[:-1]}, "scores": [{",".join(found)}]}}', media_type="application/json")

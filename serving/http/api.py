"""The JSON interface as a FastAPI application, which BentoML mounts."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from functools import partial
from typing import Annotated, Any

import anyio
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from features.outcome.not_in_cohort import warnings_without_score
from features.posted import open_rows
from histories.io.delimited import heading
from histories.reading.posted_rows import rows_in
from histories.settings import Settings
from serving.access.authenticators import OpenAccounts
from serving.access.current import CurrentAccess
from serving.access.disclosed_counts import disclosed
from serving.access.middleware import AccessMiddleware, configured_authenticators, provider_of
from serving.access.rate_limit import Buckets
from serving.access.sessions import Sessions
from serving.http import arrow_stream, problems
from serving.http.addresses import ADDRESS
from serving.http.bento_calls import schema
from serving.http.json_once import OncePerKey
from serving.http.openapi import ABOUT, BODY, describe, documented
from serving.http.paging import Cursor, ListChanged
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
from serving.http.turns import ArrowInTurn, InTurn, Turns, answered
from serving.pages.router import mount
from serving.pages.settings import PageSettings
from serving.scoring.live_model import LiveModel
from serving.scoring.shadow import Shadow
from serving.store import Caller, Store
from serving.store.audit.model_log import check_release, record_refusal, record_take_over
from serving.store.audit.taken_back import once_served
from serving.store.database import reading
from serving.store.people.cipher import cipher_of
from serving.store.people.details import must_fit
from serving.telemetry import metrics
from serving.telemetry.alarm_hook import AlarmHook
from serving.telemetry.audit_watch import AuditWatch
from serving.telemetry.bulk_reading import BulkReading
from training.bundle import Manifest
from training.risk_model import RiskModel


async def _caller(request: Request) -> Caller:
    """Return the authenticated caller; async only so that it takes no thread."""
    return request.state.caller


async def _body(request: Request) -> bytes:
    """Return the body, which the route has awaited."""
    return await request.body()


CallerOf = Annotated[Caller, Depends(_caller)]
ArrowBody = Annotated[bytes, Depends(_body)]
# Turns are given before (serving.http.turns); a request that took too long may have left its thread computing.
_computing = threading.Lock()


def make_app(settings: Settings, host: str | None = None, workers: int = 1) -> FastAPI:
    """Build the application.

    Parameters
    ----------
    settings : Settings
    host : str, optional
        The address the service listens on; development users require a loopback address.
    workers : int
        Number of processes that share the rate limits.

    Raises
    ------
    Faults
        When the access file is wrong or the database cannot be opened.
    """
    access = CurrentAccess(settings.access)
    store = Store.of(settings, problems.REQUEST_ID.get, ADDRESS.get)
    cipher = cipher_of(settings)
    with reading(store.engine) as connection:
        must_fit(connection, cipher)
    store.on_view, audit_watch, hook = BulkReading().seen, AuditWatch(store), AlarmHook(settings.alarm_syslog)
    champion = _live_model(settings, store, settings.model)
    challenger = _live_model(settings, store, f"{settings.model.partition('@')[0]}@challenger", needed=False)
    shadow = Shadow(challenger, store, settings.shadow)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # A worker accepts connections only after this, so that a restarted worker never answers without a model.
        await anyio.to_thread.run_sync(champion.model)
        for watch in (hook, champion, shadow, audit_watch):
            watch.watch()
        yield
        for watch in (champion, shadow, audit_watch, hook):
            watch.stop()
        store.refusals.flush()

    app = FastAPI(
        title="onroll",
        version="1",
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
    )
    app.state.turns = Turns()
    app.state.store, app.state.live_model, app.state.shadow = store, champion, shadow
    problems.install(app)
    limits, authenticators = access.configuration.limits, configured_authenticators(access, store, host)
    pages = PageSettings.load(settings.pages)
    automatic = [a for a in authenticators if isinstance(a, OpenAccounts)]  # sent with every request
    app.add_middleware(
        AccessMiddleware,
        authenticators=authenticators,
        sessions=Sessions(store, timedelta(minutes=pages.idle_minutes), access, automatic),
        buckets=Buckets(limits.per_second / workers, max(1, limits.burst // workers)),
        refusals=store.refusals,
    )
    app.add_api_route("/openapi.json", lambda: app.openapi(), include_in_schema=False)
    app.add_api_route("/schema.json", schema, include_in_schema=False)
    app.router.route_class = OncePerKey
    _routes(app)
    provider = provider_of(access.configuration, authenticators)
    models = {"champion": champion, "challenger": challenger}
    mount(app, store, access, authenticators, pages, **models, cipher=cipher, provider=provider)
    describe(app)
    return app


def _live_model(settings: Settings, store: Store, model: str, *, needed: bool = True) -> LiveModel:
    return LiveModel(
        model,
        settings.releases,
        needed=needed,
        public_keys=settings.verify_keys,
        check=partial(check_release, store, settings.releases),
        take_over=partial(record_take_over, store),
        refusing=partial(record_refusal, store, model),
        once_served=partial(once_served, store.engine),
    )


def _refuse_if_withdrawn(request: Request) -> None:
    """Raise ``Problem`` while the model is withdrawn or contradicts its log: neither live nor stored scores are shown."""
    live = request.app.state.live_model
    live.model()
    if live.withdrawn:
        raise Problem(503, "The model was withdrawn: no scores are served until another version is released.")
    if live.hides_scores:
        raise Problem(503, "The released model is gone, or disagrees with its log or the audit: no scores are served.")


def _model(request: Request) -> RiskModel:
    _refuse_if_withdrawn(request)
    model = request.app.state.live_model.model()
    if model is None:
        raise Problem(503, "No model has been released yet, or it cannot be loaded.")
    return model


def _model_name(m: Manifest) -> ModelName:
    return ModelName(name=m.name, version=m.version, definition=m.definition, horizon_days=m.horizon_days)


def _routes(app: FastAPI) -> None:
    def score(body: ScoreRequest, request: Request, caller: CallerOf) -> Response:
        """Score and explain pupils from posted rows."""
        scored = score_rows(_model(request), body.histories, body.as_of, caller, request.app.state.shadow)
        with request.app.state.store.view(caller) as view:
            pupils = [s["pupil_id"] for s in scored["scores"]]
            view.record("rows.scored", pupils=pupils, as_of=body.as_of, model_version=scored["model"]["version"])
        return answered(scored)

    def score_columns(body: ArrowBody, request: Request, caller: CallerOf) -> Response:
        """Score and explain pupils from Arrow streams."""
        return score(_score_request(body), request, caller)

    score_routes = ((score_columns, ArrowInTurn), (score, InTurn))
    for answer, kind in score_routes:
        app.router.add_api_route(
            "/api/v1/score",
            answer,
            methods=["POST"],
            response_model=ScoresAnswer,
            route_class_override=kind,
            include_in_schema=kind is InTurn,
            **documented(*BODY),
        )

    @app.post("/api/v1/scores", response_model=ScoresAnswer, **documented(*BODY, 404))
    def scores(body: ScoresRequest, request: Request, caller: CallerOf) -> Response:
        """Return stored scores; pupils outside the caller's scope are left out.

        A request for a single pupil without a visible score gets 404.
        """
        _refuse_if_withdrawn(request)
        scores = request.app.state.store.scores(caller, body.pupil_ids, body.as_of)
        if not scores and len(body.pupil_ids) == 1:
            raise Problem(404, "No score of this pupil is visible to the caller.")
        return _stored(scores)

    @app.post("/api/v1/worklist", response_model=WorklistAnswer, **documented(*BODY, 409))
    def worklist(body: WorklistRequest, request: Request, caller: CallerOf) -> Response:
        """Return a page of the ranked list in the caller's scope; `next` leads to the following page."""
        _refuse_if_withdrawn(request)
        try:
            after = Cursor.of(body.after) if body.after else None
            listed = request.app.state.store.worklist(
                caller,
                body.as_of,
                body.limit,
                urn=body.urn,
                year_group=body.year_group,
                band=body.band,
                list_name=body.list,
                after=after,
            )
        except ListChanged:
            raise Problem(409, "The list has changed since that page; start again from the first page.") from None
        # A full page may be the last; looking further would read, and record, a pupil who is not shown.
        last = json.loads(listed[-1]) if len(listed) == body.limit else None
        cursor = last and Cursor(
            date.fromisoformat(last["as_of"]), last["model_version"], last["rank"], last["authority"]
        )
        return _stored(listed, next=cursor.token() if cursor else None)

    @app.post("/api/v1/counts", response_model=CountsAnswer, **documented(*BODY))
    def counts(body: CountsRequest, request: Request, caller: CallerOf) -> dict[str, Any]:
        """Count the pupils of the list, without identities; small counts are suppressed, the others rounded to 5."""
        _refuse_if_withdrawn(request)
        return disclosed(request.app.state.store.counts(caller, body.as_of, body.by), body.by)

    @app.get("/api/v1/model", response_model=ModelCard, **documented())
    def model(request: Request) -> dict[str, Any]:
        """Return the card of the champion."""
        m = _model(request).manifest
        return {name: getattr(m, name) for name in ModelCard.model_fields if name != "warnings"}

    _probes(app)


def _probes(app: FastAPI) -> None:
    @app.get("/livez", include_in_schema=False)
    def livez() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    def readyz(request: Request) -> dict[str, Any]:
        live = request.app.state.live_model
        live.model()
        if live.withdrawn:  # pages go on with deadlines and cases, so the instance stays in use
            return {"status": "ready", "model": None, "withdrawn": True}
        refused = live.refused
        if refused and refused.reason:
            errors = [{"loc": ["model"], "msg": "Run 'onroll models verify'.", "type": refused.reason}]
            raise Problem(503, "The released model disagrees with its promotion log or the audit.", errors)
        m = _model(request).manifest
        serving = {"status": "ready", "model": m.name, "model_version": m.version}
        broken = refused and {"version": refused.version, "why": refused.why}
        return {**serving, "refused": broken} if broken else serving

    @app.get("/metrics", include_in_schema=False)
    def metrics_page() -> Response:
        text, kind = metrics.page()
        return Response(text, media_type=kind)


def _score_request(body: bytes) -> ScoreRequest:
    """Return the request that Arrow streams hold.

    Raises
    ------
    RequestValidationError
        If the day is no day.
    """
    try:
        return ScoreRequest.model_validate(arrow_stream.read(body))
    except ValidationError as error:
        raise RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in error.errors()]) from None


def score_rows(model: RiskModel, tables: dict[str, Any], as_of: date, caller: Caller, shadow: Shadow) -> dict[str, Any]:
    """Score the rows of a request, and return the answer for JSON, limited to the caller's scope.

    Raises
    ------
    Faults
        With the location of every error in the rows.
    """
    rows = sum(map(rows_in, tables.values()))
    if rows > MAX_ROWS or sum(rows_in(sent) for name, sent in tables.items() if heading(name) == "pupils") > MAX_PUPILS:
        do = f"Send at most {MAX_PUPILS} pupils and {MAX_ROWS} rows in a request."
        raise Problem(413, do)
    histories = open_rows(tables)
    with _computing:
        scores = model.score(histories, as_of)
    shadow.offer(histories, as_of, scores)
    visible = [s for s in scores if caller.may_see(s.authority, s.urn)]
    return {
        "model": _model_name(model.manifest).model_dump(),
        "scores": [s.to_dict() for s in visible],
        "warnings": [*histories.warnings, *warnings_without_score(histories, len(scores))],
    }


def _stored(scores: list[str], **more: str | None) -> Response:
    """Return scores exactly as stored; they were validated when they were made."""
    first = json.loads(scores[0]) if scores else None
    model = first and {
        "name": first["model"],
        "version": first["model_version"],
        "definition": first["definition"],
        "horizon_days": first["horizon_days"],
    }
    rest = json.dumps({"model": model, "warnings": [], **more}, ensure_ascii=False)
    return Response(f'{rest[:-1]}, "scores": [{",".join(scores)}]}}', media_type="application/json")

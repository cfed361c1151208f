"""The BentoML service: mounts the application and keeps logs free of values; all logic lives in plain modules."""

from __future__ import annotations

import gc
import os

# What is imported and loaded stays for good. To look through it for garbage makes the start longer, and later would stop every
# request for 0.2 s, again and again; what is frozen is not looked through.
gc.disable()
os.environ["BENTOML_DO_NOT_TRACK"] = "True"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import bentoml

from features import load_own_features
from histories.settings import settings
from serving.http import supervision
from serving.http.api import make_app
from serving.http.guard import Guard
from serving.telemetry import logs

supervision.by_steady_clock()  # the supervisor imports this module too
WORKERS = int(os.environ.get("ONROLL_WORKERS", "1"))
load_own_features(settings().features)
app = make_app(settings(), os.environ.get("ONROLL_HOST"), WORKERS)


@bentoml.service(
    name="onroll",
    workers=WORKERS,
    threads=4,
    # The guard limits times and crowds, answers problems and writes the log by route template; BentoML's own would say
    # paths, and its time only has to be longer: not much, since it holds a timer of every request until then.
    traffic={"timeout": 150},
    metrics={"enabled": False},
    tracing={"excluded_urls": ".*"},  # its spans would hold whole addresses; serving/telemetry/tracing.py writes ours
    logging={"access": {"enabled": False}},
)
@bentoml.asgi_app(app, path="/")
class Onroll:
    """Explained scores over HTTP."""

    @bentoml.on_startup
    async def _start(self) -> None:
        logs.install()
        app.state.holder.model()  # loaded once; what it holds is frozen too
        gc.freeze()


# BentoML's own routes (/schema.json, /healthz, a page with an outside script) have no rule, so requests go past them.
Onroll.add_asgi_middleware(Guard, routes=app, people=app.state.people, refusals=app.state.store.refusals)  # type: ignore[attr-defined]
gc.freeze()
gc.enable()

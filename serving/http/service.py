"""The BentoML service: mounts the application; `onroll serve` runs it (``serving.cli.running``)."""

from __future__ import annotations

import gc
import os

# Imports live for the whole process: collecting during import slows the start, and gc.freeze() avoids 0.2 s pauses later.
gc.disable()
os.environ["BENTOML_DO_NOT_TRACK"] = "True"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import bentoml

from features import load_own_features
from histories.errors import Faults
from histories.io.private_files import only_for_the_owner, writable_code
from histories.settings import settings, working_folder
from serving.http import connections, supervision
from serving.http.api import make_app
from serving.http.archive import refuse_within
from serving.http.bento_calls import declared
from serving.http.guard import Guard
from serving.telemetry import logs

refuse_within(working_folder())
only_for_the_owner()
supervision.use_monotonic_clock()  # the supervisor imports this module too
connections.install()
WORKERS = int(os.environ.get("ONROLL_WORKERS", "1"))
features = settings().features
if features is not None and (fault := writable_code(features)):
    raise Faults(fault)
load_own_features(features)
app = make_app(settings(), os.environ.get("ONROLL_HOST"), WORKERS)


@bentoml.service(
    name="onroll",
    workers=WORKERS,
    threads=4,
    # The guard has the time limits, and logs by route template; BentoML would log raw paths. Its timeout must only be
    # longer than the guard's, but not much: it keeps a timer per request until then.
    traffic={"timeout": 150},
    metrics={"enabled": False},
    tracing={"excluded_urls": ".*"},  # its spans would hold raw paths; serving/telemetry/tracing.py writes ours
    logging={"access": {"enabled": False}},
)
@bentoml.asgi_app(app, path="/")
class Onroll:
    """Explained scores over HTTP."""

    score, scores, worklist, counts = map(declared, ("score", "scores", "worklist", "counts"))

    @bentoml.on_startup
    async def _start(self) -> None:
        logs.install()
        app.state.live_model.model()  # loaded before the freeze
        gc.freeze()


# Requests bypass BentoML's own routes (/healthz, /docs.json, a page with an external script), which have no permission.
Onroll.add_asgi_middleware(Guard, routes=app, people=app.state.people, refusals=app.state.store.refusals)  # type: ignore[attr-defined]
gc.freeze()
gc.enable()

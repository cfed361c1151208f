"""The supervisor of the workers, which looks every second whether one has died and starts another."""

from __future__ import annotations

import time

from tornado.ioloop import IOLoop


def by_steady_clock() -> None:
    """Let the supervisor count seconds by the steady clock.

    Tornado plans its next look by the time of day: after the clock of a machine was set back by an hour, a worker that dies
    would stay dead for that hour. https://github.com/tornadoweb/tornado/issues/2333
    """
    IOLoop.time = lambda self: time.monotonic()  # type: ignore[method-assign]

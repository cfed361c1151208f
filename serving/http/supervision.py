"""The supervisor of the workers, which checks every second whether one has died, and restarts it."""

from __future__ import annotations

import time

from tornado.ioloop import IOLoop


def use_monotonic_clock() -> None:
    """Make the supervisor's timer use the monotonic clock.

    Tornado schedules callbacks by the time of day: if the clock is set back an hour, a dead worker would stay dead for
    that hour. https://github.com/tornadoweb/tornado/issues/2333
    """

    def monotonic(_: IOLoop) -> float:
        return time.monotonic()

    IOLoop.time = monotonic  # type: ignore[method-assign, assignment]

"""The supervisor keeps monitoring its workers when the clock is set back."""

import asyncio
import contextlib
import time

from tornado.ioloop import IOLoop, PeriodicCallback

from serving.http import supervision
from tests.support.coroutines import run


def looks(monkeypatch, set_back):
    """Return how often a callback of every 5 ms ran while the time of day was set back by an hour after the first."""
    checks, day = [], time.time

    async def observed():
        enough = asyncio.Event()

        def look():
            checks.append(1)
            monkeypatch.setattr(time, "time", lambda: day() - set_back)
            if len(checks) == 3:
                enough.set()

        callback = PeriodicCallback(look, 5)
        callback.start()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(enough.wait(), 2)
        callback.stop()

    run(observed())
    monkeypatch.setattr(time, "time", day)
    return len(checks)


def test_a_clock_set_back_stops_no_looks(monkeypatch):
    # Tornado's original method, whatever was imported before; the patch is undone afterwards.
    monkeypatch.setattr(IOLoop, "time", lambda self: time.time())
    assert looks(monkeypatch, 3600) < 3, "Tornado has mended it: serving.http.supervision can go"
    supervision.use_monotonic_clock()
    assert looks(monkeypatch, 3600) == 3

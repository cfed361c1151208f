"""What stands in the place of a guard of HTTP that is taken out: see ``tests/support/guards.py``."""

import asyncio
import re
from contextlib import asynccontextmanager, contextmanager
from types import SimpleNamespace
from typing import Any

from tests.support.stand_ins import nothing


def uncounted(bodies: Any, body: Any, count: int) -> bool:
    """Receive however much."""
    return True


def arriving_is_work(module: Any) -> None:
    """Count a request as work from its first byte on."""
    call = module.Guard.__call__

    async def counted(guard: Any, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and guard.work.is_full():
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        place = object()
        guard.work.begin(place)
        try:
            await call(guard, scope, receive, send)
        finally:
            guard.work.end(place)

    module.Guard.__call__ = counted


def unread_is_work(module: Any) -> None:
    """Count a request as work until its client has read the answer."""
    send = module.Exchange._send

    async def counted(exchange: Any, message: Any) -> None:
        work = exchange.work
        exchange.work = SimpleNamespace(begin=work.begin, end=nothing)
        try:
            await send(exchange, message)
        finally:
            exchange.work = work

    module.Exchange._send = counted


def nobodys(body: Any) -> str:
    """Let each body be somebody else's."""
    return str(id(body))


@contextmanager
def every_seat(room: Any, address: Any) -> Any:
    """Let everybody wait."""
    yield asyncio.get_running_loop().create_future()


NO_LINE = re.compile(b"(?!)")


def prefix_is_enough(rule: Any, path: str) -> bool:
    """Compare the beginning of a path."""
    return rule._pattern.match(path.strip()) is not None


@asynccontextmanager
async def no_turn(turns: Any, caller: str) -> Any:
    """Wait for nobody."""
    yield

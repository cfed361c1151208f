"""The outermost layer: sizes, content types, a request id, security headers, and one answer when all else fails."""

from __future__ import annotations

import logging
import secrets
import time
from typing import Any

from serving import metrics
from serving.problems import answer

log = logging.getLogger("onroll.guard")
LIMIT = 64 * 1024 * 1024  # bytes of a body
HEADERS = [
    (b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"), (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]  # fmt: skip


class Guard:
    """ASGI middleware around the application."""

    def __init__(self, app: Any, limit: int = LIMIT) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = {"size": 0, "status": 0, "over": False}
        began, number = time.perf_counter(), secrets.token_hex(8).encode()

        async def bounded() -> Any:
            message = await receive()
            if message["type"] == "http.request":
                state["size"] += len(message.get("body", b""))
                if state["size"] > self.limit:
                    state["over"] = True
                    return {"type": "http.disconnect"}
            return message

        async def headed(message: Any) -> None:
            if message["type"] == "http.response.start":
                if state["over"]:
                    return
                state["status"] = message["status"]
                message = {
                    **message,
                    "headers": [*message.get("headers", []), *HEADERS, (b"x-request-id", number)],
                }
            if not (state["over"] and not state["status"]):
                await send(message)

        refusal = self._refusal(scope)
        try:
            if refusal is not None:
                await refusal(scope, receive, headed)
            else:
                await self.app(scope, bounded, headed)
        except Exception:
            if not state["over"]:
                log.exception("a request failed")
                if not state["status"]:
                    await answer(500, "It was logged without what was sent.")(scope, receive, headed)
        if state["over"] and not state["status"]:
            state["over"] = False
            await answer(413, f"The most is {self.limit} bytes.")(scope, receive, headed)
        rule = scope.get("rule")
        route = rule.route if rule else "unmatched"
        metrics.count(scope["method"], route, int(state["status"]), began)

    def _refusal(self, scope: Any) -> Any:
        headers = dict(scope.get("headers", []))
        length = headers.get(b"content-length", b"0")
        if not length.isdigit():
            return answer(400, "The length of the body is not a number.")
        if int(length) > self.limit:
            return answer(413, f"The most is {self.limit} bytes.")
        kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        if scope["method"] == "POST" and kind != b"application/json":
            return answer(415, "Send application/json.")
        return None

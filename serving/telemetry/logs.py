"""Logs as JSON lines; an exception is logged by its type and place, since its message may hold a pupil's value."""

from __future__ import annotations

import json
import logging
import traceback

from serving.http.problems import REQUEST_ID

FOREIGN = ("", "bentoml", "bentoml.access", "uvicorn", "uvicorn.error", "uvicorn.access")


class JsonFormatter(logging.Formatter):
    """Formats a record without what an exception says."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON line."""
        line = {
            "at": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "msg": record.getMessage(),
            **({"request_id": REQUEST_ID.get()} if REQUEST_ID.get() else {}),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            last = traceback.extract_tb(record.exc_info[2])[-1:]
            line["exception"] = record.exc_info[0].__name__
            line["where"] = ", ".join(f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno}" for f in last)
        return json.dumps(line)


def install() -> None:
    """Put the formatter on every handler that the server has made, and give our own lines a handler."""
    for name in FOREIGN:
        for handler in logging.getLogger(name).handlers:
            handler.setFormatter(JsonFormatter())
    own = logging.getLogger("onroll")
    if not own.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(JsonFormatter())
        own.addHandler(handler)
        own.setLevel(logging.INFO)
        own.propagate = False

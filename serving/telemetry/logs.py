"""JSON log lines; an exception is logged by type and place, since its message may hold a pupil's value."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime

from serving.http.problems import REQUEST_ID

SERVER_LOGGERS = ("", "bentoml", "bentoml.access", "uvicorn", "uvicorn.error", "uvicorn.access")


class JsonFormatter(logging.Formatter):
    """Formats a record, without the message of its exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
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
    """Set the formatter on the server's handlers, and give the ``onroll`` logger a handler."""
    for name in SERVER_LOGGERS:
        for handler in logging.getLogger(name).handlers:
            handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("onroll")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(JsonFormatter())
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False

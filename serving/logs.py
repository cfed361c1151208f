"""Logs as JSON lines; an exception is logged by its type and place, since its message may hold a pupil's value."""

from __future__ import annotations

import json
import logging
import traceback


class JsonFormatter(logging.Formatter):
    """Formats a record without arguments of exceptions."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON line."""
        line = {
            "at": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "msg": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0]:
            last = traceback.extract_tb(record.exc_info[2])[-1:]
            line["exception"] = record.exc_info[0].__name__
            line["where"] = ", ".join(f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno}" for f in last)
        return json.dumps(line)


def install() -> None:
    """Put the formatter on every handler that the server has made."""
    for name in ("", "bentoml", "bentoml.access", "uvicorn", "uvicorn.error", "uvicorn.access", "onroll"):
        for handler in logging.getLogger(name).handlers:
            handler.setFormatter(JsonFormatter())

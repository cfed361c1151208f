"""Bodies in JSON, in which an object names each key once: of two, readers differ in which one counts."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Coroutine
from itertools import chain
from typing import Any

import numpy as np
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic_core import from_json

from histories.reading.json_lists import put_back, taken_out

TWICE = "An object of the body names one key twice; send each key once."
COLON, QUOTATION_MARK, WHITE_SPACE = ord(":"), ord('"'), list(b" \t\r\n")
NESTED = {dict, list}
UNREAD = object()
KEY_ENDS = re.compile(rb'"[ \t\r\n]*:')  # of each key, and within a text where a quotation mark and a colon meet


def parsed(body: bytes) -> Any:
    """Return what JSON in UTF-8 holds, the same as `json.loads` does; pydantic's parser takes half the time.

    Raises
    ------
    json.JSONDecodeError
        That of `json.loads`, or ``TWICE`` if an object has a key twice.
    UnicodeDecodeError
        In another encoding: a proxy before the service would see other text.
    """
    read = _read(body)
    return json.loads(body.decode("utf-8-sig"), object_pairs_hook=_once) if read is UNREAD else read


def parsed_histories(body: bytes) -> Any:
    """Return the same as ``parsed``, but long lists of rows and of columns as ``CodedRows`` and ``CodedColumn``.

    Raises
    ------
    json.JSONDecodeError, UnicodeDecodeError
        As there.
    """
    mark = secrets.token_hex(16)
    rest, lists = taken_out(body, mark)
    read = _read(rest)
    return parsed(body) if read is UNREAD else put_back(read, mark, lists)


def _read(body: bytes) -> Any:
    """Return what a body holds, or ``UNREAD``: the other parser says where the fault is, and reads some texts that this one refuses."""
    try:
        read = from_json(body)
    except ValueError:
        return UNREAD
    return read if _keys_in(read) == key_ends(body) else UNREAD


def key_ends(body: bytes) -> int:
    """Count the ends of keys, and of what looks like one within a text: quotation marks before a colon, with or without white space between."""
    letters = np.frombuffer(body, np.uint8)
    before = letters[np.flatnonzero(letters[1:] == COLON)]
    if np.isin(before, WHITE_SPACE).any():
        return sum(1 for _ in KEY_ENDS.finditer(body))
    return int(np.count_nonzero(before == QUOTATION_MARK))


def _keys_in(read: Any) -> int:
    """Count the keys of all objects; rows and columns of plain values are counted without looking at each in Python."""
    keys, level = 0, [read]
    while NESTED & (kinds := {*map(type, level)}):
        objects = level if kinds == {dict} else [x for x in level if type(x) is dict]
        lists = [x for x in level if type(x) is list]
        keys += sum(map(len, objects))
        level = [*chain.from_iterable(map(dict.values, objects)), *chain.from_iterable(lists)]
    return keys


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise json.JSONDecodeError(TWICE, "", 0)
    return read


class PostedRequest(Request):
    """A request whose body is read so."""

    reader = staticmethod(parsed)

    async def json(self) -> Any:
        """Return the body; see ``parsed``."""
        if not hasattr(self, "_json"):
            self._json = self.reader(await self.body())
        return self._json


class PostedHistories(PostedRequest):
    """A request with histories to score."""

    reader = staticmethod(parsed_histories)


class OncePerKey(APIRoute):
    """A route that reads its body so."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler."""
        handler: Any = super().get_route_handler()

        async def answered(request: Request) -> Response:
            is_read = isinstance(request, PostedRequest)  # the bytes come once
            return await handler(request if is_read else PostedRequest(request.scope, request.receive))

        return answered

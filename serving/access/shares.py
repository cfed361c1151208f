"""How much one caller may have at work in one worker, so that nobody's requests take every place and every thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from serving.http.problems import Problem

MAX_OF_CALLER = 16  # requests at work, a quarter of ``serving.http.work.MAX_AT_ONCE``


class Shares:
    """The requests at work, by caller."""

    def __init__(self) -> None:
        self._at_work: Counter[str] = Counter()

    @contextmanager
    def one(self, caller: str) -> Iterator[None]:
        """Count a request of a caller meanwhile.

        Raises
        ------
        Problem
            When the caller has too many already.
        """
        if self._at_work[caller] >= MAX_OF_CALLER:
            text = f"At most {MAX_OF_CALLER} requests of one caller are answered at once; send this one later."
            raise Problem(429, text, headers={"Retry-After": "2"})
        self._at_work[caller] += 1
        try:
            yield
        finally:
            self._at_work[caller] -= 1
            if not self._at_work[caller]:
                del self._at_work[caller]

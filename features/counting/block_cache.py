"""A cache of counted blocks in a folder: each file is named by a hash of its inputs, and is either whole or absent.

A killed run leaves only whole files, which the next run reuses. Files hold rows of children, so only their owner may enter the
folder, and files that no run has used for some weeks are removed.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import io
import json
import os
import time
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from histories.io.private_files import SERVICE
from histories.settings import Settings

STAYS = 35  # days for which an unused file is kept
ENGINES = tuple(version(name) for name in ("duckdb", "polars", "narwhals"))


def kept_blocks(settings: Settings) -> BlockStore | None:
    """Return the cache that the settings name; none where a service runs that could write it.

    Counts carry no code: whoever breaks into the service would choose what every later score, judgement and alarm is computed from.
    Where ``ONROLL_SERVICE`` is set, the cache must lie outside the folder of the data (``ONROLL_BLOCKS``), where the service cannot write.
    """
    folder = settings.folder
    # As named and as found: a link in the folder leads wherever the service likes.
    places = ((settings.blocks.absolute(), folder.absolute()), (settings.blocks.resolve(), folder.resolve()))
    inside = any(place.is_relative_to(within) for place, within in places)
    return None if inside and os.environ.get(SERVICE) == "1" else BlockStore(settings.blocks)


class BlockStore:
    """Counted columns by key.

    Attributes
    ----------
    counted, reused : int
        How many parts of blocks and days this run counted, and how many it reused.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        self.folder, self.counted, self.reused = folder, 0, 0
        self._code = code_digest()

    def key(self, *what: object) -> str:
        """Return the name of a result: a hash of its inputs, of the counting code and of the engines' versions."""
        return hashlib.sha256(repr((self._code, ENGINES, *what)).encode()).hexdigest()[:40]

    def held(self, key: str) -> dict[str, str]:
        """Return ``{column: digest}`` of a file; empty when it is absent."""
        file = self._file(key)
        if not file.is_file():
            return {}
        os.utime(file)
        return json.loads((pq.read_schema(file).metadata or {}).get(b"onroll", b"{}"))

    def read(self, key: str, columns: list[str]) -> pl.DataFrame:
        """Return columns of a file."""
        return pl.read_parquet(self._file(key), columns=columns, hive_partitioning=False)

    def write(self, key: str, frame: pl.DataFrame, digests: dict[str, str]) -> None:
        """Write a file with the digests of its columns, atomically."""
        table = frame.select(list(digests)).to_arrow().replace_schema_metadata({"onroll": json.dumps(digests)})
        beside = self._beside(key)
        pq.write_table(table, beside, compression="zstd")
        beside.replace(self._file(key))

    def noted(self, key: str) -> dict[str, str]:
        """Return the notes stored under a key."""
        file = self.folder / f"{key}.json"
        if not file.is_file():
            return {}
        os.utime(file)
        return json.loads(file.read_text(encoding="utf-8"))

    def note(self, key: str, notes: dict[str, str]) -> None:
        """Store notes under a key."""
        beside = self._beside(key)
        beside.write_text(json.dumps(notes), encoding="utf-8")
        beside.replace(self.folder / f"{key}.json")

    def forget(self) -> None:
        """Remove files unused for ``STAYS`` days, unfinished files of killed runs among them."""
        limit = time.time() - STAYS * 86400
        for file in self.folder.iterdir():
            if file.stat().st_mtime < limit:
                file.unlink(missing_ok=True)

    def _beside(self, key: str) -> Path:
        # Two runs may count the same block at once: each writes to its own temporary file, and the last rename wins.
        return self.folder / f".{key}.{os.getpid()}.writing"

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.parquet"


def fingerprint(frame: pl.DataFrame) -> str:
    """Return a hash of every value of a frame, in order."""
    content = io.BytesIO()
    frame.rechunk().write_ipc(content)
    return hashlib.sha256(content.getvalue()).hexdigest()


@cache
def code_digest() -> str:
    """Return a hash of the counting code: the module of the tallies and every onroll module that it imports."""
    sources: dict[str, str] = {}
    todo = ["features.counting.tallies"]
    while todo:
        name = todo.pop()
        if name not in sources:
            sources[name] = inspect.getsource(import_module(name))
            imported = [n.module for n in ast.walk(ast.parse(sources[name])) if isinstance(n, ast.ImportFrom)]
            todo += [m for m in imported if m and m.startswith(("features.", "histories."))]
    return hashlib.sha256(json.dumps(sources, sort_keys=True).encode()).hexdigest()

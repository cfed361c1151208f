"""DuckDB's progress bar, which would write between the lines of a command."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def switch_off(connection: duckdb.DuckDBPyConnection) -> None:
    """Switch the progress bar off.

    In a notebook without ipywidgets it is off, and DuckDB refuses to be told so.
    """
    import duckdb

    with suppress(duckdb.InvalidInputException):
        connection.execute("SET enable_progress_bar = false")

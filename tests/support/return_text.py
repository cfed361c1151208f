"""Import returns from text, and read back some columns of one table."""

from __future__ import annotations

import duckdb

from histories.returns import FORMATS, import_return

KEY = b"a key for tests only"


def read(tmp_path, form, files, table, columns, **options):
    """Import files given by name and text; return some columns of one table, sorted."""
    folder = tmp_path / "return"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    if "mapping" in options:
        (tmp_path / "own.toml").write_text(options["mapping"])
        options["mapping"] = tmp_path / "own.toml"
    report = import_return(FORMATS[form], [folder], tmp_path / "h", KEY, **options)
    file = str(tmp_path / "h" / f"{table}.parquet")
    table_rows = duckdb.execute(f"SELECT {columns} FROM read_parquet(?) ORDER BY ALL", [file]).fetchall()
    return table_rows, report


def cin(identifiers, details):
    return f"<Message><Header><Collection>CIN</Collection><Year>2025</Year></Header><Children><Child><ChildIdentifiers>{identifiers}</ChildIdentifiers>{details}</Child></Children></Message>"

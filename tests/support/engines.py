"""Open rows on an engine: posted to it, or read from files."""

import pyarrow as pa
import pyarrow.parquet as pq

from histories.reading.histories import Histories


def open_on(engine, tables, folder):
    """Open rows by table on DuckDB or Spark from Parquet files in a folder, on Polars or plain lists directly."""
    if engine in ("polars", "plain"):
        return Histories.from_rows(tables, plain=engine == "plain")
    for name, rows in tables.items():
        columns = dict.fromkeys(c for row in rows for c in row)
        pq.write_table(pa.Table.from_pylist([{c: r.get(c) for c in columns} for r in rows]), folder / f"{name}.parquet")
    return Histories.open(folder, engine=engine)

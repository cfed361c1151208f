"""Open rows on an engine: posted to it, or read from files; and the setting of a Java that starts quickly."""

import pyarrow as pa
import pyarrow.parquet as pq

from histories.reading.histories import Histories

# Tests run each query on Spark once or twice, so Java's second, thorough compiler costs more than it gains.
QUICK_JAVA = ("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")


def open_on(engine, tables, folder):
    """Open rows by table on DuckDB or Spark from Parquet files in a folder, on Polars or plain lists directly."""
    if engine in ("polars", "plain"):
        return Histories.from_rows(tables, plain=engine == "plain")
    for name, rows in tables.items():
        columns = dict.fromkeys(c for row in rows for c in row)
        pq.write_table(pa.Table.from_pylist([{c: r.get(c) for c in columns} for r in rows]), folder / f"{name}.parquet")
    return Histories.open(folder, engine=engine)

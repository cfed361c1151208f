"""Opening histories: a folder on DuckDB or Spark, or the rows of a request."""

ENGINES = ("duckdb", "polars", "spark")

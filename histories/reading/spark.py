"""Histories on Spark: the same tables, checks and canonical form as Spark DataFrames.

A location is a local folder, which DuckDB checks as usual; any other path that Spark can read (``hdfs://…``, ``s3a://…``,
``abfss://…``, ``file:///…``) with ``<table>.parquet`` or a folder ``<table>``; or ``spark://DATABASE``, a database of the Spark
catalogue with tables of these names. Spark checks the last two, in one pass per table and one per key.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.quantities import quantity
from histories.io.sql import literal
from histories.reading.files import IN_LONDON, bad_value, read_tables
from histories.reading.folder import find_files
from histories.reading.typed_columns import (
    SQL_TYPES,
    SourceColumn,
    declared_columns,
    value_faults,
    value_sql,
    warning_tests,
)
from histories.reading.unmatched import LINKS, warnings_of_unmatched
from histories.reading.usable import ENDS_EARLY
from histories.tables import TABLES, Column, Table

DATABASE = "spark://"
JAVA = "Install Java 17 (on Debian: apt-get install openjdk-17-jre-headless), or point JAVA_HOME to it."
# Spark's type names that differ from DuckDB's.
TYPES = {"STRING": "VARCHAR", "VOID": '"NULL"'}


def session(memory: str | None = None) -> Any:
    """Return the active Spark session, or start one.

    ``SPARK_REMOTE`` names a Spark Connect server, the setting ``ONROLL_SPARK_MASTER`` a master; by default ``spark-defaults.conf``
    in ``SPARK_CONF_DIR`` applies, else all cores of this machine. Java's output is discarded, since it can hold values of
    rows, unless ``ONROLL_TRACEBACK`` is set.

    Raises
    ------
    Faults
        If pyspark or Java is missing, or Spark does not start.
    """
    try:
        from pyspark.logger import PySparkLogger
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise Faults(Fault("pyspark is not installed", "engine spark", "pip install 'onroll[spark]'")) from error
    if not os.environ.get("ONROLL_TRACEBACK"):
        # Its messages on standard error can hold values of rows.
        PySparkLogger.getLogger("SQLQueryContextLogger").disabled = True
    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    builder = SparkSession.builder.appName("onroll")
    if not os.environ.get("SPARK_REMOTE"):
        builder = _local_or_master(builder, memory)
    try:
        with _silently():
            return builder.config("spark.sql.session.timeZone", "Europe/London").getOrCreate()
    except Exception as error:
        do = "Check SPARK_REMOTE or ONROLL_SPARK_MASTER; ONROLL_TRACEBACK=1 shows Spark's own messages."
        raise Faults(Fault("Spark did not start", "engine spark", do)) from error


def _local_or_master(builder: Any, memory: str | None) -> Any:
    from histories.settings import settings

    home = os.environ.get("JAVA_HOME")
    if not ((home and (Path(home) / "bin" / "java").is_file()) or shutil.which("java")):
        raise Faults(Fault("Java is not installed", "engine spark", JAVA))
    master = settings().spark_master or (None if os.environ.get("SPARK_CONF_DIR") else "local[*]")
    builder = builder.config("spark.ui.showConsoleProgress", "false").config("spark.ui.enabled", "false")
    # Recording the Python line of every column takes longer than building the plan.
    builder = builder.config("spark.python.sql.dataFrameDebugging.enabled", "false")
    if master is None:
        return builder
    if master.startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        # The default of 200 suits a cluster; here each partition would start a Python for a few rows.
        builder = builder.config("spark.sql.shuffle.partitions", str(2 * (os.cpu_count() or 1)))
        if memory:
            builder = builder.config("spark.driver.memory", memory.lower().replace(" ", "").rstrip("b").rstrip("i"))
    return builder.master(master)


@contextmanager
def _silently() -> Iterator[None]:
    """Discard the output of child processes: Spark's Java inherits both streams when it starts."""
    if os.environ.get("ONROLL_TRACEBACK"):
        yield
        return
    sys.stdout.flush()
    sys.stderr.flush()
    originals = [os.dup(1), os.dup(2)]
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 1)
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(originals[0], 1)
        os.dup2(originals[1], 2)
        for descriptor in (*originals, null):
            os.close(descriptor)


Read = tuple[dict[str, Any], list[str], dict[str, list[Path]], dict[str, tuple[str, ...]]]


def read_place(spark: Any, place: str, scratch: Path) -> Read:
    """Read the tables at a location in canonical form.

    Parameters
    ----------
    scratch : Path
        An empty folder, for Parquet copies of local CSV tables.

    Returns
    -------
    dict, list of str, dict, dict
        A DataFrame for each table, the warnings, the local files, and the columns with values that count as missing.

    Raises
    ------
    Faults
        With the faults of all tables.
    """
    if "://" not in place:
        return _read_folder(spark, Path(place), scratch)
    natives, odd_columns, faults = {}, {}, []
    warnings: list[str] = []
    for name, table in TABLES.items():
        try:
            frame = _find(spark, place, name)
            if frame is not None:
                where = f"{place.rstrip('/')}/{name}"
                columns = declared_columns(table, _types(frame), where, warnings)
                _check_values(frame, table, columns, where)
                values = _values(table, columns)
                odd_columns[name] = _warn(frame, table, values, where, warnings)
                natives[name] = frame.selectExpr(*(_canonical(c, values) for c in table.columns.values()))
            elif table.required:
                do = f"Put {name}.parquet there, or a folder {name} of Parquet files; docs/histories.md lists its columns."
                faults.append(Fault("a required table is missing", f"{place}, {name}", do))
        except Faults as error:
            faults += error.faults
    if faults:
        raise Faults(faults)
    warnings += _unmatched(spark, natives)
    return natives, warnings, {}, odd_columns


def _unmatched(spark: Any, natives: dict[str, Any]) -> list[str]:
    views = {name: f"onroll_{name}" for name in natives}
    for name, view in views.items():
        natives[name].createOrReplaceTempView(view)
    keys = {
        (name, column): f"SELECT {column} AS key, count(*) AS times FROM {view} GROUP BY 1"
        for name, view in views.items()
        for column in LINKS
        if column in TABLES[name].columns
    }
    try:
        return warnings_of_unmatched(lambda sql: spark.sql(sql).first(), keys)
    finally:
        for view in views.values():
            spark.catalog.dropTempView(view)


def _read_folder(spark: Any, folder: Path, scratch: Path) -> Read:
    """Check a local folder with DuckDB; Spark then reads its Parquet files, and Parquet copies of its CSV files."""
    import duckdb

    folder = folder.absolute()
    files, warnings = find_files(folder)
    natives = {}
    with duckdb.connect() as connection:
        connection.execute(IN_LONDON)
        checked = read_tables(connection, files, warnings, scratch)
        for name, paths in files.items():
            read = paths
            if paths[0].suffix.lower() != ".parquet" or name in checked.unlike:
                read = [scratch / f"{name}.parquet"]
                connection.execute(f"COPY {checked.natives[name]} TO {literal(read[0])} (FORMAT parquet)")
            frame = _parquet(spark, [f"file://{p}" for p in read], f"{folder}, {name}")
            # The copies hold day numbers already.
            values = _values(
                TABLES[name], declared_columns(TABLES[name], _types(frame), str(folder), [], any_type=True)
            )
            chosen = (_canonical(c, values) for c in TABLES[name].columns.values())
            natives[name] = frame.selectExpr(*chosen) if read is paths else frame
    return natives, warnings, files, checked.odd_columns


def _find(spark: Any, place: str, name: str) -> Any:
    if place.startswith(DATABASE):
        full = f"{place[len(DATABASE) :].strip('/')}.{name}"
        return spark.table(full) if spark.catalog.tableExists(full) else None
    for path in (f"{place.rstrip('/')}/{name}.parquet", f"{place.rstrip('/')}/{name}"):
        frame = _parquet(spark, [path], f"{place.rstrip('/')}/{name}")
        if frame is not None:
            return frame
    return None


def _parquet(spark: Any, paths: list[str], where: str) -> Any:
    """Open Parquet files; None if the path does not exist."""
    try:
        return spark.read.option("mergeSchema", len(paths) > 1).parquet(*paths)
    except Exception as error:  # Spark's own, Py4J's or gRPC's
        if getattr(error, "getCondition", str)() == "PATH_NOT_FOUND":
            return None
        do = "The data may be damaged, not Parquet, of types that Spark lacks (nanoseconds), or not readable by Spark's account."
        raise Faults(Fault("Spark cannot read this as Parquet", where, do)) from error


def _types(frame: Any) -> dict[str, str]:
    """Return the type of each column in DuckDB's names."""
    types = {f.name: f.dataType.simpleString().upper() for f in frame.schema.fields}
    return {name: TYPES.get(kind, kind) for name, kind in types.items()}


def _counts(frame: Any, tests: list[str]) -> list[int]:
    if not tests:
        return []
    counts = frame.selectExpr(*(f"count_if({test}) AS n{i}" for i, test in enumerate(tests))).toArrow()
    return [column[0].as_py() for column in counts.columns]


def _check_values(frame: Any, table: type[Table], columns: dict[str, SourceColumn], where: str) -> None:
    tests = value_faults(table, columns, "spark")
    counts = _counts(frame, [test for *_, test in tests])
    faults = [bad_value(c, what, count, where) for (c, what, _), count in zip(tests, counts, strict=True) if count]
    if faults:
        raise Faults(faults)


def _values(table: type[Table], columns: dict[str, SourceColumn]) -> dict[str, str]:
    """Return the SQL of each column's value, dates as DATE."""
    values = {}
    for name, source in columns.items():
        c = table.columns[name]
        # DuckDB accepts a column without values, whose Parquet type Spark does not know.
        nothing = c.kind == "date" and "INT" in source.type
        values[name] = "CAST(NULL AS DATE)" if nothing else value_sql(c, source, "spark")
    return values


def _warn(frame: Any, table: type[Table], values: dict[str, str], where: str, warnings: list[str]) -> tuple[str, ...]:
    """Warn as ``files.Source.warn`` does, without row numbers; return the columns with values that count as missing."""
    odd, tests = [], warning_tests(table, values, "spark")
    for (name, what, _), count in zip(tests, _counts(frame, [t for *_, t in tests]), strict=True):
        if count:
            warnings.append(f"{where}, column {name}: {quantity(count)}: {what}")
            odd += [name] if what != ENDS_EARLY else []
    return tuple(dict.fromkeys(odd))


def _canonical(c: Column, values: dict[str, str]) -> str:
    if c.name not in values:
        return f"CAST(NULL AS {'INT' if c.kind == 'date' else _sql_type(c)}) AS {c.name}"
    if c.kind == "date":
        return f"unix_date({values[c.name]}) AS {c.name}"
    return f"CAST({values[c.name]} AS {_sql_type(c)}) AS {c.name}"


def _sql_type(c: Column) -> str:
    return "STRING" if c.kind == "text" else SQL_TYPES[c.kind]

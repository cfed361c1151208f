"""Histories on Spark: the same tables, checks and canonical form as Spark DataFrames.

A location is a local folder, which DuckDB checks as always; any other path that Spark can read (``hdfs://…``, ``s3a://…``,
``abfss://…``, ``file:///…``) with ``<table>.parquet`` or a folder ``<table>``; or ``spark://DATABASE``, a database of the Spark
catalogue with tables of these names. Spark checks the last two, in one pass per table.
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
from histories.io.sql import literal
from histories.reading.files import SQL_TYPES, bad_value, check_columns, find_files, read_tables, value_tests
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
            return builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
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
    # Recording the Python line behind every column takes longer than building the plan.
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
    saved = [os.dup(1), os.dup(2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved[0], 1)
        os.dup2(saved[1], 2)
        for opened in (*saved, nowhere):
            os.close(opened)


def read_place(spark: Any, place: str, scratch: Path) -> tuple[dict[str, Any], list[str], dict[str, list[Path]]]:
    """Read the tables at a location in canonical form.

    Parameters
    ----------
    scratch : Path
        An empty folder; CSV tables of a local folder are converted to Parquet there.

    Returns
    -------
    dict, list of str, dict
        A DataFrame for each table, the warnings, and the files if they are local.

    Raises
    ------
    Faults
        With the faults of all tables.
    """
    if "://" not in place:
        return _read_folder(spark, Path(place), scratch)
    natives, faults = {}, []
    warnings: list[str] = []
    for name, table in TABLES.items():
        try:
            frame = _find(spark, place, name)
            if frame is not None:
                where = f"{place.rstrip('/')}/{name}"
                types = {c: TYPES.get(k, k) for c, k in _types(frame).items()}
                check_columns(table, types, where, warnings)
                _check_values(frame, table, types, where)
                natives[name] = frame.selectExpr(*(_canonical(c, types) for c in table.columns.values()))
            elif table.required:
                do = f"Put {name}.parquet there, or a folder {name} of Parquet files; docs/histories.md lists its columns."
                faults.append(Fault("a required table is missing", f"{place}, {name}", do))
        except Faults as error:
            faults += error.faults
    if faults:
        raise Faults(faults)
    return natives, warnings, {}


def _read_folder(spark: Any, folder: Path, scratch: Path) -> tuple[dict[str, Any], list[str], dict[str, list[Path]]]:
    """Check a local folder with DuckDB; Spark reads Parquet in place, and CSV converted in the scratch folder."""
    import duckdb

    folder = folder.absolute()
    files, warnings = find_files(folder)
    natives = {}
    with duckdb.connect() as connection:
        relations = read_tables(connection, files, warnings)
        for name, paths in files.items():
            read = paths
            if paths[0].suffix != ".parquet":
                read = [scratch / f"{name}.parquet"]
                connection.execute(f"COPY {relations[name]} TO {literal(read[0])} (FORMAT parquet)")
            frame = _parquet(spark, [f"file://{p}" for p in read], f"{folder}, {name}")
            # Dates in the scratch folder are day numbers already.
            types = {c: TYPES.get(k, k) for c, k in _types(frame).items()}
            chosen = (_canonical(c, types) for c in TABLES[name].columns.values())
            natives[name] = frame.selectExpr(*chosen) if read is paths else frame
    return natives, warnings, files


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
    except Exception as error:  # raised by Spark, Py4J or gRPC
        if getattr(error, "getCondition", str)() == "PATH_NOT_FOUND":
            return None
        do = "It may be damaged, not Parquet, contain types that Spark lacks (nanoseconds), or need permissions that Spark lacks."
        raise Faults(Fault("Spark cannot read this as Parquet", where, do)) from error


def _types(frame: Any) -> dict[str, str]:
    return {f.name: f.dataType.simpleString().upper() for f in frame.schema.fields}


def _check_values(frame: Any, table: type[Table], types: dict[str, str], where: str) -> None:
    tests = value_tests(table, types, "regexp_like")
    if not tests:
        return
    counts = frame.selectExpr(*(f"count_if({test}) AS n{i}" for i, (*_, test) in enumerate(tests))).toArrow()
    faults = [
        bad_value(c, what, count, where)
        for (c, what, _), count in zip(tests, (column[0].as_py() for column in counts.columns), strict=True)
        if count
    ]
    if faults:
        raise Faults(faults)


def _canonical(c: Column, types: dict[str, str]) -> str:
    if c.name not in types:
        return f"CAST(NULL AS {'INT' if c.kind == 'date' else _sql_type(c)}) AS {c.name}"
    if c.kind == "date" and "INT" in types[c.name]:
        # DuckDB accepts a column without values, whose Parquet type Spark does not know.
        return f"CAST(NULL AS INT) AS {c.name}"
    if c.kind == "date":
        return f"unix_date(CAST({c.name} AS DATE)) AS {c.name}"
    return f"CAST({c.name} AS {_sql_type(c)}) AS {c.name}"


def _sql_type(c: Column) -> str:
    return "STRING" if c.kind == "text" else SQL_TYPES[c.kind]

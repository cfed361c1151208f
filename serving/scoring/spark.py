"""Score and explain on Spark's executors, which also write the scores; the driver learns only their number.

See ``docs/decisions/0007-spark.md``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import asdict
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from features.outcome.cohort import CohortRule
from features.spark import PACKED, SparkTask, counted_in_spark, pack, unpacked
from histories.errors import Fault, Faults
from histories.io.atomic_write import new_folder
from histories.reading.histories import Histories
from serving.scoring.horizons import schema_with, with_risks
from serving.scoring.parquet import SCHEMA, table_of
from training.bundle import Manifest, read_bundle
from training.catalogue_match import changed_since
from training.risk_model import RiskModel

MARGINS = "block int, pupil_id string, authority string, margin double"


def score_in_spark(
    histories: Histories,
    model: Path,
    as_of: date,
    out: str,
    *,
    rule: CohortRule | None = None,
    known_on: date | None = None,
    top: int | None = None,
    within: Collection[int] = (),
) -> int:
    """Score and explain the cohort as of a day; Spark writes the scores as a folder of Parquet files.

    Parameters
    ----------
    histories : Histories
        On Spark.
    model : Path
        The model's folder.
    out : str
        A local folder, or a URL of the platform's storage.
    rule, known_on, top
        As in ``RiskModel.score``, which gives the same scores.
    within : collection of int, optional
        As in ``serving.scoring.parquet.write_scores``.

    Returns
    -------
    int
        The number of scores.

    Raises
    ------
    Faults
        When the model is damaged or of another catalogue, or ``out`` is a file.
    """
    if Path(out).is_file():
        do = "Choose another --out, or remove the file."
        raise Faults(Fault("this is a file, but Spark writes a folder", out, do))
    RiskModel.load(model)
    booster, manifest = read_bundle(model)
    shipped = (booster, json.dumps(asdict(manifest)))
    with counted_in_spark(histories, as_of, rule, known_on) as (task, frames):
        scores = _scores(task, frames, shipped, top, tuple(within))
        if "://" in out:
            scores.write.mode("overwrite").parquet(out)
            return histories.connection.read.parquet(out).count()
        with new_folder(Path(out).absolute(), keep=True) as temporary:
            scores.write.mode("overwrite").parquet(f"file://{temporary}")
            return histories.connection.read.parquet(f"file://{temporary}").count()


def _scores(task: SparkTask, frames: Any, shipped: tuple[str, str], top: int | None, within: tuple[int, ...]) -> Any:
    """Rank the margins of all blocks within their authorities, then explain each block with its ranks."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F
    from pyspark.sql.pandas.types import from_arrow_schema

    counted = frames.filter("name IN ('counts', 'homes')").groupBy("block")
    order = Window.partitionBy("authority").orderBy(F.desc("margin"), "pupil_id")
    ranks = counted.applyInArrow(_margins(task, *shipped), MARGINS)
    ranks = ranks.withColumn("rank", F.row_number().over(order).cast("long"))
    ranks = ranks.withColumn("listed_among", F.count("*").over(Window.partitionBy("authority")))
    ranks = ranks if top is None else ranks.filter(F.col("rank") <= top)
    packed = ranks.groupBy("block").applyInArrow(pack("ranks", ["pupil_id", "margin", "rank", "listed_among"]), PACKED)
    explained = frames.unionByName(packed).groupBy("block")
    schema = from_arrow_schema(schema_with(SCHEMA, within))
    return explained.applyInArrow(_explain(task, *shipped, within), schema)


def _margins(task: SparkTask, booster: str, manifest: str) -> Callable[[pa.Table], pa.Table]:
    def run(group: pa.Table) -> pa.Table:
        _, frame = task.features(unpacked(group))
        margins = frame.select(
            pl.lit(group["block"][0].as_py(), pl.Int32).alias("block"),
            "pupil_id",
            "authority",
            pl.Series("margin", _model(booster, manifest).margins(frame), pl.Float64),
        )
        names = pa.schema(
            [("block", pa.int32()), ("pupil_id", pa.string()), ("authority", pa.string()), ("margin", pa.float64())]
        )
        return margins.to_arrow().cast(names)

    return run


def _explain(task: SparkTask, booster: str, manifest: str, within: tuple[int, ...]) -> Callable[[pa.Table], pa.Table]:
    def run(group: pa.Table) -> pa.Table:
        block = unpacked(group)
        if "ranks" not in block:
            return schema_with(SCHEMA, within).empty_table()
        histories, frame = task.features(block)
        listed = frame.join(block["ranks"], on="pupil_id").sort("authority", "rank")
        model = _model(booster, manifest)
        scores = model.explained(histories, listed, task.as_of, task.known_on)
        return with_risks(table_of(scores), model, within).combine_chunks()

    return run


@lru_cache(maxsize=1)
def _model(booster: str, manifest: str) -> RiskModel:
    """Build the model, once per Python process of an executor."""
    shipped = Manifest(**json.loads(manifest))
    if changed_since(shipped):
        raise RuntimeError("the executors hold another version of onroll, or lack the file of own features")
    return RiskModel(booster, shipped)

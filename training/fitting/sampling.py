"""All children who went missing and a weighted sample of the others, where all of them would not fit into memory.

Positives are one in hundreds, so nearly all that a model learns is in them; a sample of the others, each weighted by one over
the share that was drawn, stands for all of them without bias (King and Zeng 2001, "Logistic regression in rare events data").
"""

from __future__ import annotations

import hashlib

import polars as pl

from histories.io.memory import bytes_of

# A number of the matrix is held in the frame, in the array and in the part that a candidate learns from.
BYTES_A_NUMBER = 3 * 8
MIN_SHARE = 0.001


def share_that_fits(rows: int, positives: int, columns: int, memory: str | None) -> float:
    """Return the share of the rows without the outcome that fits into memory beside all with it; 1 when all do.

    Parameters
    ----------
    rows, positives, columns : int
        Snapshots, those of them that went missing, and features.
    memory : str, optional
        The most memory, such as ``4GiB`` (the setting ``ONROLL_MEMORY``); without it everything is taken.

    Raises
    ------
    Faults
        When the memory is not such a text.

    Examples
    --------
    >>> share_that_fits(1000, 10, 100, "1GiB")
    1.0
    >>> round(share_that_fits(100_000_000, 100_000, 100, "24GB"), 4)
    0.0991
    """
    if memory is None or rows <= positives:
        return 1.0
    room = bytes_of(memory) / (columns * BYTES_A_NUMBER) - positives
    return float(min(max(room / (rows - positives), MIN_SHARE), 1.0))


def sample(labelled: pl.DataFrame, share: float, seed: int) -> pl.DataFrame:
    """Keep every snapshot with the outcome and, of the others, those of a share of the pupils.

    Whether a pupil is drawn follows from the key and the seed alone: the same pupils are drawn on every date, on every machine
    and whatever else the histories hold, and never one without its own other dates.

    Parameters
    ----------
    labelled : polars.DataFrame
        ``pupil_id``, ``label`` (0 or 1) and whatever else.
    share : float
        Of the pupils, above 0 and up to 1.

    Returns
    -------
    polars.DataFrame
        The rows that are kept, in their order, with ``weight``: one over the share for those without the outcome.
    """
    if share >= 1.0:
        return labelled.with_columns(pl.lit(1.0).alias("weight"))
    pupils = labelled.select("pupil_id").unique()
    drawn = pupils.filter(pl.Series([drawn_by(p, share, seed) for p in pupils["pupil_id"]], dtype=pl.Boolean))
    kept = (pl.col("label") == 1.0) | pl.col("pupil_id").is_in(drawn["pupil_id"].implode())
    weight = pl.when(pl.col("label") == 1.0).then(1.0).otherwise(1.0 / share)
    return labelled.filter(kept).with_columns(weight.alias("weight"))


def drawn_by(pupil_id: str, share: float, seed: int) -> bool:
    """Tell whether a pupil belongs to a share of all; a pupil of a smaller share belongs to every larger one."""
    drawn = hashlib.blake2b(f"{seed}:{pupil_id}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn, "big") < share * 2**64

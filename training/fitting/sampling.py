"""Sample children who did not go missing, with weights, if all would not fit into memory.

Positives are one in hundreds and carry most of the information. All are kept. The others are weighted by one over the sampled
share, which is unbiased (King and Zeng 2001, "Logistic regression in rare events data").
"""

from __future__ import annotations

import hashlib

import polars as pl

from histories.io.memory import bytes_of

# Each value is held in the frame and in a candidate's training data; a third is room for copies on the way.
BYTES_A_NUMBER = 3 * 8
MIN_SHARE = 0.001


def share_that_fits(rows: int, positives: int, columns: int, memory: str | None) -> float:
    """Return the share of the rows without the outcome that fits into memory with all rows that have it; 1 if all fit.

    Parameters
    ----------
    rows, positives, columns : int
        Number of snapshots, of snapshots that went missing, and of features.
    memory : str, optional
        The memory limit, such as ``4GiB`` (the setting ``ONROLL_MEMORY``); without it nothing is sampled.

    Raises
    ------
    Faults
        If ``memory`` is not an amount of memory.

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
    """Keep all snapshots with the outcome, and the other snapshots of a share of the pupils.

    Whether a pupil is drawn depends only on the key and the seed: the same pupils are drawn on every date and every machine,
    whatever else the histories contain, with all of their dates.

    Parameters
    ----------
    labelled : polars.DataFrame
        ``pupil_id``, ``label`` (0 or 1) and any other columns.
    share : float
        Share of the pupils, above 0 and up to 1.

    Returns
    -------
    polars.DataFrame
        The kept rows in order, with ``weight``: 1, or one over the share for rows without the outcome.
    """
    if share >= 1.0:
        return labelled.with_columns(pl.lit(1.0).alias("weight"))
    pupils = labelled.select("pupil_id").unique()
    drawn = pupils.filter(pl.Series([drawn_by(p, share, seed) for p in pupils["pupil_id"]], dtype=pl.Boolean))
    kept = (pl.col("label") == 1.0) | pl.col("pupil_id").is_in(drawn["pupil_id"].implode())
    weight = pl.when(pl.col("label") == 1.0).then(1.0).otherwise(1.0 / share)
    return labelled.filter(kept).with_columns(weight.alias("weight"))


def drawn_by(pupil_id: str, share: float, seed: int) -> bool:
    """Return whether a pupil is in a share of all pupils; shares are nested."""
    drawn = hashlib.blake2b(f"{seed}:{pupil_id}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn, "big") < share * 2**64

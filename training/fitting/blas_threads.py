"""Linear algebra on a fixed number of threads, so that a model does not depend on the machine or on ``OMP_NUM_THREADS``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

BLAS_THREADS = 1


@contextmanager
def fixed_blas_threads(number: int | None) -> Iterator[None]:
    """Let NumPy and SciPy use so many threads of BLAS; None leaves the number of the environment.

    BLAS adds up long vectors in pieces, one for each thread, so the last digits of a sum depend on their number.
    """
    import sklearn.linear_model  # noqa: F401  a library loaded later would not be limited
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=number, user_api="blas"):
        yield

"""Linear algebra on a fixed number of threads, so that a model does not depend on the machine or on ``OMP_NUM_THREADS``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

BLAS_THREADS = 1


@contextmanager
def fixed_blas_threads(number: int | None) -> Iterator[None]:
    """Set the number of BLAS threads of NumPy and SciPy; None keeps the environment's.

    BLAS sums long vectors in one part per thread, so the last digits of a sum depend on the number of threads.
    """
    import sklearn.linear_model  # noqa: F401  a library loaded later would not be limited
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=number, user_api="blas"):
        yield

"""The engines that examples run on; Spark costs seconds a matrix, so most of its examples wait for `make prove`."""

import pytest


@pytest.fixture(params=["duckdb", "polars", pytest.param("spark", marks=pytest.mark.prove)])
def engine(request):
    """Return the name of an engine that is ready."""
    if request.param == "spark":
        request.getfixturevalue("spark")
    return request.param

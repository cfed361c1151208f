"""The engines that examples run on; Spark costs seconds a matrix, so most of its examples wait for `make prove`."""

import pytest

ENGINES = ["duckdb", "polars", pytest.param("spark", marks=pytest.mark.prove)]


@pytest.fixture(params=ENGINES)
def engine(request):
    """Return the name of an engine that is ready."""
    return _ready(request)


@pytest.fixture(params=[*ENGINES, "plain"])
def feature_engine(request):
    """Return the name of an engine that computes features: plain lists too, which serve a request."""
    return _ready(request)


def _ready(request):
    if request.param == "spark":
        request.getfixturevalue("spark")
    return request.param

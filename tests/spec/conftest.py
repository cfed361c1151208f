"""The engines of the examples; a matrix takes Spark seconds, so most of its examples run in `make prove`."""

import pytest

ENGINES = ["duckdb", "polars", pytest.param("spark", marks=pytest.mark.prove)]


@pytest.fixture(params=ENGINES)
def engine(request):
    """Return the name of a running engine."""
    return _ready(request)


@pytest.fixture(params=[*ENGINES, "plain"])
def feature_engine(request):
    """Return the name of an engine that computes features; plain lists, the engine of requests, included."""
    return _ready(request)


def _ready(request):
    if request.param == "spark":
        request.getfixturevalue("spark")
    return request.param

"""A small population and a model, as somebody who types ``import onroll`` has them."""

import pytest

import onroll


@pytest.fixture(scope="module")
def opened(small_histories):
    return onroll.open_histories(small_histories)


@pytest.fixture(scope="module")
def model(bundle):
    return onroll.load(str(bundle))

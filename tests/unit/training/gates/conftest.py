"""A dossier that passes every gate."""

import pytest

from tests.support.laid_before import dossier


@pytest.fixture(scope="session")
def good(bundle):
    return dossier(bundle)

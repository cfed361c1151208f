"""A released model with its log, the application that serves it, and the audit."""

import pytest

from tests.support.released import alias, release


@pytest.fixture
def releases(tmp_path, bundle):
    folder = tmp_path / "mlruns" / "releases"
    release(folder, bundle, 1)
    alias(folder, champion=1)
    return folder

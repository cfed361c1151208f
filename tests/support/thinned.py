"""Parameters of which each change tries a part, and ``make prove`` the others."""

import pytest


def every_second(values):
    """Return the values as parameters; every second one is left to ``make prove``."""
    return [pytest.param(v, marks=pytest.mark.prove) if n % 2 else v for n, v in enumerate(values)]

"""Parameters of which each change tries a part, and ``make prove`` the others."""

import pytest


def every_second(values):
    """Return the values, each one parameter or a tuple of several; every second one is left to ``make prove``."""
    return [_proved(v) if n % 2 else v for n, v in enumerate(values)]


def _proved(value):
    return pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.prove)

"""Gates that a model passes before it serves, one file a gate: each says what it asks, why it matters and what to do.

A new gate is a file ``gNNN_short_name.py`` here, with ``GATE`` in it, its limits in ``limits.toml``, and its cases in
``tests/unit/training/test_gates.py``, which fails for a gate that it has no failing case for.
"""

import re
from importlib import import_module
from pkgutil import iter_modules

from training.gates.gate import Gate, Verdict

GATES: tuple[Gate, ...] = tuple(
    import_module(f"{__name__}.{name}").GATE
    for name in sorted(m.name for m in iter_modules(__path__))
    if re.match(r"g\d{3}_", name)
)

__all__ = ["GATES", "Gate", "Verdict"]

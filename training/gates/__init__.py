"""Gates that a version must pass before it serves, one file a gate: what it requires, why it matters and what to do.

To add a gate: ``gNNN_short_name.py`` here with a ``GATE``, its limits in ``limits.toml``, and ``test_gNNN_short_name.py`` under
``tests/unit/training/gates``, which must show it failing.
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

"""Coded rules of histories, one file a rule: each says what is wrong, why it matters and what to do.

A new rule is a file ``hNNN_short_name.py`` here, with ``RULE`` in it, and its test ``tests/unit/rules/test_hNNN_short_name.py``.
"""

import re
from importlib import import_module
from pkgutil import iter_modules

from histories.rules.rule import Rule

RULES: tuple[Rule, ...] = tuple(
    import_module(f"{__name__}.{name}").RULE
    for name in sorted(m.name for m in iter_modules(__path__))
    if re.match(r"h\d{3}_", name)
)

__all__ = ["RULES", "Rule"]

"""The rules of ``onroll check``, one file each, discovered by file name; README.md says how to add one."""

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

"""Coded rules of histories: each says what is wrong, why it matters and what to do."""

from histories.rules.rule import Rule
from histories.rules.spells import SPELLS
from histories.rules.values import VALUES
from histories.rules.whole import WHOLE

RULES: tuple[Rule, ...] = tuple(sorted((*VALUES, *SPELLS, *WHOLE), key=lambda r: r.code))

__all__ = ["RULES", "Rule"]

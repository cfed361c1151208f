"""Coded rules of histories: each says what is wrong, why it matters and what to do."""

from histories.rules.rule import Rule
from histories.rules.spells import SPELLS
from histories.rules.values import VALUES

RULES: tuple[Rule, ...] = tuple(sorted((*VALUES, *SPELLS), key=lambda r: r.code))

__all__ = ["RULES", "Rule"]

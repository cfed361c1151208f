"""A made-up population of pupils whose true risks are known."""

from histories.population.simulation import simulate

__all__ = ["simulate"]

"""A trial inside the list: a registered plan, allocation by lot, and analysis by intention to treat (docs/trial.md)."""

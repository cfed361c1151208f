"""A simulated population of pupils whose true risks are known; start with ``simulation.simulate``."""

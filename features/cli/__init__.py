"""The verbs of this room: ``onroll features`` and ``onroll leaks``."""

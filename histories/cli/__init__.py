"""The verbs of this room: ``simulate``, ``import``, ``link`` and ``check``."""

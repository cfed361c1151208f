"""The verbs of this room, one file each: ``simulate``, ``import``, ``link`` and ``check``."""

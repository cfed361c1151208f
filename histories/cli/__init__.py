"""The verbs of this room, one file each: ``simulate``, ``import``, ``link``, ``find`` and ``check``."""

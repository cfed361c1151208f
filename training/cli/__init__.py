"""The verbs of this room: ``train``, ``models``, ``describe`` and ``definitions``."""

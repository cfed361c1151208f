"""The command ``onroll`` and the verbs of this room."""

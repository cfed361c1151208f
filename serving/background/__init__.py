"""What workers need beside a score, found in the histories when scores are stored: all of it as it was known on the day.

``gather`` finds it, ``serving.store.background`` keeps it. Start reading at ``gathering.py``.
"""

from serving.background.gathering import Gathered, gather

__all__ = ["Gathered", "gather"]

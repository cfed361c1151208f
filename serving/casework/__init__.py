"""What workers need beside a score, found in the histories when scores are stored: all of it as it was known on the day.

``gather`` finds it, ``serving.store.cases.casework`` keeps it. Start reading at ``gathering.py``.
"""

from serving.casework.gathering import Gathered, gather

__all__ = ["Gathered", "gather"]

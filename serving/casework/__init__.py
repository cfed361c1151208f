"""Casework data besides scores, read from the histories when scores are stored, as known on that day.

``gather`` reads it and ``serving.store.cases.casework`` stores it. Start reading at ``gathering.py``.
"""

from serving.casework.gathering import Gathered, gather

__all__ = ["Gathered", "gather"]

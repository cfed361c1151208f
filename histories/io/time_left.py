"""The column of a progress display that says how long the rest takes."""

from __future__ import annotations

from rich.progress import ProgressColumn, Task
from rich.text import Text


class TimeLeft(ProgressColumn):
    """Counts down from the seconds that the task was last told (``left``, at ``told_at``); empty if it was told none."""

    def render(self, task: Task) -> Text:
        """Return the text of the column."""
        left = task.fields.get("left")
        return Text("" if left is None else in_words(left - (task.get_time() - task.fields["told_at"])))


def in_words(seconds: float) -> str:
    """Return how long the rest takes, no finer than is known.

    Examples
    --------
    >>> in_words(40)
    'under a minute left'
    >>> in_words(200)
    'about 3 min left'
    >>> in_words(5000)
    'about 1 h 23 min left'
    """
    if seconds < 60:
        return "under a minute left"
    minutes = round(seconds / 60)
    hours = f"{minutes // 60} h " * (minutes >= 60)
    return f"about {hours}{minutes % 60} min left"

"""Days counted from today, which is asked for while a test runs: the suite may run over midnight."""

from datetime import timedelta

from histories.calendar import london_today


def from_today(days):
    return london_today() + timedelta(days=days)


def dated(fields):
    """Return fields in which each timedelta became the text of the day so far from today."""
    return {name: str(london_today() + v) if isinstance(v, timedelta) else v for name, v in fields.items()}

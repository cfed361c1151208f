"""Words of sessions: how the walk back from a day is given a register, and what it says of the newest sessions."""

from __future__ import annotations

SPAN = 24  # days of one word: two bits a day, and room for tens of thousands of copies of a mark before a sum overflows
RECENT = 60  # days in which the newest sessions are looked at week by week
NEWEST = (
    "trailing_absent",
    "weeks_missed",
    "weeks_mostly_missed",
    "weeks_open",
    "last_week_absent",
    "last_week_possible",
    "last_mark_days",
    "last_present_days",
    "newest_sessions",
    "newest_unexplained",
)
NEWEST_SESSIONS = 20  # possible sessions of which ``newest_unexplained`` counts: ten school days
POSSIBLE, ABSENT = 1, 2  # the first two bits of what a mark counts as
UNEXPLAINED = 4 | 8  # the next two: absent without permission, or for no reason known yet

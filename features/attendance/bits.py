"""The bytes of a register, the bits of a mark's measures, and the names of the newest-session figures."""

from __future__ import annotations

SEVERAL = 255  # byte of a session with several marks, or one recorded on another day
RECENT = 60  # days summarised week by week
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
    "since_break_sessions",
    "since_break_unexplained",
    "since_summer_sessions",
    "since_summer_unexplained",
    "possible_7",
    "possible_10",
    "possible_bits",
    "unexplained_bits",
    "marked",
    "last_not_possible_days",
)
NEWEST_SESSIONS = 20  # possible sessions counted by ``newest_unexplained``: ten school days
# Days in a row without a possible session that make a break (half-term and longer), and the summer.
BREAK, SUMMER = 7, 28
BITS = 30  # days in ``possible_bits`` and ``unexplained_bits``: two bits a day, the newest day lowest
POSSIBLE, ABSENT = 1, 2  # the first two bits of a mark's measures
NOT_POSSIBLE = (
    1 << 30
)  # of a mark that excuses the child from the session, such as taught elsewhere; no measure counts it
UNEXPLAINED = 4 | 8  # the next two bits: absent without permission, or without a reason so far
UNAUTHORISED = 4
UNDEFINED = -(10**9)  # of a figure that no session defines
UNIT = 2**14  # of log-odds; by a power of two every engine divides exactly

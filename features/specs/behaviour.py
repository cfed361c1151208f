"""Examples of features of suspensions and exclusions."""

from features.specs.spec import Spec

SPECS = [
    Spec(
        "A suspension counts from the day after it was recorded; without a number of sessions it counts as one.",
        {
            "suspensions": """
            pupil_id | start_date | category | sessions | recorded_on
            A        | 2025-01-14 | SUSP     | 1        | 2025-01-14
            A        | 2025-01-13 | SUSP     | 2        | 2025-01-13
            A        | 2024-11-05 | SUSP     |          | 2025-01-14
            A        | 2024-11-01 | SUSP     | 4        | 2024-11-02
            A        | 2024-11-01 | SUSP     | 6        | 2025-01-13
            A        | 2024-10-16 | SUSP     | 2        |
            A        | 2024-10-15 | SUSP     | 3        |
            A        | 2024-01-15 | SUSP     | 10       |
            A        | 2024-01-14 | SUSP     | 1        |
            A        | 2023-06-01 | PERM     |          | 2023-06-05
        """
        },
        """
            as_of      | suspensions_90d | suspensions_365d | suspensions_all | suspended_sessions_90d | suspended_sessions_365d | permanent_exclusions | days_since_suspension
            2025-01-14 | 3               | 5                | 6               | 2 + 6 + 2              | 10 + 3 + 10             | 1                    | 1
            2025-01-15 | 4               | 6                | 8               | 1 + 2 + 1 + 6          | 10 + 2 + 3              | 1                    | 1
        """,
    ),
]

"""Examples of features of data quality; ``days_since_last_mark`` is among the newest sessions in ``attendance``."""

from features.specs.spec import Spec

SPECS = [
    Spec(
        "Known sessions are possible ones; a session that a correction makes possible counts from the correction on.",
        {
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2025-01-14 | AM      | /    | 2025-01-14
            A        | 2025-01-13 | AM      | /    | 2025-01-13
            A        | 2025-01-13 | PM      | Y4   | 2025-01-13
            A        | 2025-01-10 | AM      | Y4   | 2025-01-10
            A        | 2025-01-10 | AM      | /    | 2025-01-13
            A        | 2025-01-09 | AM      | /    | 2025-01-14
            A        | 2024-12-17 | AM      | /    |
            A        | 2024-12-16 | AM      | O    |
            A        | 2024-07-18 | AM      | /    |
            A        | 2024-07-17 | AM      | /    |
            A        | 2024-01-15 | AM      | /    |
            A        | 2024-01-14 | AM      | /    |
        """
        },
        """
            as_of      | sessions_known_28d | sessions_known_365d | share_of_year_known
            2025-01-14 | 3                  | 7                   | 5/7
            2025-01-15 | 4                  | 8                   | 6/8
        """,
    ),
]

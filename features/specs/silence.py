"""Examples of the silence of the register; the 24 others at the school are B1 to B24."""

from features.specs.spec import Spec

SPECS = [
    Spec(
        "Sessions of the others in the longest of 14, 28 and 90 days in which the child has no mark: a mark recorded on the day is not known, and a correction may take one back.",
        {
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2024-12-20 | AM      | /    | 2024-12-20
            A        | 2025-01-10 | AM      | /    | 2025-01-10
            A        | 2025-01-10 | AM      | #    | 2025-01-13
            A        | 2025-01-14 | AM      | /    | 2025-01-14
            B1..B24  | 2025-01-13 | AM      | /    | 2025-01-13
            B1..B12  | 2025-01-10 | PM      | I    | 2025-01-10
            B1..B24  | 2024-12-19 | AM      | /    | 2024-12-19
        """
        },
        """
            as_of      | silent_sessions
            2025-01-14 | 36/24
            2025-01-15 | 0
        """,
    ),
    Spec(
        "A month without marks counts the others' sessions of the month; without marks of others it is missing.",
        {
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2024-11-20 | AM      | /    | 2024-11-20
            B1       | 2025-01-13 | AM      | /    | 2025-01-14
            B1       | 2024-12-19 | AM      | O    | 2025-01-14
        """
        },
        """
            as_of      | silent_sessions
            2025-01-14 |
            2025-01-15 | 2
        """,
    ),
    Spec(
        "A child taught elsewhere (D) is not silent; a planned closure (#) is marked for every child and is no mark of one.",
        {
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2024-12-31 | AM      | D    | 2024-12-31
            C        | 2025-01-10 | AM      | #    | 2025-01-10
            E        | 2025-01-10 | AM      | D    | 2025-01-14
            B1..B24  | 2025-01-09 | PM      | /    | 2025-01-09
            B1..B24  | 2025-01-10 | AM      | /    | 2025-01-10
            B1..B24  | 2025-01-10 | PM      | /    | 2025-01-10
            B1..B24  | 2025-01-13 | AM      | /    | 2025-01-13
            B1..B12  | 2025-01-13 | PM      | /    | 2025-01-13
        """
        },
        """
            as_of      | pupil_id | silent_sessions
            2025-01-14 | A        | 0
            2025-01-15 | A        | 108/24
            2025-01-14 | C        | 108/24
            2025-01-14 | E        | 108/24
            2025-01-15 | E        | 0
        """,
    ),
]

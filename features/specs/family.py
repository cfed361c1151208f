"""Examples of features of family and social care."""

from features.specs.spec import Spec

SPECS = [
    Spec(
        "An episode is open until its end is recorded, whenever it ended.",
        {
            "social_care": """
            pupil_id | kind       | start_date | end_date   | recorded_on | end_recorded_on
            A        | early_help | 2024-03-01 | 2024-12-20 | 2024-03-05  | 2025-01-14
            A        | assessment | 2024-11-01 |            | 2024-11-05  |
            A        | assessment | 2024-11-01 | 2024-12-15 | 2025-01-13  |
            A        | cin        | 2025-01-10 |            | 2025-01-13  |
            A        | cpp        | 2025-01-02 |            | 2025-01-14  |
            A        | cla        | 2023-01-01 | 2023-06-01 | 2023-01-02  | 2023-06-02
        """
        },
        """
            as_of      | early_help_open | assessment_open | cin_open | cpp_open | cla_open | care_episodes_all | days_since_care_started | days_since_care_closed
            2025-01-14 | 1               | 0               | 1        | 0        | 0        | 4                 | 4                       |
            2025-01-15 | 0               | 0               | 1        | 1        | 0        | 5                 | 5                       | 26
        """,
    ),
    Spec(
        "Referrals and episodes missing from home count by their first day, once recorded.",
        {
            "social_care": """
            pupil_id | kind     | start_date | end_date   | recorded_on | end_recorded_on
            A        | referral | 2024-01-15 |            |             |
            A        | referral | 2024-01-14 |            |             |
            A        | referral | 2025-01-13 |            | 2025-01-13  |
            A        | referral | 2025-01-12 |            | 2025-01-14  |
            A        | missing  | 2024-01-15 | 2024-01-16 | 2024-01-16  |
            A        | missing  | 2023-05-01 | 2023-05-02 | 2023-05-02  | 2025-01-14
            A        | missing  | 2024-12-01 | 2024-12-02 | 2024-12-02  |
            A        | missing  | 2024-12-01 | 2024-12-03 | 2025-01-13  |
            A        | missing  | 2025-01-11 | 2025-01-12 | 2025-01-14  |
        """
        },
        """
            as_of      | referrals_365d | missing_episodes_365d | missing_episodes_all
            2025-01-14 | 2              | 2                     | 3
            2025-01-15 | 2              | 2                     | 4
        """,
    ),
    Spec(
        "Children at the same address are those known to live there; their known sessions count, without the child's own.",
        {
            "addresses": """
            pupil_id | start_date | end_date   | household_id | recorded_on
            A        | 2020-01-01 |            | H1           |
            B        | 2024-10-01 |            | H1           | 2025-01-13
            C        | 2024-11-01 |            | H1           | 2025-01-14
            D        | 2020-01-01 | 2025-01-14 | H1           |
            E        | 2021-01-01 |            | H2           |
            E        | 2021-01-01 |            | H1           | 2025-01-13
        """,
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2025-01-13 | AM      | O    |
            B        | 2025-01-14 | AM      | O    | 2025-01-14
            B        | 2025-01-13 | AM      | O    | 2025-01-13
            B        | 2025-01-10 | AM      | O    | 2025-01-10
            B        | 2025-01-10 | AM      | /    | 2025-01-13
            C        | 2025-01-09 | AM      | O    |
            D        | 2025-01-09 | AM      | /    |
            E        | 2025-01-08 | AM      | I    | 2025-01-14
        """,
        },
        """
            as_of      | pupil_id | siblings_in_cohort | siblings_absence_90d
            2025-01-14 | A        | 3                  | 1/3
            2025-01-14 | C        | 0                  |
            2025-01-14 | D        | 3                  | 2/3
            2025-01-15 | A        | 3                  | 4/5
            2025-01-15 | C        | 3                  | 4/5
            2025-01-15 | D        | 0                  |
        """,
    ),
]

"""Examples of features of absence over up to three years."""

from features.specs.spec import Spec

SPECS = [
    Spec(
        "Sessions of the last 1,095 days count, half as much after each half-life; 20 sessions at usual shares (6%, 2%) are added. Log-odds are rounded to 1/16384.",
        {
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2025-01-14 | AM      | O    | 2025-01-14
            A        | 2025-01-13 | AM      | O    | 2025-01-13
            A        | 2025-01-10 | AM      | O    | 2025-01-10
            A        | 2025-01-10 | AM      | I    | 2025-01-13
            A        | 2025-01-09 | AM      | G    | 2025-01-14
            A        | 2024-12-17 | AM      | /    |
            A        | 2024-07-18 | AM      | O    |
            A        | 2024-01-14 | AM      | /    |
            A        | 2022-01-16 | AM      | N    |
            A        | 2022-01-15 | AM      | N    |
            A        | 2022-01-14 | AM      | O    |
        """
        },
        """
            as_of      | absent_log_odds_28d | absent_log_odds_90d | absent_log_odds_365d | absent_log_odds_three_years | unauthorised_log_odds_28d | unauthorised_log_odds_90d | unauthorised_log_odds_365d | unauthorised_log_odds_three_years
            2025-01-14 | -29999/16384 | -28696/16384 | -25962/16384 | -19831/16384 | -44524/16384 | -42085/16384 | -36613/16384 | -26810/16384
            2025-01-15 | -22503/16384 | -21346/16384 | -19904/16384 | -17381/16384 | -30799/16384 | -29310/16384 | -27091/16384 | -23455/16384
        """,
    ),
    Spec(
        "Marks of years ago only are still known; a mark recorded on the day is not, and without any session the features are missing.",
        {
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2022-06-01 | AM      | I    |
            A        | 2022-06-01 | PM      | /    |
            B        | 2022-06-01 | AM      | I    | 2025-01-14
        """
        },
        """
            as_of      | pupil_id | absent_log_odds_three_years | unauthorised_log_odds_three_years
            2025-01-14 | A        | -35999/16384 | -65356/16384
            2025-01-14 | B        |                             |
            2025-01-15 | B        | -35150/16384 | -64579/16384
        """,
    ),
]

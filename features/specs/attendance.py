"""Examples of attendance features."""

from features.specs.spec import Spec

SPECS = [
    Spec(
        "Missed sessions are a share of possible ones; each window includes its first day and the day before the as-of date, but not the as-of date.",
        {
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2025-01-14 | AM      | O    | 2025-01-14
            A        | 2025-01-13 | AM      | O    | 2025-01-13
            A        | 2025-01-10 | AM      | N    | 2025-01-10
            A        | 2025-01-10 | AM      | /    | 2025-01-13
            A        | 2025-01-09 | AM      | I    | 2025-01-14
            A        | 2024-12-31 | AM      | I    |
            A        | 2024-12-30 | AM      | /    |
            A        | 2024-12-17 | AM      | C    |
            A        | 2024-12-16 | AM      | /    |
            A        | 2024-12-12 | AM      | Y4   |
            A        | 2024-10-16 | AM      | O    |
            A        | 2024-10-15 | AM      | L    |
            A        | 2024-09-02 | AM      | /    |
            A        | 2024-07-18 | AM      | O    |
            A        | 2024-07-17 | AM      | /    |
            A        | 2024-01-15 | AM      | O    |
            A        | 2024-01-14 | AM      | O    |
        """
        },
        """
            as_of      | absent_rate_14d | absent_rate_28d | absent_rate_90d | absent_rate_180d | absent_rate_365d | absent_rate_year
            2025-01-14 | 2/3             | 3/5             | 4/7             | 5/10             | 6/12             | 4/9
            2025-01-15 | 3/4             | 4/6             | 5/8             | 6/11             | 7/13             | 6/11
        """,
    ),
    Spec(
        "The codes G, O and U are absence without permission, and N is absence with no reason yet; an absence that is explained later no longer counts.",
        {
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2025-01-14 | AM      | O    | 2025-01-14
            A        | 2025-01-13 | AM      | O    | 2025-01-13
            A        | 2025-01-10 | AM      | O    | 2025-01-10
            A        | 2025-01-10 | AM      | I    | 2025-01-13
            A        | 2025-01-09 | AM      | G    | 2025-01-14
            A        | 2024-12-31 | AM      | U    |
            A        | 2024-12-30 | AM      | I    |
            A        | 2024-12-17 | AM      | G    |
            A        | 2024-12-16 | AM      | /    |
            A        | 2024-10-16 | AM      | O    |
            A        | 2024-10-15 | AM      | L    |
            A        | 2024-09-02 | AM      | /    |
            A        | 2024-07-18 | AM      | N    |
            A        | 2024-07-17 | AM      | /    |
            A        | 2024-01-15 | AM      | O    |
            A        | 2024-01-14 | AM      | O    |
        """
        },
        """
            as_of      | unauthorised_rate_14d | unauthorised_rate_28d | unauthorised_rate_90d | unauthorised_rate_180d | unauthorised_rate_365d | unauthorised_rate_year
            2025-01-14 | 2/3                   | 3/5                   | 4/7                   | 5/10                   | 6/12                   | 4/9
            2025-01-15 | 3/4                   | 4/6                   | 5/8                   | 6/11                   | 7/13                   | 6/11
        """,
    ),
    Spec(
        "The codes N and O are absence without an accepted reason, until the school records another code.",
        {
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2025-01-14 | AM      | N    | 2025-01-14
            A        | 2025-01-13 | AM      | N    | 2025-01-13
            A        | 2025-01-10 | AM      | N    | 2025-01-10
            A        | 2025-01-10 | AM      | I    | 2025-01-13
            A        | 2025-01-09 | AM      | O    | 2025-01-14
            A        | 2024-12-17 | AM      | O    |
            A        | 2024-12-16 | AM      | G    |
            A        | 2024-11-19 | AM      | N    |
            A        | 2024-11-18 | AM      | /    |
            A        | 2024-07-18 | AM      | O    |
            A        | 2024-07-17 | AM      | O    |
        """
        },
        """
            as_of      | no_reason_rate_28d | no_reason_rate_56d | no_reason_rate_180d
            2025-01-14 | 2/3                | 3/5                | 4/7
            2025-01-15 | 3/4                | 4/6                | 5/8
        """,
    ),
    Spec(
        "The codes L (before the register closed) and U (after it) are lateness.",
        {
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2025-01-14 | AM      | U    | 2025-01-14
            A        | 2025-01-13 | AM      | L    | 2025-01-13
            A        | 2025-01-10 | AM      | /    | 2025-01-10
            A        | 2025-01-10 | AM      | L    | 2025-01-13
            A        | 2025-01-09 | AM      | L    | 2025-01-14
            A        | 2024-12-17 | AM      | /    |
            A        | 2024-10-16 | AM      | U    |
            A        | 2024-10-15 | AM      | /    |
            A        | 2024-01-15 | AM      | L    |
            A        | 2024-01-14 | AM      | L    |
        """
        },
        """
            as_of      | late_rate_90d | late_rate_365d
            2025-01-14 | 3/4           | 4/6
            2025-01-15 | 4/5           | 5/7
        """,
    ),
    Spec(
        "The codes I (illness) and M (a medical appointment) are illness.",
        {
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2025-01-14 | AM      | I    | 2025-01-14
            A        | 2025-01-13 | AM      | M    | 2025-01-13
            A        | 2025-01-10 | AM      | N    | 2025-01-10
            A        | 2025-01-10 | AM      | I    | 2025-01-13
            A        | 2025-01-09 | AM      | I    | 2025-01-14
            A        | 2024-12-17 | AM      | /    |
            A        | 2024-10-16 | AM      | I    |
            A        | 2024-10-15 | AM      | O    |
            A        | 2024-01-15 | AM      | M    |
            A        | 2024-01-14 | AM      | I    |
        """
        },
        """
            as_of      | ill_rate_90d | ill_rate_365d
            2025-01-14 | 3/4          | 4/6
            2025-01-15 | 4/5          | 5/7
        """,
    ),
    Spec(
        "The code G is a holiday without permission; the code C2 is a part-time timetable.",
        {
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2025-01-14 | AM      | G    | 2025-01-14
            A        | 2025-01-14 | PM      | C2   | 2025-01-14
            A        | 2025-01-13 | AM      | G    | 2025-01-13
            A        | 2025-01-13 | PM      | C2   | 2025-01-13
            A        | 2025-01-10 | AM      | G    | 2025-01-10
            A        | 2025-01-10 | AM      | C2   | 2025-01-13
            A        | 2025-01-09 | AM      | G    | 2025-01-14
            A        | 2025-01-09 | PM      | C2   | 2025-01-14
            A        | 2024-07-18 | AM      | C2   |
            A        | 2024-07-17 | AM      | C2   |
            A        | 2024-01-15 | AM      | G    |
            A        | 2024-01-14 | AM      | G    |
        """
        },
        """
            as_of      | holiday_rate_365d | part_time_rate_180d
            2025-01-14 | 2/6               | 3/4
            2025-01-15 | 3/9               | 4/7
        """,
    ),
    Spec(
        "The last four weeks are compared with the eight before them.",
        {
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2025-01-14 | AM      | O    | 2025-01-14
            A        | 2025-01-13 | AM      | O    | 2025-01-13
            A        | 2025-01-10 | AM      | /    | 2025-01-10
            A        | 2025-01-10 | AM      | I    | 2025-01-13
            A        | 2025-01-09 | AM      | O    | 2025-01-14
            A        | 2024-12-17 | AM      | /    |
            A        | 2024-12-16 | AM      | /    |
            A        | 2024-12-02 | AM      | /    |
            A        | 2024-11-05 | AM      | O    |
            A        | 2024-10-22 | AM      | I    |
            A        | 2024-10-21 | AM      | O    |
        """
        },
        """
            as_of      | absent_rate_28_to_84d | absent_change_28_84d | unauthorised_rate_28_to_84d | unauthorised_change_28_84d
            2025-01-14 | 2/4                   | 2/3 - 2/4            | 1/4                         | 1/3 - 1/4
            2025-01-15 | 1/4                   | 4/4 - 1/4            | 1/4                         | 3/4 - 1/4
        """,
    ),
    Spec(
        "The last 90 days are compared with the 90 before them, and the half year with the half year before it.",
        {
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2025-01-14 | AM      | O    | 2025-01-14
            A        | 2025-01-13 | AM      | O    | 2025-01-13
            A        | 2025-01-10 | AM      | O    | 2025-01-10
            A        | 2025-01-10 | AM      | /    | 2025-01-13
            A        | 2025-01-09 | AM      | O    | 2025-01-14
            A        | 2024-10-16 | AM      | /    |
            A        | 2024-10-15 | AM      | I    |
            A        | 2024-09-10 | AM      | /    |
            A        | 2024-07-18 | AM      | O    |
            A        | 2024-07-17 | AM      | N    |
            A        | 2024-01-15 | AM      | /    |
            A        | 2024-01-14 | AM      | O    |
        """
        },
        """
            as_of      | absent_rate_90_to_180d | absent_change_90_180d | unauthorised_change_90_180d | unauthorised_rate_180_to_365d
            2025-01-14 | 2/3                    | 1/3 - 2/3             | 1/3 - 1/3                   | 1/2
            2025-01-15 | 1/3                    | 3/4 - 1/3             | 3/4 - 0/3                   | 2/2
        """,
    ),
    Spec(
        "The newest sessions: a run of absence is counted back from the last known session; weeks are counted back from the as-of date.",
        {
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2025-01-14 | AM      | /    | 2025-01-14
            A        | 2025-01-13 | AM      | O    | 2025-01-13
            A        | 2025-01-10 | AM      | /    | 2025-01-10
            A        | 2025-01-10 | AM      | I    | 2025-01-13
            A        | 2025-01-09 | AM      | O    | 2025-01-14
            A        | 2025-01-08 | AM      | L    |
            A        | 2025-01-06 | AM      | /    |
            A        | 2025-01-06 | PM      | O    |
            A        | 2024-12-03 | AM      | O    |
            A        | 2024-11-15 | AM      | O    |
            A        | 2024-11-14 | AM      | O    |
        """
        },
        """
            as_of      | trailing_absent_sessions | days_since_present | days_since_last_mark | weeks_missed_60d | weeks_mostly_missed_60d | last_week_absence_rate
            2025-01-14 | 2                        | 6                  | 1                    | 2                | 4                       | 2/3
            2025-01-15 | 0                        | 1                  | 1                    | 1                | 3                       | 3/5
        """,
    ),
    Spec(
        "A run of absence lasts until an attended session, across nights and holidays; sessions before the window are cut off.",
        {
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2025-01-14 | AM      | /    | 2025-01-14
            A        | 2025-01-13 | AM      | O    | 2025-01-13
            A        | 2025-01-10 | AM      | /    | 2025-01-10
            A        | 2025-01-10 | AM      | I    | 2025-01-13
            A        | 2025-01-09 | AM      | O    | 2025-01-14
            A        | 2025-01-08 | AM      | L    |
            A        | 2025-01-06 | PM      | O    |
            A        | 2025-01-06 | AM      | /    |
            A        | 2024-12-03 | AM      | O    |
            A        | 2024-11-15 | AM      | X    |
            A        | 2024-11-14 | PM      | I    |
            A        | 2024-11-14 | AM      | O    |
            A        | 2024-10-16 | AM      | O    |
            A        | 2024-07-01 | AM      | /    |
            A        | 2024-06-28 | AM      | O    |
            A        | 2024-06-27 | AM      | /    |
            A        | 2024-01-15 | AM      | O    |
        """
        },
        """
            as_of      | longest_absence_run_90d | absence_runs_90d | longest_absence_run_365d | absence_runs_365d
            2025-01-14 | 4                       | 3                | 4                        | 5
            2025-01-15 | 3                       | 3                | 4                        | 4
        """,
    ),
    Spec(
        "The mark of the day replaces a holiday entered in advance; a mark sent twice counts once.",
        {
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2025-01-14 | AM      | O    | 2025-01-14
            A        | 2025-01-13 | AM      | G    | 2025-01-02
            A        | 2025-01-13 | AM      | /    | 2025-01-13
            A        | 2025-01-13 | PM      | G    | 2025-01-02
            A        | 2025-01-10 | AM      | /    | 2025-01-10
            A        | 2025-01-10 | AM      | /    | 2025-01-10
            A        | 2025-01-09 | AM      | O    | 2025-01-10
            A        | 2025-01-09 | AM      | O    | 2025-01-10
            A        | 2025-01-08 | AM      | /    | 2025-01-08
            A        | 2025-01-08 | AM      | I    | 2025-01-14
        """
        },
        """
            as_of      | holiday_rate_365d | absent_rate_14d | sessions_known_28d
            2025-01-14 | 1/5               | 2/5             | 5
            2025-01-15 | 1/6               | 4/6             | 6
        """,
    ),
    Spec(
        "Returns count from the day they arrived, by default 122 days after the term; the newest are those of terms that ended within 250 days.",
        {
            "termly_attendance": """
            pupil_id | term_start | term_end   | code | sessions | recorded_on
            A        | 2024-09-02 | 2024-12-20 | /    | 100      | 2025-01-13
            A        | 2024-09-02 | 2024-12-20 | O    | 10       | 2025-01-13
            A        | 2024-09-02 | 2024-12-20 | I    | 6        | 2025-01-10
            A        | 2024-09-02 | 2024-12-20 | I    | 8        | 2025-01-13
            A        | 2024-09-02 | 2024-12-20 | N    | 4        | 2025-01-14
            A        | 2024-04-15 | 2024-05-09 | /    | 90       | 2024-10-01
            A        | 2024-04-15 | 2024-05-09 | O    | 10       | 2024-10-01
            A        | 2024-01-08 | 2024-05-08 | O    | 50       | 2024-10-01
            A        | 2023-01-09 | 2023-05-25 | /    | 30       |
        """
        },
        """
            as_of      | termly_absence_rate | termly_unauthorised_rate | termly_absence_rate_longer
            2025-01-14 | 28/218              | 20/218                   | 78/298
            2025-01-15 | 22/122              | 14/122                   | 82/272
        """,
    ),
]

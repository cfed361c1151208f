"""Examples of features of the school: others at the school, shrunk to the authority's mean with the weight of 200 children."""

from features.specs.spec import Spec

SPECS = [
    Spec(
        "Absence among the 24 others at the school, as known; the child's own sessions count only in the authority's mean.",
        {
            "schools": """
            urn | phase
            1   | primary
        """,
            "attendance": """
            pupil_id | date       | session | code | recorded_on
            A        | 2025-01-13 | AM      | O    |
            B1..B24  | 2025-01-10 | AM      | /    |
            B1       | 2025-01-13 | AM      | O    | 2025-01-13
            B1       | 2025-01-14 | AM      | O    | 2025-01-14
            B2       | 2025-01-09 | AM      | I    | 2025-01-14
            B3       | 2025-01-08 | AM      | O    | 2025-01-08
            B3       | 2025-01-08 | AM      | /    | 2025-01-13
        """,
        },
        """
            as_of      | school_absence_90d             | school_unauthorised_90d    | school_unauthorised_of_kind_90d
            2025-01-14 | (24*1/26 + 200*2/27) / 224     | (24*1/26 + 200*2/27) / 224 | (24*1/26 + 200*2/27) / 224
            2025-01-15 | (24*3/28 + 200*4/29) / 224     | (24*2/28 + 200*3/29) / 224 | (24*2/28 + 200*3/29) / 224
        """,
    ),
    Spec(
        "Suspensions of others within a year, once recorded.",
        {
            "suspensions": """
            pupil_id | start_date | category | sessions | recorded_on
            B1       | 2025-01-13 | SUSP     | 1        | 2025-01-13
            B2       | 2024-06-03 | SUSP     | 1        | 2024-06-03
            B2       | 2024-06-03 | SUSP     | 2        | 2025-01-13
            B3       | 2024-12-02 | SUSP     | 1        | 2025-01-14
            B4..B24  | 2023-12-01 | PERM     |          |
        """
        },
        """
            as_of      | school_suspensions_365d
            2025-01-14 | (24*2/24 + 200*2/25) / 224
            2025-01-15 | (24*3/24 + 200*3/25) / 224
        """,
    ),
    Spec(
        "Children known to have a plan, among others at the school.",
        {
            "social_care": """
            pupil_id | kind     | start_date | end_date   | recorded_on | end_recorded_on
            B1       | cin      | 2025-01-10 |            | 2025-01-13  |
            B2..B3   | cin      | 2024-12-01 |            | 2025-01-14  |
            B4       | cin      | 2024-01-01 | 2024-12-20 | 2024-01-01  | 2025-01-14
            B5       | cin      | 2024-05-01 |            | 2024-05-02  |
            B5       | cin      | 2024-05-01 | 2024-12-01 | 2025-01-13  |
            A        | cin      | 2024-05-01 |            |             |
            B6..B24  | referral | 2024-05-01 |            |             |
        """
        },
        """
            as_of      | school_in_care_share
            2025-01-14 | (24*2/24 + 200*3/25) / 224
            2025-01-15 | (24*3/24 + 200*4/25) / 224
        """,
    ),
    Spec(
        "Children known to have joined within the year or left without a known destination within two years, and the number on roll.",
        {
            "schools": """
            urn | phase
            1   | primary
        """,
            "enrolments": """
            pupil_id | urn | entry_date | leaving_date | status | destination       | recorded_on | leaving_recorded_on
            A        | 1   | 2018-09-04 |              |        |                   |             |
            B1..B24  | 1   | 2018-09-04 |              |        |                   |             |
            C1       | 1   | 2024-11-04 |              |        |                   | 2025-01-13  |
            C2       | 1   | 2024-11-05 |              |        |                   | 2025-01-14  |
            C3       | 1   | 2024-11-06 | 2025-01-10   |        | unknown           | 2024-11-06  | 2025-01-14
            C4       | 1   | 2024-11-07 |              | M      |                   | 2024-11-07  |
            C4       | 1   | 2024-11-07 |              | C      |                   | 2025-01-13  |
            E1       | 1   | 2018-09-04 | 2024-06-03   |        | missing_education | 2018-09-04  | 2024-06-10
        """,
        },
        """
            as_of      | school_joined_in_year_365d | school_lost_730d           | school_lost_of_kind_730d   | pupils_at_school
            2025-01-14 | (27*3/27 + 200*3/28) / 227 | (27*1/27 + 200*1/28) / 227 | (27*1/27 + 200*1/28) / 227 | 27
            2025-01-15 | (27*3/27 + 200*3/28) / 227 | (27*2/27 + 200*2/28) / 227 | (27*2/27 + 200*2/28) / 227 | 27
        """,
    ),
    Spec(
        "Schools of the same phase in the authority are of one kind: the loss of a secondary school does not count for a primary.",
        {
            "schools": """
            urn | phase
            1   | primary
            2   | secondary
            3   | primary
        """,
            "enrolments": """
            pupil_id | urn | entry_date | leaving_date | destination
            A        | 1   | 2018-09-04 |              |
            B1..B24  | 1   | 2018-09-04 |              |
            F1..F5   | 3   | 2018-09-04 |              |
            G1..G5   | 2   | 2018-09-04 |              |
            E1       | 1   | 2018-09-04 | 2024-06-03   | unknown
            E2       | 3   | 2018-09-04 | 2024-06-03   | unknown
            E3       | 2   | 2018-09-04 | 2024-06-03   | unknown
        """,
        },
        """
            as_of      | school_lost_730d           | school_lost_of_kind_730d
            2025-01-14 | (24*1/24 + 200*3/35) / 224 | (24*1/24 + 200*2/30) / 224
        """,
    ),
    Spec(
        "The features are missing for a school with fewer than 20 others.",
        {
            "attendance": """
            pupil_id | date       | session | code
            A        | 2025-01-10 | AM      | /
            B1..B19  | 2025-01-10 | AM      | O
        """
        },
        """
            as_of      | school_absence_90d | school_unauthorised_90d | school_joined_in_year_365d | school_lost_730d | pupils_at_school
            2025-01-14 |                    |                         |                            |                  |
        """,
    ),
]

"""Examples of features of the pupil."""

from features.specs.spec import Spec

SPECS = [
    Spec(
        "The year group follows from the age on 31 August; a child is in the cohort from the day after the entry was recorded until a leaving is recorded.",
        {
            "pupils": """
            pupil_id | date_of_birth
            A        | 2014-05-01
            B        | 2013-09-01
            C        | 2013-08-31
            D        | 2020-08-31
        """,
            "enrolments": """
            pupil_id | urn | entry_date | leaving_date | status | recorded_on | leaving_recorded_on
            A        | 1   | 2018-09-04 |              | C      | 2018-09-04  |
            B        | 1   | 2024-09-04 |              | C      | 2025-01-14  |
            C        | 1   | 2018-09-04 | 2025-01-10   | C      | 2018-09-04  | 2025-01-14
            D        | 1   | 2024-09-04 |              | S      | 2024-09-04  |
            D        | 1   | 2024-09-04 |              | C      | 2025-01-13  |
        """,
        },
        """
            as_of      | pupil_id | year_group | in_year_6 | in_year_7 | term | days_into_year | age_days_in_year
            2024-09-10 | A        | 6          | 1         | 0         | 1    | 9   | 125
            2025-01-14 | A        | 6          | 1         | 0         | 2    | 135 | 125
            2025-04-29 | A        | 6          | 1         | 0         | 3    | 240 | 125
            2025-01-15 | B        | 6          | 1         | 0         | 2    | 136 | 367
            2025-01-14 | C        | 7          | 0         | 1         | 2    | 135 | 3
            2025-01-14 | D        | 0          | 0         | 0         | 2    | 135 | 1
        """,
    ),
    Spec(
        "The kind of a school comes from its entry in schools; without an entry it is missing.",
        {
            "enrolments": """
            pupil_id | urn | entry_date
            A        | 1   | 2018-09-04
            B        | 2   | 2018-09-04
            C        | 3   | 2018-09-04
        """,
            "schools": """
            urn | phase
            1   | special
            2   | primary
        """,
        },
        """
            as_of      | pupil_id | special_or_ap
            2025-01-14 | A        | 1
            2025-01-14 | B        | 0
            2025-01-14 | C        |
        """,
    ),
]

"""Examples of features of moves."""

from features.specs.spec import Spec

SPECS = [
    Spec(
        "An entry counts once recorded, and so do a leaving and its destination; an entry in September is not an in-year move.",
        {
            "enrolments": """
            pupil_id | urn | entry_date | leaving_date | status | destination    | recorded_on | leaving_recorded_on
            A        | 1   | 2018-09-04 | 2023-11-30   |        | unknown        | 2018-09-04  | 2023-12-05
            A        | 2   | 2024-01-14 | 2024-06-28   |        | home_education | 2024-01-15  | 2024-07-01
            A        | 3   | 2024-09-03 |              | S      |                | 2024-09-03  |
            A        | 3   | 2024-09-03 |              | C      |                | 2025-01-13  |
            A        | 4   | 2024-11-04 | 2025-01-10   | M      | abroad         | 2025-01-13  | 2025-01-14
            A        | 5   | 2025-01-06 |              | C      |                | 2025-01-14  |
        """
        },
        """
            as_of      | in_year_moves_365d | in_year_moves_all | days_at_school | days_since_first_entry | schools_so_far | left_to_nowhere | left_state_schools | registered_twice
            2025-01-14 | 2                  | 2                 | 71             | 2324                   | 4              | 1               | 1                  | 1
            2025-01-15 | 2                  | 3                 | 9              | 2325                   | 5              | 1               | 2                  | 0
        """,
    ),
    Spec(
        "Whoever comes back to a school within sixty days, or has a roll beside the main one, joins no school; whoever comes back later does.",
        {
            "enrolments": """
            pupil_id | urn | entry_date | leaving_date | status | destination
            A        | 1   | 2018-09-04 | 2024-11-08   | C      |
            A        | 1   | 2024-11-25 |              | C      |
            A        | 2   | 2024-04-15 | 2024-07-12   | S      |
            B        | 1   | 2018-09-04 | 2024-03-01   | C      | abroad
            B        | 1   | 2024-11-04 |              | C      |
            C        | 1   | 2024-01-22 |              | C      |
            C        | 1   | 2024-11-04 |              | C      |
        """
        },
        """
            as_of      | pupil_id | in_year_moves_365d | in_year_moves_all | days_at_school | schools_so_far
            2025-01-14 | A        | 0                  | 0                 | 50             | 3
            2025-01-14 | B        | 1                  | 1                 | 71             | 2
            2025-01-14 | C        | 1                  | 1                 | 71             | 2
        """,
    ),
    Spec(
        "A case counts once reported, whenever the child went missing; while it is open, the child is not in the cohort.",
        {
            "cme": """
            pupil_id | missing_from | reported_on | resolved_on
            A        | 2024-03-01   | 2024-03-10  | 2024-04-01
            A        | 2024-03-01   | 2025-01-13  | 2024-04-15
            A        | 2024-12-02   | 2025-01-14  | 2025-01-14
        """
        },
        """
            as_of      | past_cases | days_since_case
            2025-01-14 | 1          | 319
            2025-01-15 | 2          | 44
        """,
    ),
]

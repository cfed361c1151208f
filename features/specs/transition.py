"""Examples of features of the move to secondary school."""

from features.specs.spec import Spec

SPECS = [
    Spec(
        "Application, offer and answer count from their own dates, for the coming September and in Year 6 only (D is in Year 8). An offer counts as not answered after 28 days. Without a row nothing is known of E: applications of the year may not be loaded.",
        {
            "pupils": """
            pupil_id | date_of_birth
            D        | 2012-05-01
        """,
            "admissions": """
            pupil_id | entry_year | phase     | applied_on | offered_on | response | response_on | recorded_on
            A        | 2025       | secondary |            |            |          |             | 2024-11-01
            A        | 2025       | secondary | 2024-10-30 |            |          |             | 2025-01-14
            B        | 2025       | secondary | 2024-10-10 | 2024-12-17 | declined | 2025-01-14  |
            F        | 2025       | secondary | 2024-10-10 | 2024-12-18 |          |             |
            C        | 2025       | secondary | 2024-10-10 | 2025-01-10 | accepted | 2025-01-11  | 2025-01-13
            D        | 2025       | secondary | 2024-10-10 | 2025-01-10 | accepted | 2025-01-11  |
            E        | 2024       | secondary | 2023-10-10 | 2024-03-01 | accepted | 2024-03-05  |
        """,
        },
        """
            as_of      | pupil_id | no_application | offer_not_answered | offer_declined | place_accepted
            2025-01-14 | A        | 1              | 0                  | 0              | 0
            2025-01-15 | A        | 0              | 0                  | 0              | 0
            2025-01-14 | B        | 0              | 1                  | 0              | 0
            2025-01-15 | B        | 0              | 0                  | 1              | 0
            2025-01-14 | C        | 0              | 0                  | 0              | 1
            2025-01-14 | F        | 0              | 0                  | 0              | 0
            2025-01-15 | F        | 0              | 1                  | 0              | 0
            2025-01-14 | D        | 0              | 0                  | 0              | 0
            2025-01-14 | E        |                |                    |                |
            2024-11-01 | A        |                |                    |                |
            2024-11-02 | A        | 1              | 0                  | 0              | 0
        """,
    ),
]

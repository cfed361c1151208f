"""Examples of features of home and area."""

from features.specs.spec import Spec

SPECS = [
    Spec(
        "A home counts from the day after it was recorded; the area is that of the newest home, as corrected; a home is temporary up to its last day.",
        {
            "addresses": """
            pupil_id | start_date | end_date   | household_id | lsoa | temporary | recorded_on
            A        | 2023-01-15 | 2024-01-14 | H1           | E1   | false     |
            A        | 2024-01-15 | 2024-10-15 | H2           | E1   | true      |
            A        | 2024-10-16 | 2025-01-14 | H3           | E2   | true      |
            A        | 2024-12-01 |            | H4           | E3   | false     | 2024-12-02
            A        | 2024-12-01 |            | H4           | E2   | false     | 2025-01-13
            A        | 2024-12-20 |            | H5           | E1   | false     | 2025-01-14
        """,
            "areas": """
            lsoa | idaci_decile
            E1   | 9
            E2   | 2
            E3   | 5
        """,
        },
        """
            as_of      | home_moves_90d | home_moves_365d | home_moves_730d | homes_known | temporary_home | temporary_homes_all | days_at_home | idaci_decile
            2025-01-14 | 2              | 3               | 4               | 4           | 1              | 2                   | 44           | 2
            2025-01-15 | 2              | 3               | 4               | 5           | 0              | 2                   | 26           | 9
        """,
    ),
    Spec(
        "Rows of the same home, one after another, are one stay, and in all but its beginning as the last of them says, the area as last known; an unknown home is no other.",
        {
            "addresses": """
            pupil_id | start_date | end_date   | household_id | lsoa | temporary
            A        | 2023-01-15 | 2024-10-31 | H1           | E1   | false
            A        | 2024-11-01 | 2024-11-30 | H1           | E1   | false
            A        | 2024-12-01 | 2025-01-05 | H1           | E2   | true
            A        | 2025-01-06 |            | H1           |      | true
            B        | 2023-01-15 | 2024-02-29 | H2           | E1   | true
            B        | 2024-03-01 | 2024-12-01 | H3           | E1   | true
            B        | 2024-12-02 |            | H2           | E1   | true
            C        | 2024-03-01 | 2024-12-01 |              | E1   | false
            C        | 2024-12-02 |            |              | E1   | false
        """,
            "areas": """
            lsoa | idaci_decile
            E1   | 9
            E2   | 2
        """,
        },
        """
            as_of      | pupil_id | home_moves_90d | home_moves_365d | home_moves_730d | homes_known | temporary_home | temporary_homes_all | days_at_home | idaci_decile
            2025-01-14 | A        | 0              | 0               | 1               | 1           | 1              | 1                   | 730          | 2
            2025-01-14 | B        | 1              | 2               | 3               | 3           | 1              | 3                   | 43           | 9
            2025-01-14 | C        | 1              | 2               | 2               | 2           | 0              | 0                   | 43           | 9
        """,
    ),
    Spec(
        "The area is that of the address as known; the figure of the 27 others in it is shrunk to the authority's mean with the weight of 200 children.",
        {
            "addresses": """
            pupil_id | start_date | end_date   | lsoa | recorded_on
            A        | 2024-01-01 |            | E1   |
            B1..B24  | 2020-01-01 |            | E1   |
            C1       | 2024-10-01 |            | E1   | 2025-01-13
            C2       | 2024-11-01 |            | E1   | 2025-01-14
            C3       | 2020-01-01 | 2025-01-14 | E1   |
            C4       | 2024-06-01 |            | E2   |
            C4       | 2024-06-01 |            | E1   | 2025-01-13
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
            as_of      | area_absence_90d           | area_moves_730d
            2025-01-14 | (27*1/26 + 200*2/27) / 227 | (27*2/27 + 200*3/29) / 227
            2025-01-15 | (27*3/28 + 200*4/29) / 227 | (27*3/27 + 200*4/29) / 227
        """,
    ),
    Spec(
        "Children who left a school without a known destination count in the area where they were known to live, among the 27 others there.",
        {
            "enrolments": """
            pupil_id | urn | entry_date | leaving_date | status | destination       | recorded_on | leaving_recorded_on
            A        | 1   | 2018-09-04 |              |        |                   |             |
            B1..B24  | 1   | 2018-09-04 |              |        |                   |             |
            C1       | 1   | 2024-11-04 |              |        |                   | 2025-01-13  |
            C2       | 1   | 2024-11-05 |              |        |                   | 2025-01-14  |
            C4       | 1   | 2024-11-07 |              | M      |                   | 2024-11-07  |
            C4       | 1   | 2024-11-07 |              | C      |                   | 2025-01-13  |
            E1       | 1   | 2018-09-04 | 2024-06-03   |        | missing_education |             | 2024-06-10
            E2       | 1   | 2018-09-04 | 2025-01-10   |        | unknown           |             | 2025-01-14
            E3..E5   | 1   | 2018-09-04 | 2024-05-01   |        | unknown           |             | 2024-05-01
        """,
            "addresses": """
            pupil_id | start_date | end_date   | lsoa | recorded_on
            A        | 2020-01-01 |            | E1   |
            B1..B24  | 2020-01-01 |            | E1   |
            C1..C2   | 2020-01-01 |            | E1   |
            C4       | 2020-01-01 |            | E1   |
            E1..E2   | 2020-01-01 |            | E1   |
            E3       | 2020-01-01 |            | E2   |
            E3       | 2020-01-01 |            | E1   | 2025-01-13
            E4       | 2020-01-01 |            | E1   | 2025-01-14
            E5       | 2020-01-01 | 2025-01-14 | E1   |
        """,
        },
        """
            as_of      | area_lost_730d
            2025-01-14 | (27*3/27 + 200*4/28) / 227
            2025-01-15 | (27*4/27 + 200*5/28) / 227
        """,
    ),
    Spec(
        "The features are missing for an area with fewer than 20 others, and for a child without a known address.",
        {
            "addresses": """
            pupil_id | start_date | lsoa
            A        | 2020-01-01 | E1
            B1..B19  | 2020-01-01 | E1
            C1       | 2020-01-01 |
            E1..E25  | 2020-01-01 | E2
        """,
        },
        """
            as_of      | pupil_id | area_moves_730d | area_lost_730d
            2025-01-14 | A        |                 |
            2025-01-14 | C1       |                 |
            2025-01-14 | E1       | 0               | 0
        """,
    ),
]

"""What features of home and area are, by example."""

from features.specs.spec import Spec

SPECS = [
    Spec(
        "A home counts from the day it was recorded; the area is that of the newest, as corrected, and a home is temporary until the day after its last.",
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
]  # fmt: skip

"""Examples of features of additional needs."""

from features.specs.spec import Spec

SPECS = [
    Spec(
        "Provision is open up to its last day; a corrected need counts as corrected, and provision counts only once recorded.",
        {
            "sen": """
            pupil_id | start_date | end_date   | provision | primary_need | recorded_on
            A        | 2022-09-01 | 2025-01-14 | K         | MLD          | 2022-09-10
            A        | 2025-01-06 |            | E         | ASD          | 2025-01-10
            A        | 2025-01-06 |            | E         | SEMH         | 2025-01-13
            B        | 2024-01-15 | 2024-06-01 | K         | SEMH         |
            B        | 2024-10-01 |            | K         | MLD          | 2025-01-14
        """
        },
        """
            as_of      | pupil_id | sen_support | sen_plan | need_semh | need_mld | sen_changes_365d | days_since_sen_change
            2025-01-14 | A        | 1           | 1        | 1         | 1        | 1                | 8
            2025-01-15 | A        | 0           | 1        | 1         | 0        | 1                | 9
            2025-01-14 | B        | 0           | 0        | 0         | 0        | 1                | 365
            2025-01-15 | B        | 1           | 0        | 0         | 1        | 1                | 106
        """,
    ),
]

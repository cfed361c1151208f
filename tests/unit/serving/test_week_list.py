"""How a rank changed since the previous list, in words."""

import pytest

from serving.store.scores.tops import rank_change


@pytest.mark.parametrize(
    ("rank", "before", "was_first", "silent", "change"),
    [
        (3, None, False, False, "new"),
        (3, 40, False, False, "new"),
        (3, 3, True, False, "same"),
        (3, 9, True, False, "risen"),
        (9, 3, True, False, "fallen"),
        (9, 3, True, True, None),
        (3, 9, True, True, "risen"),
    ],
)
def test_the_change_of_a_rank(rank, before, was_first, silent, change):
    assert rank_change(rank, before, was_first=was_first, silent=silent) == change

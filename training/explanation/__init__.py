"""Explained scores: exact contributions, their sums by theme, and the sentences that say them."""

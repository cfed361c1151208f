"""Who is scored, what counts as missing, and what became of each child."""

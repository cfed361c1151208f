"""Who goes missing, by group and by definition of missing."""

"""Who goes missing, and what each definition of missing makes of it."""

"""The candidates of one grid: each learns from a matrix and gives margins."""

"""The steps, in their order: the number of a file is its revision."""

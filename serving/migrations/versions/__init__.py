"""The migrations; a file's number is its revision."""

"""The model that serves, and explained scores in bulk."""

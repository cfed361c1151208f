"""The serving model, and bulk scoring."""

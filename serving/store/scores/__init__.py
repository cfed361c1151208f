"""Stored scores, the week's list made from them, and how they drift."""

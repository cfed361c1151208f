"""The proof that no feature sees the future, and what late recording does to features."""

"""The tables of histories, derived from the statements of all returns."""

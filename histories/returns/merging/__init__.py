"""Derive the tables of histories from the statements of all returns."""

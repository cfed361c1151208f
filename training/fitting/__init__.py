"""Splits over time, candidates, tuning, selection and uncertainty."""

"""Figures of a list, their intervals, and calibration."""

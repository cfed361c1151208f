"""Metrics, traces and logs, none of which holds a pupil's value."""

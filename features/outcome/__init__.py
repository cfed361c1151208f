"""The cohort, the definitions of missing and the labels."""

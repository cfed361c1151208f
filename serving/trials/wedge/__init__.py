"""A stepped wedge: schools or areas begin help one group after another, in an order that the lot draws (docs/trial.md)."""
